"""The offline kit and the built wheel: installed from the archive alone with no network, they predict and serve."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_ASK = """
import json, subprocess, sys, time, urllib.request
server = subprocess.Popen([sys.argv[1], "serve", "--port", "8765"])
try:
    for _ in range(600):
        try:
            answer = json.load(urllib.request.urlopen("http://127.0.0.1:8765/readyz"))
            break
        except OSError:
            time.sleep(0.1)
    print("READY", answer["level"])
finally:
    server.terminate(); server.wait(30)
"""


def _module(name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, ROOT / "deploy" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_licence_that_ships_is_known_and_allows_it() -> None:
    pytest.importorskip("nicegui", reason="extra `console` is not installed")
    licences = _module("licences")
    names = [one.metadata["Name"].lower() for one in licences.shipped()]  # type: ignore[attr-defined]
    assert {"jieba", "scikit-learn", "onnxruntime", "mplfonts", "nicegui"} <= set(names)
    assert "torch" not in names
    assert all(licences.licence(one) for one in licences.shipped())  # type: ignore[attr-defined]


def test_a_damaged_kit_is_not_installed(tmp_path: Path) -> None:
    kit = tmp_path / "kit"
    (kit / "wheels").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "install.sh", kit)
    (kit / "wheels" / "x.whl").write_text("whole")
    sums = subprocess.run(["sha256sum", "wheels/x.whl"], cwd=kit, capture_output=True, text=True, check=True)
    (kit / "SHA256SUMS").write_text(sums.stdout)
    (kit / "wheels" / "x.whl").write_text("damaged")
    told = subprocess.run(
        ["sh", "install.sh", str(tmp_path / "home")], cwd=kit, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "校验和不符" in told.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_the_kit_installs_predicts_and_serves_with_the_network_off(bundle_folder: Path, tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be made here")
    _module("kit").fill(tmp_path / "kit", bundle_folder, None, "")  # type: ignore[attr-defined]
    home = tmp_path / "home"
    cut_off = f"{sys.executable} -c \"import socket; socket.create_connection(('127.0.0.1', 9))\""
    assert subprocess.run([*alone, "sh", "-c", cut_off], capture_output=True, check=False).returncode == 1
    install = ["sh", str(tmp_path / "kit" / "install.sh"), str(home)]
    told = subprocess.run([*alone, *install], env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "HOME": str(tmp_path)},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    triage = home / "venv" / "bin" / "triage"
    predicted = subprocess.run(
        [*alone, str(triage), "predict", "--text", "停电三小时了没人管"],
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"other.outage"' in predicted.stdout
    assert '"source": "linear"' in predicted.stdout
    asked = subprocess.run([*alone, "sh", "-c", f'ip link set lo up && {sys.executable} -c "$0" {triage}', _ASK], cwd=home,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert "READY linear" in asked.stdout, asked.stdout + asked.stderr
