"""What a row of a labelled batch may hold, as a pandera schema, and what to tell whoever has to mend a row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from model.privacy import mask
from model.taxonomy import FLAGS, THEFT_ROLES, Taxonomy
from model.ticket import TEXT_KEYS, readable

_TRUE, _FALSE = ("true", "1", "yes", "是", "1.0"), ("false", "0", "no", "否", "", "0.0", "none")
_SECONDARY_MOST = 2
_SPLITS = ("train", "dev", "test")
COLUMNS = (
    "id", "channel", "text", "category", "secondary", "flags", "theft_role", "filing", "safety", "escalation",
    "author", "voice", "split", "labelled_by", "labelled_at",
)  # fmt: skip
TOLD = {
    "no_text": ("没有正文 text", "补上诉求正文"),
    "no_category": ("没有类别 category", "按标注规范填一个类别代码"),
    "category": ("类别代码不存在", "改成类目体系中的代码,以前的代码请写进 taxonomy.yaml 的 changes"),
    "category_split": ("类别已拆分", "按新的小类重新标注 category"),
    "secondary": ("次要类别的代码不存在", "改成类目体系中的代码,多个用 | 分隔"),
    "secondary_split": ("次要类别已拆分", "按新的小类重新标注 secondary,多个用 | 分隔"),
    "too_many": ("次要类别多于两个", "至多留两个,只留需要另派班组的"),
    "twice": ("次要类别与主类别相同", "从 secondary 中去掉主类别"),
    "flags": ("线索代码不存在", f"改成 {'、'.join(FLAGS)},多个用 | 分隔"),
    "theft_role": ("窃电角色不存在", f"改成 {'、'.join(THEFT_ROLES)},或留空"),
    "role_without_flag": ("窃电角色与线索矛盾", "本人窃电须有线索 theft;举报他人(reports_other)不得有 theft"),
    "filing": ("报备事项的代码不存在", "改成标注规范第 3 节的代码,没有写 none"),
    "filing_without_flag": ("报备事项与线索矛盾", "R4_UNREASONABLE 须有 unreasonable,R5_MALICIOUS 须有 malicious"),
    "safety": ("safety 不是真假值", "填 true 或 false"),
    "escalation": ("escalation 不是真假值", "填 true 或 false"),
    "split": ("split 不存在", f"填 {'、'.join(_SPLITS)},或留空"),
}


def normalised(value: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of one row in one form each, whatever the file was: lists as tuples, nothing as an empty string.

    Args:
        value: as read; unknown columns are left out.

    Returns:
        A value for each of `COLUMNS`; what cannot be understood stays as it is, for the schema to refuse.
    """
    row: dict[str, Any] = {name: _word(value.get(name)) for name in COLUMNS}
    row["id"] = row["id"] or _word(value.get("ticket_id"))
    texts = (value[key] for key in TEXT_KEYS if isinstance(value.get(key), str) and value[key].strip())
    row["text"] = readable(next(texts, ""))
    row |= {name: _codes(value.get(name)) for name in ("secondary", "flags")}
    row |= {name: "" if row[name].lower() in ("none", "null") else row[name] for name in ("theft_role", "filing")}
    return row | {name: _truth(row[name]) for name in ("safety", "escalation")}


