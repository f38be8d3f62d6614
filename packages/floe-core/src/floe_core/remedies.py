"""How to write a value of the right type where one of another type stands."""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress

from floe_core.names.rules import RuleError
from floe_core.names.times import check_cron, parse_duration
from floe_core.suggestions import list_names
from floe_core.yaml_text.scalars import plain_scalar
from floe_core.yaml_text.stop import quote

_LISTED_KEYS = 5
_LONGEST_SHOWN = 60
_EXAMPLE = 10
_HOURS_OF_DAY = 24
_CRON_KEYS = ("cron", "cron_schedule")
_KNOWN_AS = {
    **dict.fromkeys(("polaris", "nessie", "lakekeeper", "unity", "gravitino"), "rest"),
    **dict.fromkeys(("jdbc", "sqlite", "postgresql"), "sql"),
    **dict.fromkeys(("minio", "r2", "ceph"), "s3"),
    **dict.fromkeys(("file", "filesystem", "disk"), "local"),
    **dict.fromkeys(("threads", "processes", "parallel"), "multiprocess"),
    "kubernetes": "k8s",
    "pg": "postgres",
    **dict.fromkeys(("succeeded", "successful", "completed", "finished", "passed", "ok", "done"), "SUCCESS"),
    **dict.fromkeys(("failed", "fail", "error", "errored"), "FAILURE"),
    **dict.fromkeys(("running", "start", "in_progress"), "STARTED"),
    **dict.fromkeys(("aborted", "terminated", "stopped", "killed"), "CANCELED"),
}
_FOREIGN_EXPRESSION = re.compile(
    r"\$([A-Za-z_]\w*)|\{\{\s*env_var\(\s*['\"]([A-Za-z_]\w*)['\"]\s*(?:,[^)]*)?\)\s*\}\}"
    r"|\{\s*([A-Z][A-Z0-9_]*)\s*\}|%([A-Z][A-Z0-9_]*)%|\$\(([A-Z][A-Z0-9_]*)\)"
)
_NAMES_VARIABLE = ("env", "env_var", "from_env", "variable")
_NAMES_ITSELF = ("name", "type", "kind", "id", "value", "text")
_LABELS = ("group", "tag", "kind", "owner", "asset", "key", "team")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\s*=(?!=)\s*|:(?!//))(\S.*)", re.DOTALL)
_TYPOGRAPHIC = re.compile(
    "[\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a](.*)[\u201c\u201d\u00ab\u00bb\u2018\u2019]", re.DOTALL
)
_PLAIN = re.compile(r"[A-Za-z_+]([\w./:+=@-]*[\w./+=@-])?")
_WINDOWS = {"hourly": "0 * * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 0", "monthly": "0 0 1 * *"}


def describe_type(expected: str, *, keys: Collection[str], short: str) -> str:
    """What *expected* is in this place.

    Args:
        expected: `text`, `a list`, `a mapping`, `a whole number` and so on.
        keys: Those that a mapping may have here, if they are known.
        short: The key whose value may stand alone for the mapping, if there is one.

    >>> describe_type("a mapping", keys=["start", "end"], short="")
    'a mapping with start, end'
    """
    if expected != "a mapping" or not keys:
        return expected
    mapping = f"a mapping with {list_names(keys, limit=_LISTED_KEYS)}"
    return f"text, the '{short}', or {mapping}" if short else mapping


def suggest_form(
    expected: str,
    value: object,
    *,
    written: str,
    key: str,
    short: str,
    all_optional: bool,
    is_listed: bool = False,
    bounds: tuple[float | None, float | None] = (None, None),
) -> str:
    """How to write what was probably meant.

    Args:
        expected: See `describe_type`.
        value: What stands there.
        written: The first word of it as the document writes it.
        key: The key that it is the value of, also in a list.
        short: See `describe_type`.
        all_optional: Whether a mapping here may be empty.
        is_listed: Whether a list of *expected* is taken as well.
        bounds: The least and the greatest number.
    """
    match expected:
        case "text" if key in _CRON_KEYS:
            return _as_cron(value)
        case "text" if key == "automation_condition" and isinstance(value, bool | int | float):
            return "name a condition, such as 'eager'" if value else "delete the key"
        case "text":
            return _as_text(value, written, key=key, is_listed=is_listed)
        case "a list":
            return "write it as a list: [a, b]"
        case "a mapping":
            return _as_mapping(value, key=key, short=short, all_optional=all_optional)
        case "a whole number" | "a number":
            seconds = _seconds(value) if key.endswith("seconds") else None
            return _as_number(value, *bounds) if seconds is None else f"write it in seconds: {seconds:.15g}"
        case _:
            return f"write {expected}"


def suggest_kind(name: str, kinds: Collection[str]) -> str:
    """What to write for a kind that is known by another *name* elsewhere; empty where none is."""
    cron = _WINDOWS.get(name.lower())
    if cron and "time_window" in kinds:
        return f"write 'time_window', and cron_schedule: '{cron}' beside it"
    known = _KNOWN_AS.get(name.lower(), "").lower()
    return next((f"write '{kind}'" for kind in kinds if kind.lower() == known), "")


def suggest_expression(value: object) -> str:
    """The expression that *value* was meant to be in the words of a shell or of dbt; empty where it was not.

    >>> suggest_expression("$CRON"), suggest_expression("{{ env_var('CRON') }}")
    ('write ${CRON} for the value of that variable', 'write ${CRON} for the value of that variable')
    """
    match value:
        case str():
            found = _FOREIGN_EXPRESSION.fullmatch(value.strip())
            name = next(filter(None, found.groups()), "") if found else ""
        case dict() if len(value) == 1 and next(iter(value)) in _NAMES_VARIABLE:
            name = str(next(iter(value.values())))
        case _:
            name = ""
    return f"write ${{{name}}} for the value of that variable" if name.isidentifier() else ""


def suggest_other_quotes(value: object) -> str:
    """To write other quotes where *value* stands in those of printed texts; empty where it does not."""
    found = _TYPOGRAPHIC.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return ""
    meant = quote(found[1]) if isinstance(plain_scalar(found[1]), str) else found[1]
    return f"write {meant}: typographic quotes are a part of the text"


def suggest_item(value: object, line: str) -> str:
    """To separate the '-' from what follows it where *value*, which begins *line*, was meant to be a list.

    >>> suggest_item("-shop.assets", "    -shop.assets")
    "write a blank behind the '-': '- shop.assets'"
    """
    found = re.match(r"-([^\s-]\S*)", value) if isinstance(value, str) else None
    return f"write a blank behind the '-': '- {found[1]}'" if found and line.lstrip().startswith(found[0]) else ""


def suggest_key(value: object, keys: Collection[str]) -> str:
    """The key and value that *value*, a text where a mapping with *keys* is asked, was meant to be, if it was.

    >>> suggest_key("type = batch", ["type"]), suggest_key("type:batch", ["type"])
    ("write 'type: batch'", "write 'type: batch'")
    """
    found = _ASSIGNMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] not in keys:
        return ""
    return f"write '{found[1]}: {found[2] if len(found[0]) < _LONGEST_SHOWN and found[2].isprintable() else '…'}'"


