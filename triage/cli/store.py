"""`triage db upgrade`, `purge` and `delete`."""

from typing import Annotated

import typer

db_app = typer.Typer(help="存储", no_args_is_help=True)
ACTOR = "command line"  # in the audit log


@db_app.callback()
def _db() -> None:
    """Store."""


@db_app.command("upgrade", help="建立存储,或升级到本程序的表结构;可重复运行")
def upgrade() -> None:
    """Create the store or bring it up to date."""
    from triage.compose import build_store
    from triage.settings import Settings

    database = build_store(Settings())
    typer.echo(f"存储已就绪:{database.engine.url.render_as_string(hide_password=True)}")
    database.close()


@db_app.command("purge", help="删除保存期已满的工单内容,并清理早已送达的消息")
def purge() -> None:
    """Delete what is kept no longer than the retention allows."""
    from datetime import UTC, datetime

    from serving.store.retention import purge_expired
    from triage.compose import build_store
    from triage.settings import Settings

    database = build_store(Settings())
    with database.unhurried():
        done = purge_expired(database, actor=ACTOR, now=datetime.now(UTC))
    database.close()
    typer.echo(f"已删除到期工单 {done.tickets} 张,已清理送达消息 {done.messages} 条")
    _tell_bundles(done.bundles)


@db_app.command("delete", help="按申请删除一张工单的内容、备注与来电标识")
def delete(ticket_id: Annotated[str, typer.Argument(metavar="ID", help="工单编号")]) -> None:
    """Delete one ticket."""
    from datetime import UTC, datetime

    from serving.store.retention import delete_ticket
    from triage.compose import build_store
    from triage.settings import Settings

    database = build_store(Settings())
    bundles = delete_ticket(database, ticket_id, actor=ACTOR, now=datetime.now(UTC))
    database.close()
    typer.echo("已删除该工单的正文、备注、依据与来电标识;编号、类别与审计记录保留")
    _tell_bundles(bundles)


def _tell_bundles(bundles: tuple[str, ...]) -> None:
    if bundles:
        typer.echo(f"用过这些工单训练的模型包,下次训练后请停用:{'、'.join(bundles)}")
