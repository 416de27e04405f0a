"""The time of a refusal tells nothing of a key, since nothing ever compares keys: only their hashes are looked up.

Times themselves are measured by `benchmarks/key_timing.py`; a test that asserts on a clock fails on a busy machine.
"""

import ast
import hashlib
import hmac
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from model.pipeline import Pipeline
from serving.api import keys
from serving.api.access import Access
from serving.api.roles import Caller, Role
from serving.store.database import Database
from serving.store.upgrade import upgrade
from tests.office import now, served

ROOT = Path(__file__).parent.parent.parent
SECRETS = ("token", "secret", "signature", "password", "body_hash")
QUERIES = {"AccessKey.digest == digest"}  # asked of the store, by the hash


@pytest.fixture
def store(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    upgrade(database)
    return database


class _Book:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def find(self, digest: bytes) -> Caller | None:
        self.asked.append(digest)
        return None

    def any_made(self) -> bool:
        return True


def test_the_store_and_the_memory_are_asked_for_a_hash_never_for_a_key(
    store: Database, rules_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    really = Access.fresh
    monkeypatch.setattr(Access, "fresh", lambda self, digest: (asked.append(digest), really(self, digest))[1])
    found = keys.find
    monkeypatch.setattr(keys, "find", lambda database, digest: (asked.append(digest), found(database, digest))[1])
    with served(store, rules_pipeline) as desk:
        good = desk.tokens[Role.ADMIN]
        for number, token in enumerate((good, "x" + good[1:], good[:-1] + "!", good + "x", good[:20], "tri_")):
            with TestClient(desk.app, client=(f"192.0.2.{number}", 1)) as client:
                answer = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == (200 if token == good else 401)
            assert asked
            assert set(asked) == {hashlib.sha256(token.encode()).digest()}
            asked.clear()


def test_keys_that_differ_in_one_character_share_nothing_that_is_compared(store: Database) -> None:
    good = keys.create(store, Caller("a", Role.INTAKE), by="test", now=now())
    own = keys.digest_of(good)
    shared = [_shared_start(own, keys.digest_of(good[:place] + "!" + good[place + 1 :])) for place in range(len(good))]
    assert max(shared) <= 2  # of 32 bytes; three would be chance in 300,000
    assert shared.count(0) > len(good) // 2


def _shared_start(one: bytes, other: bytes) -> int:
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))


def test_what_the_store_finds_is_compared_in_constant_time(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    token = keys.create(store, Caller("a", Role.INTAKE), by="test", now=now())
    compared: list[tuple[bytes, bytes]] = []
    really = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: (compared.append((a, b)), really(a, b))[1])
    assert keys.find(store, keys.digest_of(token))
    assert compared == [(keys.digest_of(token), keys.digest_of(token))]


def test_only_good_keys_are_remembered() -> None:
    access = Access(_Book())
    for number in range(1000):
        assert access.look_up(keys.digest_of(f"tri_{number}")) is None
    assert not access._seen  # no wrong key makes the next look-up of another one slower


@pytest.mark.parametrize("path", sorted([*(ROOT / "serving").rglob("*.py"), ROOT / "model" / "manifest.py"]), ids=str)
def test_no_secret_is_compared_by_equality(path: Path) -> None:
    names = (
        (*SECRETS, "digest") if path.parent.name == "api" else SECRETS
    )  # elsewhere digests are names of files and data
    compared = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)
        if any(_name(side) in names for side in (node.left, *node.comparators))
    ]
    assert [one for one in compared if one not in QUERIES] == []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
