"""Texts of any kind without secrets, for what leaves a process: messages, statements, addresses, logs.

What is a secret is told by what is beside it, or by its own shape. All rules take time in proportion to the text.
"""

import re

from floe_core.secrets.assignments import mask_assigned
from floe_core.secrets.shapes import find_secret_shape, windows_of
from floe_core.secrets.yaml_lines import MASK

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*+"
    r"(?:-----END [A-Z0-9 ]{1,60}-----)?"
)
_ADDRESS = re.compile(r"(?<=://)(?:[^\s'\"`<>:]|:(?!//))++")
_OF_WEB = re.compile(r"(?:https?|git|ssh|ws|wss)$")
_PORT = re.compile(r"\d{1,5}(?:[/?#,]|$)")
_PLAIN_USER = re.compile(r"[a-z][a-z._-]{0,15}")
_NO_SCHEME = re.compile(
    r"(?<![\w/.:@%+-])(?!(?:mailto|e?-?mail|from|to|cc|author|owner|user|contact):)(?P<user>[\w.-]{1,64}+):"
    r"(?=[^\s@]{0,128}\d)[^\s:@/${}'\"<>,;]{6,128}@(?=(?:tcp\(|unix\()?[\w-]+[.:(/\w])"
)
_OF_ORACLE = re.compile(r"(thin:@?[^\s/@:]{1,64}/)[^\s@]{1,128}@")
_HEADER = re.compile(
    r"(?i)\b(bearer|basic)(\s{1,8})(?=[\w.~+/=-]{0,512}?(?:\d|(?-i:[a-z][A-Z])|=)|[\w.~+/=-]{24})[\w.~+/=-]{6,}+"
)
_COOKIE = re.compile(r"(?i)\b(cookie['\"]?\s?[:=]\s?['\"]?)(?=[\w.-]{1,128}=)[^\r\n'\"]++")
_RUN = re.compile(r"(?<![\w.+/~=-])[\w.+/~=-]{16,}+")
_SIGNS_OF_TOKEN = re.compile(r"\d")


def mask_secrets(text: str, *, is_sql: bool = False) -> str:
    """*text* with `***` for everything in it that looks like a secret; what it is called, and quotes around it, stay.

    >>> mask_secrets("cannot reach postgres://ada:lovelace@db/shop?password=x with {'api_key': 'y'}")
    "cannot reach postgres://***@db/shop?password=*** with {'api_key': '***'}"

    Args:
        text: Of any kind, and any length.
        is_sql: Whether it is a statement, see `mask_assigned`.
    """
    if "-----BEGIN" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    if "@" in text:
        text = _OF_ORACLE.sub(rf"\1{MASK}@", _NO_SCHEME.sub(rf"\g<user>:{MASK}@", _ADDRESS.sub(_mask_user, text)))
    lower = text.lower()
    if "bearer" in lower or "basic" in lower:
        text = _HEADER.sub(rf"\1\2{MASK}", text)
    if "cookie" in lower:
        text = _COOKIE.sub(rf"\1{MASK}", text)
    return _RUN.sub(_mask_token, mask_assigned(text, is_sql=is_sql))


def without_user(address: str) -> str:
    """*address*, or a text with some, without users and passwords.

    >>> without_user("https://ada:lovel@ce@lake.example:8181/api")
    'https://lake.example:8181/api'
    """
    return _ADDRESS.sub(lambda found: found[0][_end_of_user(found) :], address)


def _mask_user(found: re.Match[str]) -> str:
    end = _end_of_user(found)
    user = found[0][: max(end - 1, 0)]
    return found[0] if not end or _PLAIN_USER.fullmatch(user) else f"{MASK}@{found[0][end:]}"


def _end_of_user(found: re.Match[str]) -> int:
    """How many characters behind `://` are user and password with their `@`; passwords may hold `@` and `/`."""
    rest = found[0]
    if "@" not in rest:
        return 0
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    has_password = ":" in host and not host.startswith("[")
    if "@" in host:
        is_of_web = _OF_WEB.search(found.string[max(found.start() - 12, 0) : found.start() - 3])
        return (host if is_of_web or ":" not in host.partition("@")[0] else rest).rindex("@") + 1
    is_password = has_password and not _PORT.match(rest, host.index(":") + 1)
    return rest.rindex("@") + 1 if is_password else 0


def _mask_token(found: re.Match[str]) -> str:
    run = found[0]
    if not _SIGNS_OF_TOKEN.search(run):
        return run
    return MASK if any(map(find_secret_shape, windows_of(run))) else run
