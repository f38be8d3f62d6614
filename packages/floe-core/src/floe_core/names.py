"""The forms that names and values take: one annotated type per form, each with its reason to refuse a value."""

import keyword
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from floe_core.cron import CronError, parse_cron
from floe_core.errors import YamlPath
from floe_core.selection.globs import GlobError, parse_glob
from floe_core.selection.parser import SelectionSyntaxError, parse_item
from floe_core.selection.tree import Item
from floe_core.suggestions import did_you_mean

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PROJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_GROUP_NAME = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAG_PART = r"[A-Za-z0-9_.-]{1,63}"
_TAG_KEY = re.compile(rf"({_TAG_PART}/|dagster/kind/)?{_TAG_PART}")
_ASSET_TAG_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,63}")
_KIND = re.compile(_TAG_PART)
_POOL = re.compile(r"\S+")
_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z|]{2,7}\b")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])", re.IGNORECASE)
_LIKE_AN_ADDRESS = "write it like 'https://host:8181/path'"
_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_KEY_SUBSTRINGS_DAGSTER_REFUSES = {
    "...": "'...'",
    "\a": "a bell",
    "\b": "a backspace",
    "\f": "a form feed",
    "\n": "a line break",
    "\r": "a carriage return",
    "\t": "a tab",
    "\v": "a vertical tab",
    "\0": "a NUL",
}


_NAMES_DAGSTER_REFUSES = frozenset(
    "context conf config meta arg_dict dict input_arg_dict output_arg_dict int str float bool input output type".split()
)


class RuleError(ValueError):
    """A value that breaks the rule of its field: the text is the rule, `fix` what to write instead (may be empty).

    `at` is the path of the value below the place where the error is raised; it is empty where that is the place.
    `offset` is the character of the text at which it breaks the rule, where one can be told.
    """

    def __init__(self, rule: str, *, fix: str = "", at: YamlPath = (), offset: int | None = None) -> None:
        super().__init__(rule)
        self.fix = fix
        self.at = at
        self.offset = offset


class UnreadableTextError(RuleError):
    """Text in a language of its own that cannot be read, such as an item of a selection.

    The text of the error goes on after the name of the item ("has a comma"); `kind` is what messages call it.
    """

    def __init__(self, message: str, *, code: str, kind: str, offset: int, why: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix, offset=offset)
        self.code = code
        self.kind = kind
        self.why = why


class SecretError(RuleError):
    """A secret that stands in a document: neither the value nor its line may be shown."""


def check_identifier(text: str) -> str:
    """*text*, if it may name a job, schedule, sensor, partitions definition or backfill."""
    if not _IDENTIFIER.fullmatch(text):
        raise RuleError("a name has letters, digits and '_', and starts with a letter", fix=_name_like(text, "_"))
    if keyword.iskeyword(text):
        raise RuleError(f"Dagster takes no name that is a word of Python, such as '{text}'", fix=f"write '{text}_'")
    return text


def check_definition_name(text: str) -> str:
    """*text*, if Dagster takes it as the name of a job, schedule or sensor."""
    if check_identifier(text) in _NAMES_DAGSTER_REFUSES:
        raise RuleError(f"Dagster keeps the name '{text}' for itself", fix=f"write '{text}_'")
    return text


def check_project_name(text: str) -> str:
    """*text*, if it may name a project or a profile."""
    if not _PROJECT_NAME.fullmatch(text):
        raise RuleError("a name has letters, digits, '-' and '_'", fix=_name_like(text, "-"))
    return text


def check_module_reference(text: str) -> str:
    """*text*, if it is a dotted module path, absolute or with one leading dot, or all modules below one (`pkg.*`)."""
    path = text.removesuffix(".*").removeprefix(".")
    if not _is_dotted(path):
        raise RuleError(
            "a module is named by its import path: 'shop.bronze', or '.bronze' in the project folder, or 'shop.*'",
            fix=_dotted_like(text),
        )
    return text


