"""Imports go one way: triage → training → model ← serving ← triage; serving never meets training or torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ALLOWED = {
    "model": {"model"},
    "training": {"training", "model"},
    "serving": {"serving", "model"},
    "triage": {"triage", "training", "serving", "model"},
}
FORBIDDEN = {
    "model": {"torch", "transformers", "fastapi", "starlette", "sqlalchemy", "typer", "pandas"},
    "serving": {"torch", "transformers", "mlflow"},
}
FILES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    found = _imports(path)
    assert found & set(ALLOWED) <= ALLOWED[package]
    assert not found & FORBIDDEN.get(package, set())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno + 1 <= 45, f"{node.name} is longer than a screen"  # type: ignore[operator]


def test_importing_has_no_effect_and_needs_no_torch(tmp_path: Path) -> None:
    """Every module of model, serving and triage can be imported without loading jieba's dictionary or torch."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
        if path.relative_to(ROOT).parts[0] != "training"
    ]
    code = f"""
import importlib, sys
for name in {modules!r}: importlib.import_module(name)
assert "torch" not in sys.modules and "transformers" not in sys.modules
assert "jieba" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_tracked_names_a_path_of_a_developers_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    home = str(ROOT) + "/"
    wrong = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if (
            path.is_file()
            and path.suffix not in (".png", ".gz")
            and home in path.read_text(encoding="utf-8", errors="replace")
        ):
            wrong.append(name)
    assert not wrong
