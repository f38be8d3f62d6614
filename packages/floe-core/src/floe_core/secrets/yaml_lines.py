"""Texts and lines of documents without the secrets that their shape tells, or the key before them."""

import re

from floe_core.secrets.names import is_secret_number
from floe_core.secrets.shapes import find_secret, find_shapes, windows_of

MASK = "***"

_USERINFO = re.compile(
    r"((?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://[^/\s:@'\"]*:)(?!\$\{|\*\*\*@)[^/\s'\"]+(?=@)"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.DOTALL
)
_PAIR = re.compile(
    r"(?<![\w.-])(?P<quote>[\"']?)(?P<key>[\w.-]+)(?P=quote)\s*:\s+"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|[^\s\"'{}\[\],#][^{},\[\]]*?(?=\s*(?:[,\]}]|\s#|$)))"
)
_BLOCK_PAIR = re.compile(
    r"\s*(?:-\s+)*(?P<quote>[\"']?)(?P<key>[\w.-]+)(?P=quote)\s*:\s+(?P<value>[^\s\"'{\[&*!|>#].*?)(?=\s+#|\s*$)"
)
_ABOVE = re.compile(r"([\w.-]+)[\"']?\s*:\s*\{[^{}]*$")
_DEFAULT = re.compile(r"(\$\{\w+:-?)([^{}]+)(?=\})")


def mask_text(text: str, *, with_assignments: bool = True) -> str:
    """*text* with `***` in place of passwords in addresses, tokens of known services, and what `password=` is given.

    Args:
        text: Any.
        with_assignments: Whether `password=` and the like count, behind which Python code has names.

    >>> mask_text("amqp://etl:lovelace@mq//")
    'amqp://etl:***@mq//'
    """
    text = _USERINFO.sub(rf"\1{MASK}", _PRIVATE_KEY.sub(MASK, text))
    limit = len(text)
    for start, end in sorted(find_shapes(text, with_assignments=with_assignments), reverse=True):
        found = text[start : min(end, limit)].rstrip("\"'}])")
        if found and MASK not in found:
            text = text[:start] + MASK + text[start + len(found) :]
            limit = start
    return text


def mask_line(line: str) -> str:
    """A line of YAML, which may be broken, with `***` in place of every secret on it.

    >>> mask_line("  db: {user: etl, password: lovelace}  # old")
    '  db: {user: etl, password: ***}  # old'
    """
    line = mask_text(line)
    block = _BLOCK_PAIR.match(line)
    if block is not None:
        line = _masked_pair(line, block)
    for pair in reversed(list(_PAIR.finditer(line))):
        line = _masked_pair(line, pair)
    return line


def mask_value(key: str, value: str, *, above: str = "") -> str:
    """*value*, a scalar as YAML writes it, which stands under *key* in the mapping under *above*.

    >>> mask_value("password", "'${PASSWORD:lovelace}'")
    "'${PASSWORD:***}'"
    """
    value = mask_text(value)
    quote = value[0] if value[0] in "\"'" else ""
    plain = value[1:].removesuffix(quote) if quote else value
    masked = _DEFAULT.sub(lambda found: found[1] + (MASK if _is_secret(key, found[2], above) else found[2]), plain)
    if masked == plain and _is_secret(key, plain, above):
        masked = MASK
    return value if masked == plain else f"{quote}{masked}{quote}"


def _masked_pair(line: str, pair: re.Match[str]) -> str:
    start, end = pair.span("value")
    above = _ABOVE.search(line, 0, pair.start())
    shown = mask_value(pair["key"], pair["value"], above=above[1] if above else "")
    return line[:start] + shown + line[end:]


def _is_secret(key: str, text: str, above: str) -> bool:
    if MASK in text:
        return False
    if text.isdecimal():
        return is_secret_number(key, int(text))
    return any(find_secret(key, window, above=above) for window in windows_of(text))
