"""The champion's place: who takes it, who had it before, and the log of both.

The new bundle is copied whole, verified, and exchanged with the champion in one step, so that a reader always finds
one of the two; running servers see the change and follow.
"""

import ctypes
import fcntl
import getpass
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from model.errors import BundleMissing, BundleRefused, Conflict
from model.manifest import plain_name, verify_bundle
from training.places import BUNDLE, Places, about
from training.verdict import FILE, LOST, Verdict, read_verdict

_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of renameat2(2)


@dataclass(frozen=True)
class Change:
    """What happened: `promote` or `rollback`, the bundle in use now and the one before it (None: there was none)."""

    action: str
    bundle: str
    former: str | None


@dataclass(frozen=True)
class Wish:
    """How to promote: signing key, whether against the verdict, and why."""

    key: str | None = None
    force: bool = False
    note: str = ""


def promote(places: Places, name: str, wish: Wish, *, now: datetime) -> Change:
    """Make a challenger the champion, if its verdict allows.

    Args:
        places: where everything lies.
        name: the challenger's id, or its beginning.
        wish: key, force, reason.
        now: for the log.

    Returns:
        What happened.

    Raises:
        BundleMissing: no such challenger.
        BundleRefused: its bundle is damaged; no force helps.
        Conflict: its verdict is against it or about another champion, and it is not forced.
    """
    with _alone(places):
        folder = places.challenger(name)
        manifest = verify_bundle(folder / BUNDLE, wish.key)
        if manifest["id"] != folder.name:
            raise BundleRefused(f"{folder} 中是另一个模型包 {manifest['id']};请重新运行 triage retrain")
        former = _id_of(places.champion)
        objection = objection_to(read_verdict(folder), str(manifest["id"]), former)
        if objection and not wish.force:
            raise Conflict(f"{objection};确要换上请加 --force(会记录在案)")
        _put(folder / BUNDLE, places, wish.key)
        change = Change("promote", str(manifest["id"]), former)
        detail = {"forced": bool(objection), "against": objection, "note": wish.note, "verdict": _file_of(folder)}
        _log(places, change, detail, now)
        return change


def rollback(places: Places, *, key: str | None, note: str = "", now: datetime) -> Change:
    """Bring the former champion back; the one in use now stays among the challengers.

    Args:
        places: where everything lies.
        key: signs bundles, where set.
        note: why.
        now: for the log.

    Returns:
        What happened.

    Raises:
        BundleMissing: there is no former champion.
    """
    with _alone(places):
        former = places.all_former()
        if not former:
            raise BundleMissing("没有可恢复的上一个模型包;只有 triage promote 换上过的才能回退")
        now_used = _id_of(places.champion)
        manifest = verify_bundle(former[0], key)
        _put(former[0], places, key, keep=False)
        shutil.rmtree(former[0])
        change = Change("rollback", str(manifest["id"]), now_used)
        _log(places, change, {"note": note}, now)
        return change


def objection_to(verdict: Verdict | None, challenger: str, champion: str | None) -> str | None:
    """Why a challenger should not be promoted.

    Args:
        verdict: the gate's, or None.
        challenger: its id.
        champion: id of the bundle in use now, None where there is none.

    Returns:
        The reason; None where nothing speaks against it.
    """
    if verdict is None or verdict.sides.challenger != challenger:
        return "这个挑战者没有比较过;请先运行 triage retrain"
    if verdict.sides.champion != (champion or "rules"):
        return f"结论是对 {verdict.sides.champion} 作出的,而现在在用 {champion or '规则'};请重新运行 triage retrain"
    return None if verdict.accepted else f"结论为不通过({len(verdict.of(LOST))} 项下降超过容许)"


def _put(bundle: Path, places: Places, key: str | None, *, keep: bool = True) -> None:
    """Copy a bundle into the champion's place; what was there goes to the former champions, or away."""
    places.root.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{places.champion.name}-", dir=places.root))
    try:
        copy = work / BUNDLE
        shutil.copytree(bundle, copy)
        verify_bundle(copy, key)
        if not places.champion.exists():
            os.replace(copy, places.champion)  # noqa: PTH105 - rename of a folder
            return
        exchange(copy, places.champion)
        if keep:
            places.former.mkdir(exist_ok=True)
            os.replace(copy, places.former / f"{_next_number(places):04d}-{_id_of(copy)}")  # noqa: PTH105
        else:
            _keep_as_challenger(copy, places)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _keep_as_challenger(bundle: Path, places: Places) -> None:
    place = places.challengers / str(_id_of(bundle)) / BUNDLE
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(bundle, place)  # noqa: PTH105


def exchange(first: Path, second: Path) -> None:
    """Let two folders of one disk change places in one step; in two where the system cannot do that.

    Args:
        first: a folder.
        second: another.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        names = (os.fsencode(first.absolute()), os.fsencode(second.absolute()))
        if library.renameat2(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0:
            return
    aside = first.with_name(f"{first.name}-aside")
    os.replace(second, aside)  # noqa: PTH105
    try:
        os.replace(first, second)  # noqa: PTH105
    except OSError:
        os.replace(aside, second)  # noqa: PTH105 - the former bundle comes back
        raise
    os.replace(aside, first)  # noqa: PTH105


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """One change at a time."""
    places.root.mkdir(parents=True, exist_ok=True)
    with (places.root / ".promotions.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict("另一个换包操作正在进行;请稍后再试") from error
        yield


def _next_number(places: Places) -> int:
    return max((int(path.name.partition("-")[0]) for path in places.all_former()), default=0) + 1


def _id_of(bundle: Path) -> str | None:
    """A bundle's id. A folder whose manifest is unreadable, or names another place, is named after its state."""
    if not bundle.exists():
        return None
    return plain_name(about(bundle).get("id")) or "unreadable"


def _file_of(folder: Path) -> str | None:
    path = folder / FILE
    return str(path) if path.is_file() else None


def _log(places: Places, change: Change, detail: dict[str, Any], now: datetime) -> None:
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        who = str(os.getuid())
    line = {"at": now.isoformat(timespec="seconds"), "by": who, **vars(change), **detail}
    with places.log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
