"""Why something could not be sent, as the answers of real backends have it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from floe_dagster.observability.sending_errors import describe_error

HALF = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf"
UNPACKABLE = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf"


@contextmanager
def backend(answer: bytes) -> Iterator[str]:
    """The address of one that gives *answer* once and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(HALF, "the backend broke off its answer", id="half an answer"),
        pytest.param(UNPACKABLE, "the backend's answer cannot be read", id="no gzip"),
        pytest.param(b"", "the backend closed the connection without an answer", id="nothing"),
    ],
)
def test_an_answer_that_does_not_come_whole_is_told_as_that(answer: bytes, told: str) -> None:
    with backend(answer) as address, pytest.raises(requests.RequestException) as raised:
        requests.post(address, b"{}", timeout=30)

    assert describe_error(raised.value, address=address) == told
