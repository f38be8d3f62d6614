"""How to write a value of the right type where one of another type stands."""

import re
from collections.abc import Collection, Iterable

from floe_core.names.rules import RuleError
from floe_core.names.times import parse_duration
from floe_core.suggestions import list_names
from floe_core.yaml_scalars import plain_scalar
from floe_core.yaml_stop import quote

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
}
_FOREIGN_EXPRESSION = re.compile(r"\$([A-Za-z_]\w*)|\{\{\s*env_var\(\s*['\"]([A-Za-z_]\w*)['\"]\s*(?:,[^)]*)?\)\s*\}\}")
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
            return _as_text(value, written, is_listed=is_listed)
        case "a list":
            return "write it as a list: [a, b]"
        case "a mapping":
            return _as_mapping(value, short=short, all_optional=all_optional)
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
    known = _KNOWN_AS.get(name.lower(), "")
    return f"write '{known}'" if known in kinds else ""


def suggest_expression(value: object) -> str:
    """The expression that *value* was meant to be in the words of a shell or of dbt; empty where it was not.

    >>> suggest_expression("$CRON"), suggest_expression("{{ env_var('CRON') }}")
    ('write ${CRON} for the value of that variable', 'write ${CRON} for the value of that variable')
    """
    name = _FOREIGN_EXPRESSION.fullmatch(value.strip()) if isinstance(value, str) else None
    return f"write ${{{name[1] or name[2]}}} for the value of that variable" if name else ""


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


def _as_text(value: object, written: str, *, is_listed: bool) -> str:
    match value:
        case int() | float():
            return f"put it in quotes: '{written}'"
        case dict() if len(value) == 1 and (text := _joined(value)):
            return f"write it as text, without a blank behind the ':': '{text}'"
        case dict() if is_listed:
            return "write the text, or a list: [a, b]"
        case dict() if written.startswith("{"):
            return "put text that begins with '{' in quotes"
        case [str() as only]:
            return f"write it without brackets: {only}"
        case _:
            return "write a single value"


def _joined(mapping: dict[object, object]) -> str:
    """The text that YAML reads as *mapping* where a blank stands behind its ':'."""
    [(key, value)] = mapping.items()
    return f"{key}:{value}" if isinstance(value, str) and len(f"{key}{value}") < _LONGEST_SHOWN else ""


def _as_mapping(value: object, *, short: str, all_optional: bool) -> str:
    if short:
        return f"write '{short}: …', or its text alone"
    if isinstance(value, list):
        return "write 'key: value' lines below it, without '- '"
    if value is True and all_optional:
        return "write {} to take it as it is, or 'key: value' lines below it, indented"
    return "write 'key: value' lines below it, indented"


def _seconds(value: object) -> float | None:
    if not isinstance(value, str) or re.fullmatch(r"[\d.]*", value):
        return None
    try:
        return parse_duration(value).total_seconds()
    except RuleError:
        return None
