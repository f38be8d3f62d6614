"""Where Dagster's UI of a project answers."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
_FILE = "ui.json"
_TRIED_PORTS = 100
_CONNECT_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class UiAddress:
    """The address of the UI, and whether something answers there."""

    url: str
    is_up: bool


def remember_ui(floe_dir: Path, *, host: str, port: int) -> str:
    """Note where `floe dev` serves the UI, for other commands to show; gives the address."""
    shown_host = DEFAULT_HOST if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    url = f"http://{shown_host}:{port}"
    (floe_dir / _FILE).write_text(json.dumps({"url": url}) + "\n", encoding="utf-8")
    return url


def find_ui(floe_dir: Path) -> UiAddress:
    """The address that `floe dev` noted last, else the one that it would take."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        url = str(json.loads((floe_dir / _FILE).read_text(encoding="utf-8"))["url"])
        if is_answering(url):
            return UiAddress(url, is_up=True)
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
