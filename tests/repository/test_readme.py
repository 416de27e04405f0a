"""The README is run: its shell, HTTP and Python blocks, its make targets, its table of settings, its figures."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.settings import Settings

ROOT = Path(__file__).parent.parent.parent
READMES = ("README.md", "README.zh-CN.md")
BIN = Path(sys.executable).parent


def _blocks(kind: str, readme: str = "README.md") -> list[str]:
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"<!-- test: {kind} -->\n```\w+\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def house(tmp_path: Path, bundle_folder: Path) -> Path:
    """A folder as after `make demo`: the samples, the command, a champion."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    (tmp_path / "model").symlink_to(ROOT / "model")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    shutil.copytree(bundle_folder, tmp_path / "artifacts" / "champion")
    return tmp_path


@pytest.mark.parametrize("readme", READMES)
def test_both_readmes_show_the_same_commands(readme: str) -> None:
    for kind in ("make targets", "shell", "server", "python", "policy"):
        strip = [re.sub(r"[ ]*#.*", "", block) for block in _blocks(kind, readme)]
        assert strip
        assert strip == [re.sub(r"[ ]*#.*", "", block) for block in _blocks(kind)]


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for readme in READMES:
        named = set(re.findall(r"(?<!test: )make ([a-z-]+)", (ROOT / readme).read_text(encoding="utf-8")))
        assert {"demo", "test"} <= named
        assert not {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)}


@pytest.mark.parametrize("readme", READMES)
def test_the_table_of_settings_is_complete(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(TRIAGE_[A-Z_]+)` \|", text, re.MULTILINE))
    assert listed == {f"TRIAGE_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("page", [*READMES, "docs/analyst.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("http") or (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("readme", READMES)
def test_every_figure_of_the_quality_table_was_measured(readme: str) -> None:
    """Each number in a README row marked with a measured figure stands in docs/quality.md."""
    measured = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    text = (ROOT / readme).read_text(encoding="utf-8")
    table = re.search(r"<!-- figures -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert table
    numbers = set(re.findall(r"\d+\.\d+", table[1]))
    assert len(numbers) > 10
    assert not {number for number in numbers if number not in measured}


@pytest.mark.slow
@pytest.mark.parametrize("block", _blocks("shell") + _blocks("policy"))
def test_the_shell_block_runs(house: Path, block: str) -> None:
    for line in (line for line in block.strip().splitlines() if not line.startswith("#")):
        done = subprocess.run(  # noqa: S602 - the README's own line
            line, shell=True, cwd=house, capture_output=True, text=True, encoding="utf-8", timeout=600
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout or "--output" in line or line.startswith("mkdir")


@pytest.fixture
def server(house: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(BIN / "triage"), "serve", "--port", str(port)], cwd=house, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
                break
            except OSError:
                continue
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_server_block_runs(server: int) -> None:
    for line in _blocks("server")[0].strip().splitlines():
        command = line.replace("8000", str(server)).replace("curl -s", "curl -s --fail-with-body")
        done = subprocess.run(command, shell=True, capture_output=True, text=True, encoding="utf-8", timeout=60)  # noqa: S602
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("block", _blocks("python"))
def test_the_python_block_runs(house: Path, block: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=house, capture_output=True, text=True, encoding="utf-8", env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "停送电" in done.stdout


@pytest.mark.slow
def test_the_analysts_page_runs_and_prints_what_it_shows(house: Path) -> None:
    """Its blocks run one after the other; the beginning of each answer stands on the page, whatever the numbers."""
    page = "docs/analyst.md"
    shown = re.findall(r"<!-- prints -->\n```text\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    code = "\nprint('-----')\n".join(_blocks("python", page))
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=house, capture_output=True, text=True, encoding="utf-8", env=environment
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split("-----\n")[1:]
    assert len(printed) == len(shown) > 5
    for now, then in zip(printed, shown, strict=True):
        assert _first_words(now) == _first_words(then)


def _first_words(answer: str) -> list[str]:
    return re.sub(r"\d+", "0", answer.splitlines()[0]).split()
