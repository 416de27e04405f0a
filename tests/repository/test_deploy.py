"""Deployment files and the operator's manual agree with the program. Compose and the units are read here, not run."""

import configparser
import json
import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client import CollectorRegistry

from model.cascade import RUNGS
from model.pipeline import Pipeline
from model.policy import Policy
from serving.api.roles import CALLS, OPEN
from serving.delivery.claims import Pace
from serving.delivery.metrics import DeliveryMetrics
from serving.events.entry import EventEntry, faults
from serving.store.database import Database
from serving.store.outbox import OVERDUE
from serving.store.upgrade import upgrade
from tests.office import served
from triage.cli.main import app
from triage.settings import Settings

ROOT = Path(__file__).parent.parent.parent
MANUALS = ("docs/operate.md", "docs/operate.zh-CN.md")
UNITS = ("triage", "triage-deliver", "triage-consume")
OURS = ("api", "deliver", "consume")
SETTINGS = {f"TRIAGE_{name.upper()}" for name in Settings.model_fields}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_text("compose.yaml"))
    return content


def _unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(_text(f"deploy/{name}.service"))
    return unit


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(_text("deploy/alerts.yml"))["groups"] for rule in group["rules"]]


def _blocks(text: str, kind: str) -> list[str]:
    """Code blocks, also those of a list, without comments."""
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"(?m)^" + indent + r"|[ ]+# .*$", "", block) for indent, block in found]


def _quoted(text: str) -> list[str]:
    """Arguments of every `triage` command in a manual's shell blocks and code spans."""
    lines = [line for kind in ("bash", "text") for block in _blocks(text, kind) for line in block.splitlines()]
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    found = re.findall(r"^(?:.*(?:bin/|run --rm -T api ))?triage ([a-z].*)$", "\n".join(lines), re.MULTILINE)
    found += re.findall(r"`(?:[^`\n]*run --rm -T api )?triage ([a-z][^`…]*)`", prose)
    return [re.split(r" >|\||;|&&", one)[0] for one in found]


def _named(text: str) -> list[str]:
    """Arguments of every `triage` command named in running text."""
    return re.findall(r"(?<![\w/-])triage ([a-z]+(?: --[a-z-]+| [a-z]+)*)", text)