def check_function_reference(text: str) -> str:
    """*text*, if it is the import path of something inside a module: `package.module.name`."""
    if not _is_dotted(text) or "." not in text:
        raise RuleError(
            "a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'",
            fix=_dotted_like(text),
        )
    return text


def check_cron(text: str) -> str:
    """*text* without outer blanks, if it is a cron expression that Dagster takes."""
    stripped = text.strip()
    try:
        parse_cron(stripped)
    except CronError as error:
        raise RuleError(str(error), fix=error.fix) from error
    return stripped


def check_time_zone(text: str) -> str:
    """*text*, if it is a zone of the IANA database."""
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError) as error:
        raise RuleError(
            "a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'", fix=_zone_like(text)
        ) from error
    return text


def check_local_path(text: str) -> str:
    """*text*, if it is a path of the local file system."""
    scheme = _SCHEME.match(text)
    if scheme and scheme.group(1).lower() == "file":
        raise RuleError("a local path is written without a scheme", fix=f"write '{re.sub('(?i)^file:/+', '/', text)}'")
    if scheme:
        raise RuleError(
            f"only local paths may stand here, and {scheme.group(1)}:// is remote: that belongs into platform.yaml",
            fix="name a local folder, or reach the remote place through a resource",
        )
    if not text.strip():
        raise RuleError("a path is not empty", fix="write '.' for the project folder")
    return _without_nul(text)


def check_file_pattern(text: str) -> str:
    """*text*, if it is a glob over names below a folder."""
    if text.startswith(("/", "~")) or ".." in re.split(r"[/\\]", text):
        raise RuleError("a pattern names files below the folder in 'path'", fix="put the folder into 'path'")
    return _check_glob(text)


def check_asset_glob(text: str) -> str:
    """*text*, if it is a glob over asset keys: `*`, `?`, `[abc]`, `{a,b}` and `**`."""
    if not text.strip():
        raise RuleError("a pattern is not empty", fix="write '*' for everything")
    try:
        parse_glob(text)
    except GlobError as error:
        raise RuleError(f"it is a pattern over asset keys: {error}", offset=error.offset) from error
    return text


def check_selection_item(text: str) -> str:
    """*text*, if it can be read as an item of a selection; whether there are such assets is another matter."""
    _parse_selection_item(text)
    return text


def check_excluded_item(text: str) -> str:
    """*text*, if it can be read as an item that takes away what it selects."""
    if _parse_selection_item(text).removes:
        raise _unreadable_item(
            "begins with '!'",
            why="what stands below 'exclude' is taken away as it is",
            fix="write it without the '!'",
            offset=len(text) - len(text.lstrip()),
        )
    return text


def _parse_selection_item(text: str) -> Item:
    try:
        return parse_item(text)
    except SelectionSyntaxError as error:
        raise _unreadable_item(str(error), why=error.why, fix=error.fix, offset=error.offset) from error


def _unreadable_item(message: str, *, why: str, fix: str, offset: int) -> UnreadableTextError:
    return UnreadableTextError(message, code="FLOE-330", kind="selection item", offset=offset, why=why, fix=fix)


def check_partition_selector(text: str) -> str:
    """*text*, if it says which partitions to launch: a word, `last:N` or a partition key."""
    number = re.fullmatch(r"last:(\d+)", text)
    if not (number and int(number[1])) and re.match(r"last\s*([:=(]|-?\d*\Z)", text):
        meant = re.fullmatch(r"last\s*[:=(]?\s*0*([1-9]\d*)\)?", text)
        raise RuleError(
            "it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key",
            fix=f"write 'last:{meant[1]}'" if meant else "write 'latest' for the last one",
        )
    return check_partition_key(text)


def check_group_name(text: str) -> str:
    """*text*, if Dagster takes it as an asset group."""
    if not _GROUP_NAME.fullmatch(text):
        raise RuleError("a group has letters, digits and '_' (and '/' between its parts)", fix=_name_like(text, "_"))
    return text


