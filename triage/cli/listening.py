"""Whether a server can listen where it is told to, asked before it starts: afterwards only a log line would tell."""

import errno
import socket

import typer


def check_free(host: str, port: int, setting: str) -> None:
    """Refuse an address on which this process cannot listen.

    Args:
        host: name or address.
        port: the port.
        setting: the environment variable that names the port, for the message.

    Raises:
        BadParameter: the port is taken, is not allowed, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: no wait after a stop
            probe.bind(address)
    except OSError as error:
        reason, mend = _REASONS.get(
            error.errno or 0, (f"无法监听({error.strerror or error})", "请检查 --host 与 --port")
        )
        raise typer.BadParameter(f"{host}:{port} {reason};{mend}".format(setting=setting)) from error


_REASONS = {
    errno.EADDRINUSE: ("已被别的进程占用", "请先停掉它,或用 --port(或 {setting})换一个端口"),
    errno.EACCES: ("没有权限监听", "1024 以下的端口要有权限,请用 --port(或 {setting})换一个端口"),
    errno.EADDRNOTAVAIL: ("不是本机的地址", "请检查 --host"),
}
