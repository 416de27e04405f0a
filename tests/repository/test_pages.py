"""Pages under docs/ name tests, scripts and pages that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md"))
_CODE = re.compile(
    r"`((?:tests|benchmarks|deploy|docs|model|training|serving|triage|notebooks)/[\w./-]+\.(?:py|md|yaml|yml|ipynb|svg|sh|service))`"
)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_names_only_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [name for name in _CODE.findall(text) if not (ROOT / name).exists()]
    missing += [name for name in _LINK.findall(text) if not (page.parent / name).exists()]
    assert missing == []