def check_partition_key(text: str) -> str:
    """*text*, if Dagster takes it as a partition key."""
    if not text:
        raise RuleError("a partition key is not empty", fix="write a key, or delete the entry")
    found = [shown for substring, shown in _KEY_SUBSTRINGS_DAGSTER_REFUSES.items() if substring in text]
    if found:
        raise RuleError(f"Dagster takes no partition key with {found[0]} in it", fix="write the key without it")
    return text


def check_tag_key(text: str) -> str:
    """*text*, if Dagster takes it as the key of a tag."""
    if not _TAG_KEY.fullmatch(text):
        raise RuleError(
            "a tag's key has up to 63 letters, digits, '_', '-' and '.', after an optional prefix and '/'",
            fix=_tag_like(text),
        )
    return text


def check_asset_tag_value(text: str) -> str:
    """*text*, if Dagster takes it as the value of an asset's tag."""
    if not _ASSET_TAG_VALUE.fullmatch(text):
        raise RuleError(
            "an asset's tag has up to 63 letters, digits, '_', '-' and '.'",
            fix="put longer text into 'metadata' or 'description'",
        )
    return text


def check_kind(text: str) -> str:
    """*text*, if Dagster takes it as a kind."""
    if not _KIND.fullmatch(text):
        raise RuleError("a kind has up to 63 letters, digits, '_', '-' and '.'", fix=_tag_like(text))
    return text


def check_owner(text: str) -> str:
    """*text*, if Dagster takes it as an owner."""
    if not (_EMAIL.fullmatch(text) or (text.startswith("team:") and len(text) > len("team:"))):
        raise RuleError(
            "an owner is an email address or 'team:' and a name", fix="" if "@" in text else f"write 'team:{text}'"
        )
    return text


def check_pool(text: str) -> str:
    """*text*, if Dagster takes it as a concurrency pool."""
    if not _POOL.fullmatch(text):
        raise RuleError("a pool's name has no blanks and is not empty", fix=_tag_like(text))
    return text


def check_environment_name(text: str) -> str:
    """*text*, if it may name an environment (the value of FLOE_PLATFORM_ENV)."""
    if not _ENVIRONMENT_NAME.fullmatch(text):
        raise RuleError("an environment's name has letters, digits, '-', '_' and '.'", fix=_name_like(text, "-"))
    return text


def check_variable_name(text: str) -> str:
    """*text*, if it may name an environment variable."""
    if not _VARIABLE_NAME.fullmatch(text):
        raise RuleError(
            "it is the name of an environment variable, never the value itself",
            fix="set the value in the environment and write the name here",
        )
    return text


def check_url(text: str) -> str:
    """*text* with `https://` before it where it has no scheme, if it is the address of a web service."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RuleError(f"it is the address of a web service: {error}", fix=_LIKE_AN_ADDRESS) from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or port == 0 or " " in url:
        raise RuleError("it is the address of a web service", fix=_LIKE_AN_ADDRESS)
    if parts.password is not None:
        raise SecretError("a password never stands in an address", fix="use the fields for credentials")
    return url


def check_database_uri(text: str) -> str:
    """*text*, if it is a database address of SQLAlchemy without a password."""
    if "://" not in text:
        raise RuleError(
            "it is a database address, which begins with the kind of database",
            fix="write it like 'sqlite:///.floe/catalog.db'",
        )
    if re.match(r"[^/]+://[^/@]*:[^/@]+@", text):
        raise SecretError(
            "a password never stands in a document", fix="keep the whole address secret: uri: {secret_ref: CATALOG_URI}"
        )
    return text


def check_bucket(text: str) -> str:
    """*text*, if it is the bare name of a bucket."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", text):
        bare = re.sub(r"^\w+://", "", text).split("/")[0]
        raise RuleError("a bucket is its bare name, without a scheme and without a path", fix=_unless_same(bare, text))
    return text


def check_regex(text: str) -> str:
    """*text*, if it is a regular expression of Python."""
    try:
        re.compile(text)
    except re.error as error:
        raise RuleError(
            f"it is a regular expression of Python: {error}",
            fix="mend it, or put a backslash before a character meant as it is",
        ) from error
    return text