def _accept(arguments: list[str]) -> str | None:
    """The command that the arguments lead to, without running it; it raises where it does not know them."""
    command: Any = typer.main.get_command(app)
    context = None
    while True:
        context = command.make_context(command.name or "triage", list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return context.info_name
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        _, command, arguments = command.resolve_command(context, rest)


def _seconds(value: str) -> float:
    return float(value.removesuffix("s"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def metrics(store: Database, rules_pipeline: Pipeline) -> dict[str, set[str]]:
    """Every name that Prometheus may see, with its labels."""
    with served(store, rules_pipeline) as running:
        registries = [
            layer.kwargs["metrics"].registry for layer in running.app.user_middleware if "metrics" in layer.kwargs
        ]
        registries.append(DeliveryMetrics().registry)
        return {name: labels for registry in registries for name, labels in _names(registry).items()}


def _names(registry: CollectorRegistry) -> dict[str, set[str]]:
    known: dict[str, Any] = registry._collector_to_names  # type: ignore[assignment]
    return {name: set(collector._labelnames) for collector, names in known.items() for name in names}  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", ["serve --nope", "keys make", "db delete", "keys create --role boss", "consume x"])
def test_a_command_that_is_not_there_would_be_noticed(wrong: str) -> None:
    with pytest.raises(Exception, match=r"No such|Missing|boss|unexpected"):
        _accept(wrong.split())


@pytest.mark.parametrize("service", OURS)
def test_compose_starts_real_commands_with_real_settings(service: str) -> None:
    entry = _compose()["services"][service]
    assert entry["command"][0] == "triage"
    _accept(entry["command"][1:])
    assert set(entry.get("environment", {})) <= SETTINGS
    assert entry["env_file"] == ["deploy/triage.env"]


@pytest.mark.parametrize("service", OURS)
def test_compose_gives_our_containers_no_more_rights_than_they_need(service: str) -> None:
    entry = _compose()["services"][service]
    assert entry["user"] == "10001:10001"
    assert entry["read_only"] is True
    assert entry["cap_drop"] == ["ALL"]
    assert entry["security_opt"] == ["no-new-privileges:true"]
    assert all(volume["read_only"] for volume in entry["volumes"])


def test_volumes_health_checks_and_ports_of_compose_fit_together() -> None:
    compose = _compose()
    services = compose["services"]
    assert set(services) == {*OURS, "postgres", "rabbitmq"}
    used = {
        volume.split(":")[0] for entry in services.values() for volume in entry["volumes"] if isinstance(volume, str)
    }
    assert used == set(compose["volumes"])
    for entry in services.values():
        for needed, how in entry.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert services[needed]["healthcheck"]["test"]
        assert all(port.startswith("127.0.0.1:") for port in entry.get("ports", ()))
    for service, port in (
        ("api", services["api"]["environment"]["TRIAGE_PORT"]),
        ("deliver", services["deliver"]["command"][-1]),
    ):
        assert services[service]["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert f"127.0.0.1:{port}/" in services[service]["healthcheck"]["test"][-1]


def _longest_drain() -> dict[str, float]:
    consume = pytest.importorskip("serving.consume", reason="the extra `serve` is not installed")
    broker = consume.Consumer(None, "amqp://guest:guest@127.0.0.1/").broker()
    sending = Pace(park_after=1).timeout.total_seconds()
    return {"serve": Settings().grace_seconds, "deliver": sending, "consume": broker.config.graceful_timeout}


def test_whoever_stops_a_process_waits_longer_than_it_drains() -> None:
    drain = _longest_drain()
    for entry in (_compose()["services"][service] for service in OURS):
        assert _seconds(entry["stop_grace_period"]) >= drain[entry["command"][1]] + 10
    for unit in map(_unit, UNITS):
        command = unit["Service"]["ExecStart"].split()[1]
        assert _seconds(unit["Service"]["TimeoutStopSec"]) >= drain[command] + 10


@pytest.mark.parametrize("name", UNITS)
def test_units_start_real_commands_and_are_hardened(name: str) -> None:
    service = _unit(name)["Service"]
    path, *arguments = shlex.split(service["ExecStart"])
    assert path == "/opt/triage/bin/triage"
    _accept(arguments)
    wanted = {
        "Restart": "on-failure", "KillSignal": "SIGTERM", "User": "triage", "NoNewPrivileges": "yes",
        "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "CapabilityBoundingSet": "",
        "EnvironmentFile": "/etc/triage/triage.env", "WorkingDirectory": "/var/lib/triage", "StateDirectory": "triage",
    }  # fmt: skip
    assert {key: service[key] for key in wanted} == wanted


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_knows_every_key_of_the_units(name: str, tmp_path: Path) -> None:
    text = re.sub(r"(?m)^ExecStart=.*$", "ExecStart=/bin/true", _text(f"deploy/{name}.service"))
    unit = tmp_path / f"{name}.service"
    unit.write_text(re.sub(r"(?m)^(User|Group)=.*$", "", text), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert name not in done.stderr  # warnings begin with the unit's path


def test_the_example_of_settings_lists_each_one_with_its_default_and_a_chinese_comment() -> None:
    lines = _text("deploy/triage.env.example").splitlines()
    found = {
        line.partition("=")[0].lstrip("#"): number for number, line in enumerate(lines) if re.match("#?TRIAGE_", line)
    }
    assert set(found) == SETTINGS
    assert len(found) == sum(bool(re.match("#?TRIAGE_", line)) for line in lines)
    defaults = Settings()
    for name, number in found.items():
        default = getattr(defaults, name.removeprefix("TRIAGE_").lower())
        assert lines[number] == f"#{name}={'' if default is None else default}"
        assert CHINESE.search(lines[number - 1])


def test_the_image_is_made_of_what_the_wheel_needs_and_runs_as_nobody_special() -> None:
    docker = _text("Dockerfile")
    packages = re.search(r"^packages = (\[.*\])$", _text("pyproject.toml"), re.MULTILINE)
    assert packages
    let_through = set(re.findall(r"^!(\S+)$", _text(".dockerignore"), re.MULTILINE))
    copied = {word for line in re.findall(r"^COPY (.*) \S+$", docker, re.MULTILINE) for word in line.split()}
    assert copied == let_through
    assert set(json.loads(packages[1])) <= copied
    assert all((ROOT / name).exists() for name in copied)
    assert re.search(r"^USER 10001$", docker, re.MULTILINE)
    assert "complaint-triage[serve]" in docker


@pytest.mark.parametrize("manual", MANUALS)
def test_every_command_of_the_manual_exists_with_its_options(manual: str) -> None:
    commands = _quoted(_text(manual))
    assert len(commands) > 30
    for command in commands:
        assert _accept(shlex.split(command)) in shlex.split(command)


@pytest.mark.parametrize("name", ["deploy/alerts.yml", "deploy/triage.env.example"])  # compose.yaml names none in words
def test_commands_named_in_comments_and_alarms_exist(name: str) -> None:
    commands = _named(_text(name))
    assert commands
    for command in commands:
        assert _accept(command.split()) in command.split()


@pytest.mark.parametrize("manual", [*MANUALS, "compose.yaml", "deploy/alerts.yml"])
def test_every_setting_that_is_named_exists(manual: str) -> None:
    assert set(re.findall(r"TRIAGE_[A-Z_]+", _text(manual))) <= SETTINGS


@pytest.mark.parametrize("manual", MANUALS)
def test_the_manual_explains_every_metric_and_every_alarm(manual: str, metrics: dict[str, set[str]]) -> None:
    text = _text(manual)
    rows = set(re.findall(r"^\| `(triage_\w+)` \|", text, re.MULTILINE))
    assert rows <= set(metrics)
    plain = {re.sub("_(total|bucket|count|sum|created)$", "", name) for name in metrics}
    assert {row.removesuffix("_total") for row in rows} == plain
    assert set(re.findall(r"`(Triage[A-Z]\w+)`", text)) == {rule["alert"] for rule in _rules()}


def test_alarms_ask_for_metrics_labels_and_values_that_exist(metrics: dict[str, set[str]]) -> None:
    values = {"level": RUNGS, "rung": RUNGS, "kind": (OVERDUE,), "status": ("500", "503")}
    for rule in _rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert CHINESE.search(rule["annotations"]["summary"])
        assert CHINESE.search(rule["annotations"]["action"])
        asked = re.findall(r"(triage_\w+)(?:\{([^}]*)\})?", rule["expr"])
        assert asked or rule["expr"].startswith("up{")
        for name, filters in asked:
            assert name in metrics
            for label, value in re.findall(r'(\w+)=~?"([^"]*)"', filters):
                assert label in metrics[name]
                assert value in values.get(label, (value,))


@pytest.mark.parametrize("manual", MANUALS)
def test_the_queries_of_the_manual_run_on_the_store(manual: str, store: Database) -> None:
    queries = _blocks(_text(manual), "sql")
    assert len(queries) == 4
    assert store.file
    connection = sqlite3.connect(store.file)
    for query in queries:
        assert connection.execute(query).fetchall() == []
    connection.close()


@pytest.mark.parametrize("manual", MANUALS)
def test_every_call_of_the_manual_exists(manual: str) -> None:
    paths = {
        path.replace("{id}", "{ticket_id}")
        for path in re.findall(r"(?<=[\s`0])(/(?:v1|livez|readyz|metrics|docs)[\w/{}]*)", _text(manual))
    }
    assert len(paths) >= 8
    assert paths <= {path for _, path in CALLS} | OPEN


@pytest.mark.parametrize("manual", MANUALS)
def test_the_storm_of_the_manual_can_be_entered(manual: str, policy: Policy) -> None:
    bodies = re.findall(r"/v1/events .* -d '(\{.*\})'", _text(manual))
    assert len(bodies) == 1
    assert faults(EventEntry.model_validate(json.loads(bodies[0])), policy.events) == []


def test_both_manuals_have_the_same_sections_and_blocks() -> None:
    english, chinese = map(_text, MANUALS)
    for kind in ("bash", "sql", "yaml", "json", "text"):
        assert _blocks(english, kind) == _blocks(chinese, kind)
    numbers = [re.findall(r"^#+ ([\d.]+) ", text, re.MULTILINE) for text in (english, chinese)]
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) == 16
    for text in (english, chinese):
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / "docs" / target).exists()
