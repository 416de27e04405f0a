"""The database itself refuses to change or remove an entry of the audit log."""

from alembic import op

revision = "r0002"
down_revision = "r0001"
_EVENTS = ("UPDATE", "DELETE")
_SQLITE = (
    "CREATE TRIGGER audit_no_{name} BEFORE {event} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
)
_FUNCTION = (
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
)
_POSTGRESQL = (
    "CREATE TRIGGER audit_no_{name} BEFORE {event} ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
)


def upgrade() -> None:
    """Add the triggers."""
    if op.get_bind().dialect.name == "sqlite":
        statements = [_SQLITE.format(name=event.lower(), event=event) for event in _EVENTS]
    else:
        events = (*_EVENTS, "TRUNCATE")
        statements = [_FUNCTION, *(_POSTGRESQL.format(name=event.lower(), event=event) for event in events)]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """Remove the triggers."""
    if op.get_bind().dialect.name == "sqlite":
        for event in _EVENTS:
            op.execute(f"DROP TRIGGER audit_no_{event.lower()}")
    else:
        op.execute("DROP FUNCTION audit_append_only() CASCADE")