def parse_duration(value: object) -> timedelta:
    """The length of time that *value* names.

    >>> parse_duration("1d12h"), parse_duration("30m")
    (datetime.timedelta(days=1, seconds=43200), datetime.timedelta(seconds=1800))
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        is_number = isinstance(value, int | float) or re.fullmatch(r"\d+(\.\d+)?", text)
        raise RuleError(
            "a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'",
            fix=f"write '{text}s', '{text}m', '{text}h' or '{text}d'" if is_number else "",
        )
    length = sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    if length <= timedelta():
        raise RuleError("a length of time is longer than zero", fix="write a number above 0")
    return length


def format_duration(length: timedelta) -> str:
    """*length* as a document would write it.

    >>> format_duration(timedelta(days=3)), format_duration(timedelta(hours=36))
    ('3d', '1d12h')
    """
    left = length
    text = ""
    for unit, size in _UNITS.items():
        count, left = divmod(left, size)
        if count and unit != "w":
            text += f"{count}{unit}"
        elif count:
            left += count * size
    return text or "0s"


def parse_date_or_time(text: str, *, fmt: str | None = None) -> datetime:
    """The moment that *text* names: a year, a month, a date or a date-time of ISO 8601, or text in the format *fmt*.

    >>> parse_date_or_time("2024"), parse_date_or_time("2024-03")
    (datetime.datetime(2024, 1, 1, 0, 0), datetime.datetime(2024, 3, 1, 0, 0))

    Raises:
        RuleError: It is none of these, or there is no such day.
    """
    padded = (
        f"{text}-01-01" if re.fullmatch(r"\d{4}", text) else f"{text}-01" if re.fullmatch(r"\d{4}-\d\d", text) else text
    )
    try:
        return datetime.fromisoformat(padded)
    except ValueError as error:
        reason = str(error)
    try:
        return datetime.strptime(text, fmt) if fmt else _parse_dagster_key(text)
    except ValueError as error:
        like_a_date = re.match(r"\d{4}-\d\d?-\d\d?", text)
        told = f": {reason}" if like_a_date and "isoformat" not in reason else ""
        raise RuleError(
            f"it is a date, a date and time, or a year{told}",
            fix="write it like '2024-01-31', '2024-01-31T06:00' or '2024'",
        ) from error


def _parse_dagster_key(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d-%H:%M")


def _check_glob(text: str) -> str:
    if not text.strip():
        raise RuleError("a pattern is not empty", fix="write '*' for everything")
    if re.search(r"\[[^\]]*\Z", text):
        raise RuleError("every '[' of a pattern has its ']'", fix="add the ']', or write [[] for the character")
    return _without_nul(text)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise RuleError("no file name has a NUL in it", fix="delete the character")
    return text


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))


def _dotted_like(text: str) -> str:
    """The import path that a file path, a `module:name` or a call was meant to be."""
    guess = re.sub(r"\(.*\)\Z", "", text.strip())
    guess = re.sub(r"\.py\Z|\.py(?=[:/])", "", guess)
    guess = re.sub(r"[/\\:]+", ".", guess.removeprefix("./")).strip(".").replace("-", "_")
    if guess.isidentifier():
        return f"write its module before it, such as 'shop.{guess}'"
    is_close = guess != text and "." in guess and _is_dotted(guess)
    return f"write '{guess}'" if is_close else "write names joined by dots, as in an import statement"


def _unless_same(guess: str, text: str) -> str:
    return f"write '{guess}'" if guess and guess != text else ""


def _tag_like(text: str) -> str:
    return _unless_same(re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_")[:63], text)


def _name_like(text: str, separator: str) -> str:
    guess = re.sub(r"[^A-Za-z0-9_-]+" if separator == "-" else r"[^A-Za-z0-9_]+", separator, text).strip("-_")
    return f"write '{guess}'" if guess and guess[0].isalpha() and guess != text else ""


def _zone_like(text: str) -> str:
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])0?(\d{1,2})(?::?00)?", text)
    if offset:
        inverted = "-" if offset[1] == "+" else "+"
        return f"name the zone, or write 'Etc/GMT{inverted}{offset[2]}', which knows no summer time"
    return did_you_mean(text, available_timezones())


def _read_text(value: object) -> object:
    """Numbers where text is meant, as YAML reads `start: 2024`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(value)


