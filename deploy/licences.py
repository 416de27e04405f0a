"""List the licence of every library that ships: `python deploy/licences.py --write docs/licences.md`.

What ships is the program with the extras of the offline kit (`serve`, `console`) and everything these need, directly or not, as the
packages' own metadata say. Ends with an error where a licence is unknown or asks for our source (GPL, AGPL).
"""

import argparse
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("serve", "console")
# metadata say nothing, or name several; read in the wheel's own files
KNOWN = {
    "docutils": "Public-Domain, BSD-2-Clause; the GPL part (emacs mode) is not in the wheel",
}
_REFUSED = re.compile(r"(?<!L)\bA?GPL|GNU (Affero )?General Public", re.IGNORECASE)


def main() -> None:
    """Print the table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    lines = [
        "# Licences of everything that ships", "",
        f"Made by `python deploy/licences.py --write docs/licences.md`: complaint-triage (Apache-2.0) with its extras {', '.join(EXTRAS)} "
        "and all they need. Weights and vendored files: [NOTICE](../NOTICE).", "",
        "| library | version | licence |", "|---|---|---|",
        *(f"| {found.metadata['Name']} | {found.version} | {licence(found)} |" for found in shipped()),
    ]  # fmt: skip
    print(*lines, sep="\n")
    if arguments.write:
        arguments.write.write_text("\n".join(lines) + "\n", encoding="utf-8")


def shipped() -> list[Distribution]:
    """Every library of the base install and of `EXTRAS`, by name.

    Returns:
        Installed distributions; those that another platform needs are left out.
    """
    found: dict[str, Distribution] = {}
    waiting = [("complaint-triage", extra) for extra in ("", *EXTRAS)]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        try:
            one = distribution(name)
        except PackageNotFoundError as error:
            raise SystemExit(f"{name} is not installed; run pip install -e '.[{','.join(EXTRAS)}]' first") from error
        found[canonicalize_name(name)] = one
        for text in one.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                more = {(canonicalize_name(wanted.name), e) for e in ("", *wanted.extras)} - seen
                waiting += more
                seen |= more
    found.pop("complaint-triage")
    return [found[name] for name in sorted(found)]


def licence(one: Distribution) -> str:
    """The licence as the metadata give it.

    Args:
        one: an installed distribution.

    Returns:
        An SPDX expression where there is one, else the classifiers, else the first line of the field.

    Raises:
        SystemExit: unknown, or not to be shipped.
    """
    meta = one.metadata
    classes = [c.split(" :: ")[-1] for c in meta.get_all("Classifier") or () if c.startswith("License ::")]
    named = [c for c in classes if c != "OSI Approved"]
    field = next(iter((meta.get("License") or "").strip().splitlines()), "")
    words = KNOWN.get(canonicalize_name(meta["Name"])) or meta.get("License-Expression") or "; ".join(named) or field
    if not words:
        raise SystemExit(
            f"{meta['Name']} {one.version}: no licence in its metadata; read its files and add it to KNOWN"
        )
    if _REFUSED.search(words) and canonicalize_name(meta["Name"]) not in KNOWN:
        raise SystemExit(f"{meta['Name']} {one.version} is under {words}: it may not ship")
    return words


if __name__ == "__main__":
    main()
