"""A receiver of lineage events on this machine, that takes them, refuses them, is busy or says nothing at all."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import requests  # noqa: F401 - imported while another thread changes filters of warnings, its own would be errors

Answer = Literal["take", "refuse", "busy", "hang"]


@dataclass
class LineageReceiver:
    """What was received, in its order."""

    url: str = ""
    answer: Answer = "take"
    """`take` says 201, `refuse` 422, `busy` 503; `hang` never answers."""
    status: int | None = None
    """What it answers in place of these, taking nothing."""
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    requests: int = 0

    @contextmanager
    def open(self) -> Iterator["LineageReceiver"]:
        """Listen on a port of this machine's own."""
        hangs = threading.Event()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, hangs))
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            hangs.set()
            server.shutdown()
            server.server_close()
            thread.join()


def closed_address() -> str:
    """An address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _handler(receiver: LineageReceiver, hangs: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests += 1
            if receiver.answer == "hang":
                hangs.wait(60)
                self.close_connection = True
                return
            if receiver.answer == "take" and receiver.status is None:
                receiver.events.append(json.loads(body))
                receiver.headers.append(dict(self.headers))
                receiver.paths.append(self.path)
            self.send_response(receiver.status or {"take": 201, "refuse": 422, "busy": 503}[receiver.answer])
            self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            """What a redirection makes of an event."""
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    return Handler
