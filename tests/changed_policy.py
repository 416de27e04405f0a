"""A policy folder of a later year: a leaf renamed, two merged, one split."""

from pathlib import Path
from typing import Any

import yaml

from model.policy import BUILT_IN

VERSION = "2027.1"
RENAMED, MERGED = {"billing.charge": "billing.bill"}, {"metering.meter": ["metering.device", "metering.verification"]}
SPLIT = {"other.grid_facility": ["other.poles", "other.crops"]}
_BECAME = {
    **RENAMED,
    **{old: new for new, olds in MERGED.items() for old in olds},
    "other.grid_facility": "other.poles",
}


def write_changed_policy(folder: Path) -> Path:
    """Write taxonomy, routing, measures and leaf rules of the later year.

    Args:
        folder: where; made if it is not there.

    Returns:
        The folder.
    """
    tables = {
        name: yaml.safe_load((BUILT_IN / name).read_text(encoding="utf-8"))
        for name in ("taxonomy.yaml", "routing.yaml", "measures.yaml", "rules/leaves.yaml")
    }
    _change_taxonomy(tables["taxonomy.yaml"])
    for name, key in (("routing.yaml", "routes"), ("measures.yaml", "leaves")):
        table = {_BECAME.get(code, code): entry for code, entry in tables[name][key].items()}
        tables[name][key] = {**table, "other.crops": table["other.poles"]}
    for rule in tables["rules/leaves.yaml"]["rules"]:
        rule["to"] = _BECAME.get(rule["to"], rule["to"])
    for name, table in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    return folder


def _change_taxonomy(table: dict[str, Any]) -> None:
    leaves = {_BECAME.get(leaf["code"], leaf["code"]): leaf for leaf in table["leaves"]}
    leaves |= {"other.poles": {**leaves["other.poles"], "name": "杆塔线路"}}
    leaves |= {"other.crops": {**leaves["other.poles"], "name": "青苗占地"}}
    table["leaves"] = [{**leaf, "code": code} for code, leaf in leaves.items()]
    table["version"] = VERSION
    table["changes"] = [
        {"version": VERSION, "effective_from": "2027-01-01", "renamed": RENAMED, "merged": MERGED, "split": SPLIT}
    ]
