"""Sending to an ordinary receiver, such as Marquez, without OpenLineage's client.

The client is imported in a second, in which a short step has ended. It is taken for everything that is more than an
address and a key. Imports requests: only in the thread that sends.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase

from floe_dagster.observability.lineage.destination import Destination
from floe_dagster.observability.lineage.events import Event, event_line
from floe_dagster.observability.sending_errors import check_answer

_ENDPOINT = "api/v1/lineage"
_KEEP_THE_EVENT = (307, 308)


def connect_to_receiver(destination: Destination) -> Callable[[Event], None]:
    """What sends one event, and raises where it does not arrive.

    Source:
        `HttpTransport` of openlineage-python, which sends the same.
    """
    transport: Mapping[str, Any] = destination.config["transport"]
    url = urljoin(transport["url"].strip(), transport.get("endpoint") or _ENDPOINT)
    auth = transport.get("auth") or {}
    key = next((str(auth[name]) for name in ("apiKey", "apikey", "api_key") if auth.get(name)), None)
    session = _Session()
    session.headers.update({"Content-Type": "application/json", **(transport.get("custom_headers") or {})})
    session.auth = _Bearer(key) if key else None
    session.verify = transport.get("verify", True)

    def send(event: Event) -> None:
        with session.post(url, data=event_line(event), timeout=transport["timeout"]) as answer:
            check_answer(answer)

    return send


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where to send the same to; None where a redirection would make a question of it, which takes no event."""
        return super().get_redirect_target(resp) if resp.status_code in _KEEP_THE_EVENT else None


class _Bearer(AuthBase):
    """A key, in place of which requests would take what `.netrc` has for the host."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request
