"""`triage keys create`, `list` and `revoke`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from serving.api.roles import ROLE_NAMES, Role

keys_app = typer.Typer(help="访问密钥", no_args_is_help=True)


@keys_app.callback()
def _keys() -> None:
    """Keys."""


@keys_app.command("create", help="新建密钥;只显示这一次,存储里只有它的摘要")
def create(
    role: Annotated[Role, typer.Option(help="intake 受理系统、analyst 数据分析员、reviewer 服务专责、admin 管理员")],
    name: Annotated[str | None, typer.Option(help="持有人或系统的名字,审计记录用它;不给则自动取名")] = None,
    unit: Annotated[str | None, typer.Option(help="持有人所在单位;确认线索的人必须有")] = None,
) -> None:
    """Make a key and show it once."""
    import secrets
    from datetime import UTC, datetime

    from serving.api import keys
    from serving.api.roles import LOCAL, Caller
    from triage.compose import build_store
    from triage.settings import Settings

    database = build_store(Settings())
    caller = Caller(name or f"{role}-{secrets.token_hex(3)}", role, unit)
    token = keys.create(database, caller, by=LOCAL.name, now=datetime.now(UTC))
    database.close()
    typer.echo(f"已建{ROLE_NAMES[role]}密钥 {caller.name}。以下一行只显示这一次,请妥善保存:", err=True)
    typer.echo(token)


@keys_app.command("list", help="列出密钥的名字、角色、单位与状态")
def list_keys() -> None:
    """Show all keys, never the keys themselves."""
    from model.ticket import CHINA
    from serving.api.keys import listed
    from triage.compose import build_store
    from triage.settings import Settings

    database = build_store(Settings())
    table = Table()
    for heading in ("名字", "角色", "单位", "新建于", "状态"):
        table.add_column(heading, overflow="fold")
    for key in listed(database):
        made = key.made_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
        state = f"{key.revoked_at.astimezone(CHINA):%Y-%m-%d %H:%M} 作废" if key.revoked_at else "有效"
        table.add_row(key.name, f"{key.role} {ROLE_NAMES[key.role]}", key.unit or "-", made, state)
    database.close()
    Console(width=None if Console().is_terminal else 140).print(table)


@keys_app.command("revoke", help="作废密钥;服务在几秒内拒绝它")
def revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="密钥的名字")]) -> None:
    """Revoke a key."""
    from datetime import UTC, datetime

    from serving.api import keys
    from serving.api.roles import LOCAL
    from triage.compose import build_store
    from triage.settings import Settings

    database = build_store(Settings())
    keys.revoke(database, name, by=LOCAL.name, now=datetime.now(UTC))
    database.close()
    typer.echo(f"密钥 {name} 已作废")