def split_list(text: str) -> list[str]:
    """The items of *text*, which commas separate, without the brackets and quotes of a list.

    >>> split_list("a, b"), split_list("['a', 'b']")
    (['a', 'b'], ['a', 'b'])
    """
    whole = text.strip()
    inside = whole[1:-1] if whole[:1] == "[" and whole[-1:] == "]" else whole
    items = (item.strip() for item in inside.split(","))
    return [item[1:-1] if len(item) > 1 and item[0] in "'\"" and item[0] == item[-1] else item for item in items]


def format_list(items: Iterable[str]) -> str:
    """The list of *items* as YAML has it on one line, with quotes where they are needed.

    >>> format_list(["customers", "0 6 * * *"])
    "[customers, '0 6 * * *']"
    """
    return f"[{', '.join(item if _is_plain(item) else quote(item) for item in items)}]"


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and isinstance(plain_scalar(text), str)


def _as_cron(value: object) -> str:
    """The five fields for a number that may be the hour of a day."""
    is_hour = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _HOURS_OF_DAY
    return f"write the five fields, such as '0 {value if is_hour else 6} * * *'"


def _as_number(value: object, least: float | None, greatest: float | None) -> str:
    percent = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value) if isinstance(value, str) else None
    if percent and greatest == 1:
        return f"write it as a part of 1: {float(percent[1]) / 100:.15g}"
    if greatest is not None and greatest < _EXAMPLE:
        return f"write a number from {least or 0:.15g} to {greatest:.15g}"
    return f"write digits, such as {_EXAMPLE}"


