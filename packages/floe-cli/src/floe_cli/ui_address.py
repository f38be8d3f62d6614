"""Where Dagster's UI of a project answers."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from floe_dagster.running.ui_note import UI_NOTE

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
_TRIED_PORTS = 100
_CONNECT_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class UiAddress:
    """The address of the UI, whether something answers there, and the Dagster home that it shows, if that is known."""

    url: str
    is_up: bool
    home: str = ""


def remember_ui(floe_dir: Path, *, host: str, port: int, home: str = "") -> str:
    """Note where `floe dev` serves the UI of which Dagster home, for other commands; gives the address."""
    shown_host = DEFAULT_HOST if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    url = f"http://{shown_host}:{port}"
    (floe_dir / UI_NOTE).write_text(json.dumps({"url": url, "home": home}) + "\n", encoding="utf-8")
    return url


def find_ui(floe_dir: Path) -> UiAddress:
    """The address that `floe dev` noted last, else the one that it would take."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        noted = json.loads((floe_dir / UI_NOTE).read_text(encoding="utf-8"))
        url = str(noted["url"])
        if is_answering(url):
            return UiAddress(url, is_up=True, home=str(noted.get("home", "")))
    return UiAddress(f"http://{DEFAULT_HOST}:{DEFAULT_PORT}", is_up=False)


def is_answering(url: str) -> bool:
    """Whether something listens at *url*."""
    address = urlsplit(url)
    try:
        socket.create_connection(
            (address.hostname or DEFAULT_HOST, address.port or 80), timeout=_CONNECT_SECONDS
        ).close()
    except OSError:
        return False
    return True


def free_port(host: str, first: int = DEFAULT_PORT) -> int:
    """The first port from *first* on that nothing listens at."""
    for port in range(first, first + _TRIED_PORTS):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((host, port))
            except OSError:
                continue
            return port
    return first
