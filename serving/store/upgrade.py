"""Create the store, or bring it to the shape that this program expects."""

import os
from contextlib import suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.orm import Session

from model.errors import StoreUnavailable
from serving.store.database import Database

_LOCK = 95598  # of PostgreSQL's advisory locks: one process upgrades, the others wait and find it done


def upgrade(database: Database) -> None:
    """Run every migration that is missing, in one transaction. Safe to call from several processes at once.

    Args:
        database: the store; a missing SQLite file is created with its folder, readable by its owner only.

    Raises:
        StoreUnavailable: the database cannot be reached or written, or a newer program made it; nothing was changed.
    """
    _make_file(database.file)
    configuration = Config()
    configuration.set_main_option("script_location", "serving.store:migrations")
    with database.read() as session:
        if _is_ready(session, configuration):
            return
    with database.unhurried(), database.write() as session:
        if not database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        configuration.attributes["connection"] = session.connection()
        command.upgrade(configuration, "head")


def _is_ready(session: Session, configuration: Config) -> bool:
    """Whether nothing is to be done; asked first, since it takes no lock and little time."""
    steps = ScriptDirectory.from_config(configuration)
    found = MigrationContext.configure(session.connection()).get_current_revision()
    try:
        steps.get_revision(found or "base")
    except CommandError as error:
        raise StoreUnavailable(
            f"存储的表结构版本 {found} 比本程序(到 {steps.get_current_head()})新;请改用建立它的新版程序,或恢复升级前的备份"
        ) from error
    return found == steps.get_current_head()


def _make_file(file: Path | None) -> None:
    if file:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))  # SQLite gives its other files the same mode
        except OSError as error:
            raise StoreUnavailable(f"不能建立存储文件 {file};请检查 TRIAGE_DATABASE_URL 与权限") from error