def as_of_today(row: dict[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """The same row with former codes of renamed and merged leaves read as what became of them.

    Args:
        row: normalised.
        taxonomy: knows its changes.

    Returns:
        The row; a split leaf keeps its former code, for the schema to refuse.
    """
    if not taxonomy.changes:
        return row

    def read(code: str) -> str:
        became = taxonomy.today(code)
        return became[0] if len(became) == 1 else code

    category, given = read(row["category"]), row["secondary"]
    folded = dict.fromkeys(new for old in given if (new := read(old)) == old or new != category)
    return row | {"category": category, "secondary": tuple(folded)}


def failures(rows: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> dict[int, list[tuple[str, str]]]:
    """Check rows against the annotation guideline, all of them and all columns at once.

    Args:
        rows: n normalised rows.
        taxonomy: the codes allowed.

    Returns:
        For each row that is wrong: (what is wrong, how to mend it), in the order of the columns.
    """
    if not rows:
        return {}
    import pandera.pandas as pa  # half a second, only here

    frame = pd.DataFrame([{name: row[name] for name in COLUMNS} for row in rows], columns=list(COLUMNS), dtype=object)
    try:
        _schema(pa, taxonomy).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        found = {(int(index), str(check)) for index, check in error.failure_cases[["index", "check"]].to_numpy()}
    else:
        return {}
    order = {check: number for number, check in enumerate(TOLD)}
    told: dict[int, list[tuple[str, str]]] = {}
    for index, check in sorted(found, key=lambda pair: (pair[0], order[pair[1]])):
        told.setdefault(index, []).append(_told(check, rows[index], taxonomy))
    return told


def shown(value: object) -> str:
    """A wrong cell for a message: masked and short, since cells may have slipped into the wrong column.

    Args:
        value: of the cell.

    Returns:
        At most 24 characters.
    """
    return mask("|".join(value) if isinstance(value, tuple) else str(value)).text[:24]


def _schema(pa: Any, taxonomy: Taxonomy) -> Any:
    """Columns one by one, then what two columns say of each other."""

    def column(*checks: tuple[str, Callable[[Any], bool]]) -> Any:
        return pa.Column(object, [pa.Check(test, element_wise=True, error=name) for name, test in checks])

    def between(name: str, test: Callable[[Any], bool]) -> Any:
        return pa.Check(lambda frame: frame.apply(test, axis=1), error=name)

    filings = {filing.code: filing.goes_with for filing in taxonomy.filings}
    columns = {
        "text": column(("no_text", lambda text: bool(text.strip()))),
        "category": column(
            ("no_category", bool),
            ("category", lambda code: not code or bool(taxonomy.today(code))),
            ("category_split", lambda code: len(taxonomy.today(code)) < 2),
        ),
        "secondary": column(
            ("secondary", lambda found: all(taxonomy.today(code) for code in found)),
            ("secondary_split", lambda found: all(len(taxonomy.today(code)) < 2 for code in found)),
            ("too_many", lambda found: len(found) <= _SECONDARY_MOST),
        ),
        "flags": column(("flags", lambda found: set(found) <= set(FLAGS))),
        "theft_role": column(("theft_role", lambda role: role in ("", *THEFT_ROLES))),
        "filing": column(("filing", lambda code: not code or code in filings)),
        "split": column(("split", lambda name: name in ("", *_SPLITS))),
        **{name: column((name, lambda value: isinstance(value, bool))) for name in ("safety", "escalation")},
    }
    across = [
        between("twice", lambda row: not row["category"] or row["category"] not in row["secondary"]),
        between("role_without_flag", _role_fits),
        between("filing_without_flag", lambda row: filings.get(row["filing"]) in (None, *row["flags"])),
    ]
    return pa.DataFrameSchema(columns, checks=across)


def _role_fits(row: Mapping[str, Any]) -> bool:
    """A caller's own theft needs the flag; who reports somebody else has none. A flag without a role is allowed."""
    role, flagged = row["theft_role"], "theft" in row["flags"]
    return flagged != (role == "reports_other") if role in THEFT_ROLES else True


def _told(check: str, row: Mapping[str, Any], taxonomy: Taxonomy) -> tuple[str, str]:
    what, mend = TOLD[check]
    if check.endswith("_split"):
        codes = (row["category"],) if check == "category_split" else row["secondary"]
        return f"{what}:" + ";".join(taxonomy.tell_split(c) for c in codes if len(taxonomy.today(c)) > 1), mend
    column = {"too_many": "secondary", "twice": "secondary", "filing_without_flag": "filing"}.get(check, check)
    column = "theft_role" if check == "role_without_flag" else column
    value = shown(row[column]) if column in row else ""
    return (f"{what}:{value}" if value else what), mend


def _word(value: object) -> str:
    return "" if value is None or value != value else readable(str(value)).strip()


def _codes(value: Any) -> tuple[str, ...]:
    """A list of codes: joined by `|` in a table, a list in JSON, `{"choices": […]}` in Label Studio's short form."""
    if isinstance(value, Mapping):
        value = value.get("choices")
    parts = value if isinstance(value, list | tuple) else _word(value).split("|")
    return tuple(readable(str(part)).strip() for part in parts if str(part).strip())


def _truth(word: str) -> bool | str:
    return word.lower() in _TRUE if word.lower() in (*_TRUE, *_FALSE) else word
