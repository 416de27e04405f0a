"""Pack everything an air-gapped Linux host needs into one archive: `make kit`.

`python deploy/kit.py [--champion DIR] [--encoder DIR] [--extras serve,console] [--output FILE]`. The archive holds wheels of the
program and of every library at the locked version (the Chinese font is in one of them), the champion, the documentation, an installer
and SHA-256 sums. It fits the kind of machine and the Python that made it; the name says which.
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from model.errors import BundleError
from model.manifest import verify_bundle

ROOT = Path(__file__).resolve().parent.parent
_DOCS = ("README.md", "README.zh-CN.md", "CHANGELOG.md", "NOTICE", "constraints.txt")
_OPERATING = ("triage.service", "triage-deliver.service", "triage-consume.service", "triage.env.example", "alerts.yml")


def main() -> None:
    """Make the archive and say where it lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--champion", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--encoder", type=Path, help="folder of trainable weights, for fine-tuning on the other side")
    parser.add_argument("--extras", default="serve,console")
    parser.add_argument(
        "--output", type=Path, help="default: artifacts/kit/ with a name that tells version and machine"
    )
    arguments = parser.parse_args()
    try:
        verify_bundle(arguments.champion)  # a link in it would bring a file from elsewhere into the archive
    except BundleError as error:
        raise SystemExit(
            f"{error}\nrun `make train` (or `make demo`) first, or name another bundle with --champion"
        ) from None
    name = f"complaint-triage-{version('complaint-triage')}-{platform.machine()}-py{sys.version_info.major}{sys.version_info.minor}"
    output = arguments.output or Path("artifacts/kit") / f"{name}.tar.gz"
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        kit = Path(folder) / name
        fill(kit, arguments.champion, arguments.encoder, arguments.extras)
        work = Path(folder) / output.name
        with tarfile.open(work, "w:gz") as archive:
            archive.add(kit, arcname=name)
        work.replace(output)
    print(f"{output}  {output.stat().st_size / 1e6:.0f} MB  sha256 {_digest(output)}")


def fill(kit: Path, champion: Path, encoder: Path | None, extras: str) -> None:
    """Everything that goes into the archive, the sums last.

    Args:
        kit: a new folder.
        champion: the bundle to carry.
        encoder: trainable weights, or None.
        extras: of the program, with commas.
    """
    (kit / "wheels").mkdir(parents=True)
    wanted = f"{ROOT}[{extras}]" if extras else str(ROOT)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--use-pep517"]
    # pip's own bytes of time and user stand in no wheel: the same commit gives the same program
    settings = {**os.environ, "SOURCE_DATE_EPOCH": "1704067200"}
    subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), "--wheel-dir", str(kit / "wheels"), wanted],
                   check=True, env=settings)  # fmt: skip
    shutil.copytree(champion, kit / "champion")
    if encoder:
        shutil.copytree(encoder, kit / "encoder")
    shutil.copytree(ROOT / "docs", kit / "docs")
    (kit / "deploy").mkdir()
    for name in _OPERATING:
        shutil.copy(ROOT / "deploy" / name, kit / "deploy")
    for name in _DOCS:
        shutil.copy(ROOT / name, kit)
    (kit / "extras").write_text(extras + "\n", encoding="ascii")
    shutil.copy(ROOT / "deploy" / "install.sh", kit)
    files = sorted(path for path in kit.rglob("*") if path.is_file())
    lines = [f"{_digest(path)}  {path.relative_to(kit).as_posix()}\n" for path in files]
    (kit / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
