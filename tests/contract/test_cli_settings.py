"""Ports and settings that cannot be: what is wrong, what came, how to mend it, before anything starts."""

import socket
from collections.abc import Callable

import pytest

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(("command", "setting"), [("serve", "TRIAGE_PORT"), ("console", "TRIAGE_CONSOLE_PORT")])
def test_a_server_whose_port_is_taken_says_so_before_it_starts(triage: Command, command: str, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = triage(command, "--port", taken.getsockname()[1])
    assert code == 2
    assert "占用" in err
    assert setting in err.replace("│", "").replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("TRIAGE_PORT", "80a", ("TRIAGE_PORT", "80a", "整数", "服务端口")),
        ("TRIAGE_QUEUE", "3", ("TRIAGE_QUEUE", "3", "不小于 256")),
        ("TRIAGE_CONSOLE_HTTPS", "perhaps", ("TRIAGE_CONSOLE_HTTPS", "perhaps", "true")),
    ],
)
def test_a_wrong_setting_is_named_with_what_came(
    triage: Command, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said: tuple[str, ...]
) -> None:
    monkeypatch.setenv(setting, value)
    code, out, err = triage("predict", "--text", "停电")
    assert (code, out) == (2, "")
    assert [word for word in said if word not in err] == []


def test_a_wrong_secret_is_named_but_not_shown(triage: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_SECRET", "tooshort")
    code, _, err = triage("predict", "--text", "停电")
    assert code == 2
    assert "TRIAGE_SECRET" in err
    assert "tooshort" not in err
