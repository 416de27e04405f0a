"""Notebooks are run from top to bottom, and their pictures can draw every Chinese letter."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
needs_extra = pytest.mark.skipif(
    not all(map(find_spec, ("nbclient", "matplotlib", "mplfonts"))),
    reason="the notebooks extra is not installed: make test-all installs it",
)


def test_there_are_notebooks_and_they_hold_no_output() -> None:
    import nbformat

    assert len(NOTEBOOKS) >= 2
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs"), f"{path.name}: clear the outputs before committing"


@pytest.mark.slow
@needs_extra
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_runs_and_its_pictures_miss_no_glyph(path: Path, tmp_path: Path, bundle_folder: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    (tmp_path / "data").symlink_to(ROOT / "data")
    shutil.copytree(bundle_folder, tmp_path / "artifacts" / "champion")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    words = "\n".join(str(output.get("text", "")) for output in outputs)
    assert not re.search(r"Glyph \d+ .*missing", words)
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2


@needs_extra
def test_the_font_has_every_letter_of_the_labels(policy) -> None:  # type: ignore[no-untyped-def]
    from matplotlib.ft2font import FT2Font

    from triage.fonts import font_file

    known = FT2Font(str(font_file())).get_charmap()
    letters = {letter for leaf in policy.taxonomy for letter in leaf.name} | set(
        "".join(policy.taxonomy.flags.values())
    )
    assert not [letter for letter in letters if ord(letter) not in known]
