"""The `triage` command for tests, run in their own process."""

import sys
from collections.abc import Callable

import pytest

from triage.cli.main import run

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def triage(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run `triage …` in this process; gives exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["triage", *map(str, arguments)])
        code: object = 0
        try:
            run()
        except SystemExit as left:
            code = left.code
        out, err = capfd.readouterr()
        return (code if isinstance(code, int) else 0 if code is None else 1), out, err

    return call
