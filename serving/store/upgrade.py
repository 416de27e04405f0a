"""Create the store, or bring it to the shape that this program expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from model.errors import StoreUnavailable
from serving.store.database import Database

_LOCK = 95598  # of PostgreSQL's advisory locks: one process upgrades, the others wait and find it done


def upgrade(database: Database) -> None:
    """Run every migration that is missing, in one transaction. Safe to call from several processes at once.

    Args:
        database: the store; a missing SQLite file is created with its folder.

    Raises:
        StoreUnavailable: the database cannot be reached or written; nothing was changed.
    """
    _make_folder(database.file)
    with database.write() as session:
        if not database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        configuration = Config()
        configuration.set_main_option("script_location", "serving.store:migrations")
        configuration.attributes["connection"] = session.connection()
        command.upgrade(configuration, "head")


def _make_folder(file: Path | None) -> None:
    if file:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"不能建立存储目录 {file.parent};请检查 TRIAGE_DATABASE_URL 与权限") from error
