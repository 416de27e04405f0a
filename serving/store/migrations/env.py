"""What Alembic runs; the connection comes from `serving.store.upgrade`."""

from alembic import context

from serving.store.columns import Base


def run() -> None:
    """Bring the database of the given connection to the wanted step, in the transaction that is open."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic runs this file; importing it does nothing
    run()