def _read_tag_value(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else _read_text(value)


def _read_key(value: object) -> object:
    if isinstance(value, float):
        raise RuleError(
            f"YAML reads it as the number {value}, whose digits may differ from what was written",
            fix="put it in quotes",
        )
    return _read_text(value)


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise RuleError("it is a number, not true or false", fix="write a number")
    return value


class _Rule:
    """A check of the text; pydantic's `AfterValidator` looks at the function's signature for every field anew."""

    def __init__(self, check: Callable[[str], str]) -> None:
        self._check = check

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))


_TEXT_OR_NUMBER = WithJsonSchema({"type": ["string", "number"]})

Text: TypeAlias = Annotated[str, BeforeValidator(_read_text), _TEXT_OR_NUMBER]
WholeNumber: TypeAlias = Annotated[int, BeforeValidator(_refuse_bool)]
Number: TypeAlias = Annotated[float, BeforeValidator(_refuse_bool)]
Identifier: TypeAlias = Annotated[str, _Rule(check_identifier)]
DefinitionName: TypeAlias = Annotated[str, _Rule(check_definition_name)]
ProjectName: TypeAlias = Annotated[str, _Rule(check_project_name)]
ProfileName: TypeAlias = Annotated[str, _Rule(check_project_name)]
EnvironmentName: TypeAlias = Annotated[str, _Rule(check_environment_name)]
VariableName: TypeAlias = Annotated[str, _Rule(check_variable_name)]
ModuleReference: TypeAlias = Annotated[str, _Rule(check_module_reference)]
FunctionReference: TypeAlias = Annotated[str, _Rule(check_function_reference)]
CronExpression: TypeAlias = Annotated[str, _Rule(check_cron)]
TimeZone: TypeAlias = Annotated[str, _Rule(check_time_zone)]
LocalPath: TypeAlias = Annotated[str, _Rule(check_local_path)]
GlobPattern: TypeAlias = Annotated[str, _Rule(check_file_pattern)]
AssetGlob: TypeAlias = Annotated[str, _Rule(check_asset_glob)]
SelectionItem: TypeAlias = Annotated[str, _Rule(check_selection_item)]
ExcludedItem: TypeAlias = Annotated[str, _Rule(check_excluded_item)]
GroupName: TypeAlias = Annotated[str, _Rule(check_group_name)]
PartitionKey: TypeAlias = Annotated[
    str, BeforeValidator(_read_key), _Rule(check_partition_key), WithJsonSchema({"type": ["string", "integer"]})
]
PartitionSelector: TypeAlias = Annotated[
    str, BeforeValidator(_read_key), _Rule(check_partition_selector), WithJsonSchema({"type": ["string", "integer"]})
]
TagKey: TypeAlias = Annotated[str, _Rule(check_tag_key)]
TagValue: TypeAlias = Annotated[
    str, BeforeValidator(_read_tag_value), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
AssetTagValue: TypeAlias = Annotated[
    str,
    BeforeValidator(_read_tag_value),
    _Rule(check_asset_tag_value),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Kind: TypeAlias = Annotated[str, _Rule(check_kind)]
Owner: TypeAlias = Annotated[str, _Rule(check_owner)]
PoolName: TypeAlias = Annotated[str, _Rule(check_pool)]
RegularExpression: TypeAlias = Annotated[str, _Rule(check_regex)]
Url: TypeAlias = Annotated[str, _Rule(check_url)]
DatabaseUri: TypeAlias = Annotated[str, _Rule(check_database_uri)]
BucketName: TypeAlias = Annotated[str, _Rule(check_bucket)]
Duration: TypeAlias = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration), WithJsonSchema({"type": "string"})
]
