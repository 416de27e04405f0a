"""`triage console`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from serving.console.options import ConsoleOptions
    from triage.settings import Settings

_LOCAL = ("127.0.0.1", "localhost", "::1")


def console(
    host: Annotated[str | None, typer.Option(help="监听地址")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="端口")] = None,
    api: Annotated[str | None, typer.Option(help="分拣服务的地址,如 http://127.0.0.1:8000")] = None,
) -> None:
    """Start the web console beside a running `triage serve`."""
    import uvicorn

    from triage.cli.listening import check_free
    from triage.settings import Settings

    settings = Settings()
    address, listened = host or settings.console_host, port or settings.console_port
    check_free(address, listened, "TRIAGE_CONSOLE_PORT")
    app = _application(_options(settings, api))
    if address not in _LOCAL and not settings.console_https:
        typer.echo("提示:对网络开放时请在前面放 TLS 代理,并设置 TRIAGE_CONSOLE_HTTPS=true,否则密钥会明文传送", err=True)
    typer.echo(f"控制台:http://{address}:{listened}(分拣服务:{api or settings.console_api})", err=True)
    uvicorn.run(
        app, host=address, port=listened, log_config=_logs(settings.log_level),
        access_log=False, server_header=False, timeout_graceful_shutdown=2,
    )  # fmt: skip


def _logs(level: str) -> dict[str, Any]:
    """As for the service; without the addresses of open pages, and without messages of exceptions."""
    from serving.api.logs import configuration

    found = configuration(level)
    found["loggers"] |= {"uvicorn": {"level": "WARNING"}, "nicegui": {"level": "CRITICAL"}}
    return found


def _options(settings: "Settings", api: str | None) -> "ConsoleOptions":
    """The cookie's secret hangs on TRIAGE_SECRET where there is one, else on nothing that outlives the process."""
    import hmac
    import secrets

    from serving.console.options import ConsoleOptions

    known = settings.secret.get_secret_value() if settings.secret else secrets.token_hex(32)
    cookie = hmac.new(known.encode(), b"console cookie", "sha256").hexdigest()
    return ConsoleOptions(api or settings.console_api, cookie, settings.console_https)


def _application(options: "ConsoleOptions") -> "FastAPI":
    from importlib.util import find_spec

    from model.errors import MissingExtra

    if find_spec("nicegui") is None:
        raise MissingExtra("控制台需要 nicegui:请运行 pip install 'complaint-triage[console]'")
    from serving.console.app import create_console

    return create_console(options)