def _as_text(value: object, written: str, *, key: str, is_listed: bool) -> str:
    match value:
        case int() | float():
            return f"put it in quotes: '{written}'"
        case dict() if key == "partition_keys" and not is_listed:
            return _as_partition_key(value)
        case dict() if len(value) == 1 and (text := _one_text(value, is_block=not written.startswith("{"))):
            return text
        case dict() if is_listed:
            return "write the text, or a list: [a, b]"
        case dict() if written.startswith("{"):
            return "put text that begins with '{' in quotes"
        case [str() as only]:
            return f"write it without brackets: {only}"
        case _:
            return "write a single value"


def _as_partition_key(dimensions: dict[str, object]) -> str:
    """The key that Dagster makes of those of each dimension, which it joins in the order of their names."""
    parts = [dimensions[name] for name in sorted(dimensions)]
    if not all(isinstance(part, str) for part in parts) or not parts:
        return "write the key as text"
    joined = "|".join(map(str, parts))
    return f"write it as text: {quote(joined)}{', if the partitions have these dimensions' if len(parts) > 1 else ''}"


def _one_text(mapping: dict[object, object], *, is_block: bool) -> str:
    """To write the text that *mapping* is made of, with or without its key."""
    [(key, value)] = mapping.items()
    if not isinstance(value, str) or len(f"{key}{value}") >= _LONGEST_SHOWN:
        return ""
    if key in _LABELS or (is_block and key not in _NAMES_ITSELF):
        return f"write it as text, without a blank behind the ':': '{key}:{value}'"
    return f"write its text alone: {quote(value)}"


def _as_mapping(value: object, *, key: str, short: str, all_optional: bool) -> str:
    if meant := _as_known_mapping(value, key):
        return meant
    if short:
        return f"write '{short}: …', or its text alone"
    if isinstance(value, list):
        return "write 'key: value' lines below it, without '- '"
    if value is True and all_optional:
        return "write {} to take it as it is, or 'key: value' lines below it, indented"
    return "write 'key: value' lines below it, indented"


def _as_known_mapping(value: object, key: str) -> str:
    """The mapping that the only value in it was meant to be, for the few keys where that is plain."""
    match key, value:
        case "freshness", str() if _seconds(value):
            return f"write {{fail_after: {value}}}"
        case "freshness", str() if _is_cron(value):
            return f"write {{cron: {quote(value)}, lower_bound: …}}"
        case "retry_policy", int() | str() if not isinstance(value, bool) and str(value).isdecimal():
            return f"write {{max_retries: {value}}}"
        case "partition_range", [str() as first, str() as last]:
            return f"write {{start: {quote(first)}, end: {quote(last)}}}"
        case _:
            return ""


def _is_cron(text: str) -> bool:
    with suppress(RuleError):
        return bool(check_cron(text))
    return False


def _seconds(value: object) -> float | None:
    if not isinstance(value, str) or re.fullmatch(r"[\d.]*", value):
        return None
    try:
        return parse_duration(value).total_seconds()
    except RuleError:
        return None
