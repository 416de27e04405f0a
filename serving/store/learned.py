"""Which exported tickets a bundle learned from, and which of them must no longer be learned from."""

from collections.abc import Mapping

from sqlalchemy import select

from serving.store.database import Database
from serving.store.tables import DataVersion, DataVersionTicket

_AT_ONCE = 500


def note_learned(database: Database, tickets: Mapping[str, str], bundle: str) -> int:
    """Note a bundle with every exported batch that holds one of its tickets, so that a deletion can name it.

    Args:
        database: the store.
        tickets: text hashes by ticket id, of everything that the bundle learned from; others than the store's may be among them.
        bundle: its id.

    Returns:
        How many batches were noted.
    """
    names = sorted(tickets)
    noted = 0
    with database.write() as session:
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            held = session.execute(
                select(
                    DataVersionTicket.data_version_id, DataVersionTicket.ticket_id, DataVersionTicket.text_hash
                ).where(DataVersionTicket.ticket_id.in_(some))
            )
            versions = {version for version, name, text in held if tickets[name] == text}
            for version in session.scalars(select(DataVersion).where(DataVersion.id.in_(versions)).with_for_update()):
                if bundle not in version.bundles["bundles"]:
                    version.bundles = {"bundles": sorted({*version.bundles["bundles"], bundle})}
                    noted += 1
    return noted


def deleted_tickets(database: Database) -> frozenset[tuple[str, str]]:
    """Tickets that were exported once and deleted since.

    Args:
        database: the store.

    Returns:
        Pairs of ticket id and text hash.
    """
    query = select(DataVersionTicket.ticket_id, DataVersionTicket.text_hash).where(
        DataVersionTicket.deleted_at.is_not(None)
    )
    with database.read() as session:
        return frozenset((name, text) for name, text in session.execute(query))
