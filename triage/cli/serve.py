"""`triage serve`."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="端口")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=32, help="进程数")] = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
) -> None:
    """Start the HTTP service; without configured keys it listens on this machine only."""
    import os

    import uvicorn

    from triage.settings import Settings

    settings = Settings()
    address = host or settings.host
    if address not in ("127.0.0.1", "localhost", "::1"):
        raise typer.BadParameter(
            f"未配置访问密钥,服务只监听本机;收到 --host {address},请用 127.0.0.1 或在前面加反向代理"
        )
    if bundle:
        os.environ["TRIAGE_BUNDLE"] = str(bundle)  # worker processes build their own pipeline from the environment
    uvicorn.run(
        "triage.service:create", factory=True, host=address, port=port or settings.port, workers=workers or settings.workers,
        log_level=settings.log_level.lower(), access_log=False,
    )  # fmt: skip
