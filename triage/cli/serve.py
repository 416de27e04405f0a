"""`triage serve`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triage.settings import Settings

_LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="端口")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=32, help="进程数")] = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
) -> None:
    """Start the HTTP service; without configured keys it listens on this machine only."""
    import os

    import uvicorn

    from serving.api.logs import configuration
    from triage.cli.listening import check_free
    from triage.settings import Settings

    settings = Settings()
    address, listened = host or settings.host, port or settings.port
    _check(settings, address)
    check_free(address, listened, "TRIAGE_PORT")
    if bundle:
        os.environ["TRIAGE_BUNDLE"] = str(bundle)  # worker processes build their own pipeline from the environment
    uvicorn.run(
        "triage.service:create", factory=True, host=address, port=listened, workers=workers or settings.workers,
        log_config=configuration(settings.log_level), access_log=False, server_header=False,
        timeout_graceful_shutdown=settings.grace_seconds,
    )  # fmt: skip


def _check(settings: "Settings", address: str) -> None:
    """Refuse to listen to the network before there is a key. The door of the service itself refuses it as well."""
    from model.errors import StoreUnavailable
    from triage.compose import build_office

    office = build_office(settings)
    if address in _LOCAL:
        return
    try:
        if not office.any_made():
            raise typer.BadParameter(
                f"还没有访问密钥,服务只监听本机;收到 --host {address},请先运行 triage keys create --role admin"
            )
    except StoreUnavailable as error:
        typer.echo(f"提示:{error};服务照常启动,存储恢复前只应答已认得的密钥", err=True)
    finally:
        office.database.close()
