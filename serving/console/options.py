"""How a console is started."""

from dataclasses import dataclass

IDLE_HOURS = 10  # a sign-in ends after so long without a call: a working day with its breaks


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """Bounds and addresses of a console.

    Args:
        api: address of the service, such as `http://127.0.0.1:8000`.
        secret: signs the cookie, which holds no more than the number of a sign-in.
        https: the browser reaches the console by TLS (through a proxy), so the cookie travels by TLS only.
    """

    api: str
    secret: str
    https: bool = False
