"""Why something could not be sent, in words that hold no credentials. Imports requests: for the thread that sends."""

import re
from http import HTTPStatus

import requests
from requests import exceptions

from floe_dagster.observability.background import UNANSWERED, UNREACHED
from floe_dagster.observability.masking import without_credentials

_NO_FILE = re.compile(r"invalid path: (.+)$")
_TLS = re.compile(r"certificate verify failed: [^(\[]+|wrong version number", re.IGNORECASE)
_FIRST_REDIRECTION, _FIRST_ERROR = 300, 400


def describe_error(error: Exception, *, address: str) -> str:  # noqa: C901 - one line per kind of error
    """What went wrong.

    Args:
        error: What a transport raised.
        address: Where something was sent to.
    """
    response = getattr(error, "response", None)
    if response is not None:
        return describe_status(int(response.status_code))
    match error:
        case exceptions.MissingSchema() | exceptions.InvalidSchema() | exceptions.InvalidURL():
            return f"'{without_credentials(address)}' is no address that begins with http:// or https://"
        case exceptions.SSLError():
            found = _TLS.search(str(error))
            return f"no TLS connection to the backend could be made{f': {found[0].strip()}' if found else ''}"
        case exceptions.Timeout():
            return UNANSWERED
        case exceptions.ProxyError():
            return "the proxy could not be reached"
        case exceptions.ConnectionError():
            is_closed = "Connection aborted" in str(error)
            return "the backend closed the connection without an answer" if is_closed else UNREACHED
        case exceptions.ChunkedEncodingError():
            return "the backend broke off its answer"
        case exceptions.ContentDecodingError():
            return "the backend's answer cannot be read"
        case OSError() if found := _NO_FILE.search(str(error)):
            return f"the certificate {found[1]} is not there"
        case _:
            return f"sending raised {type(error).__name__}"


def describe_status(status: int) -> str:
    """What the backend has answered."""
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    is_elsewhere = _FIRST_REDIRECTION <= status < _FIRST_ERROR
    return f"the backend answered {phrase}{', which is not followed' if is_elsewhere else ''}"


def check_answer(answer: requests.Response) -> None:
    """Raise where *answer* is none that takes what was sent.

    Raises:
        HTTPError: It is an error, or points elsewhere.
    """
    if answer.status_code >= _FIRST_REDIRECTION:
        raise requests.HTTPError(describe_status(answer.status_code), response=answer)
