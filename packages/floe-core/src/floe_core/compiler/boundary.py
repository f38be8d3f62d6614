"""Whether floe.yaml stays logical: no address, bucket, region or credential stands in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from floe_core.allowances import apply_allowances
from floe_core.compiler.place_shapes import find_address, find_place
from floe_core.errors import Location, Problem, YamlPath, format_yaml_path
from floe_core.interpolation import defaults_in
from floe_core.secrets.names import is_secret_number
from floe_core.secrets.shapes import find_secret, find_secret_shape, windows_of
from floe_core.source_map import SourceMap
from floe_core.yaml_text.values import Comment

PHYSICAL_VALUE = "FLOE-210"
CREDENTIAL_VALUE = "FLOE-211"

_ALLOWED = {PHYSICAL_VALUE: "a place", CREDENTIAL_VALUE: "what looks like a secret"}

_FOR_PEOPLE = frozenset(
    "description metadata owners tags run_tags partition_keys partition_range partition_key partition_selector".split()
)
"""Fields for people, and keys that only look like places: a region is a fine partition key."""
_LOCAL_PATHS = frozenset({"path", "manifest_path", "project_dir", "profiles_dir"})
"""Fields whose own rule refuses what is not local."""
_CODE = frozenset({"asset_modules", "target_function", "translator", "hooks", "fn"})
_SELECTIONS = frozenset({"selection", "exclude", "watched_assets", "select", "selector"})
_TEXTS_WITH_COLONS = frozenset({"cron_schedule", "fmt", "start", "end", "automation_condition", "partition_pattern"})
_PROFILES = frozenset({"storage", "catalog", "compute"})
"""Fields that hold the name of a profile: the rule of a name refuses whatever is a place, and says where that goes."""
_FREE_SECTIONS = frozenset({"version", "name"})

_FAMILIES = {
    "dbt": "dbt",
    "partitions": "partitions definition",
    "assets": "asset pattern",
    "jobs": "job",
    "schedules": "schedule",
    "sensors": "sensor",
    "backfills": "backfill",
}

_LONG_KEY = 12
_NO_NAME = re.compile(r"(?!.*\$\{).*[^\w-].*", re.DOTALL)
"""What stands in the document as it is and is refused as a name."""


def check_boundary(raw: object, source: SourceMap, *, comments: Iterable[Comment] = ()) -> list[Problem]:
    """The problems of values in floe.yaml that belong into platform.yaml or nowhere.

    Args:
        raw: The document before values from the environment are filled in, so that defaults are looked at as well.
        source: Where it stands.
        comments: The document's; they are searched for secrets, and may allow what only looks like one.
    """
    comments = tuple(comments)
    found = [
        *_find_in_values(raw, source),
        *_find_in_keys(raw, source),
        *_find_in_comments(comments, source),
    ]
    return without_secret_lines(apply_allowances(list(dict.fromkeys(found)), comments, source, codes=_ALLOWED))


def secret_lines(problems: Iterable[Problem]) -> list[int]:
    """The lines that *problems* find secrets on."""
    found = [problem.location for problem in problems if problem.code == CREDENTIAL_VALUE]
    return [location.line for location in found if location is not None and location.line is not None]


def without_secret_lines(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, none of which quotes a line that one of them finds a secret in."""
    known = list(problems)
    places = {_line(problem) for problem in known if problem.code == CREDENTIAL_VALUE}
    return [_without_line(problem) if _line(problem) in places else problem for problem in known]


@dataclass(frozen=True, slots=True)
class _Finding:
    """What a value looks like, such as "a remote address"."""

    what: str
    is_secret: bool = False


def _find_in_values(raw: object, source: SourceMap) -> Iterator[Problem]:
    for path, value in _scalars_in(raw):
        finding = _find(path, value)
        if finding is not None:
            yield _problem(finding, _holder(path), source.locate(*path))


def _find_in_keys(raw: object, source: SourceMap) -> Iterator[Problem]:
    for path in _keys_in(raw):
        key, above = str(path[-1]), path[:-1]
        secret = next(filter(None, map(find_secret_shape, windows_of(key))), "")
        finding = _Finding(secret, is_secret=True) if secret else _Finding("a remote address") if "://" in key else None
        if finding is not None and above:
            location = replace(source.locate(*path, key=True), yaml_path=format_yaml_path(above))
            yield _problem(finding, _holder(above), location)


def _find_in_comments(comments: Iterable[Comment], source: SourceMap) -> Iterator[Problem]:
    for comment in comments:
        windows = windows_of(comment.text.lstrip("# "))
        secret = next(filter(None, (find_secret("", window, is_for_people=True) for window in windows)), "")
        if secret:
            location = Location(source.file, comment.line, comment.column)
            yield _problem(_Finding(secret, is_secret=True), ("a comment", ""), location)


def _scalars_in(value: object, path: YamlPath = ()) -> Iterator[tuple[YamlPath, str | int]]:
    """Every text and number in *value* with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _scalars_in(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _scalars_in(item, (*path, index))
    elif path and (isinstance(value, str | int) and not isinstance(value, bool)):
        yield path, value


def _keys_in(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    """The path of every key in *value* that is long enough to be more than a name."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if len(key) >= _LONG_KEY:
                yield (*path, key)
            yield from _keys_in(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _keys_in(item, (*path, index))


def _find(path: YamlPath, value: str | int) -> _Finding | None:
    field = _field(path)
    key, above = [*(part for part in reversed(path) if isinstance(part, str)), "", ""][:2]
    if isinstance(value, int):
        return _Finding(f"the value of '{key}'", is_secret=True) if is_secret_number(key, value) else None
    candidates = [window for text in (value, *defaults_in(value)) for window in windows_of(text)]
    is_note = str(path[0]).startswith("x-")
    for candidate in candidates:
        secret = find_secret(key, candidate, above=above, is_for_people=field in _FOR_PEOPLE or is_note)
        if secret:
            return _Finding(secret, is_secret=True)
    if is_note or field in _FOR_PEOPLE | _LOCAL_PATHS | _FREE_SECTIONS:
        return None
    if path[0] in _PROFILES and (len(path) > 1 or _NO_NAME.fullmatch(value)):
        return None
    has_own_signs = field in _SELECTIONS | _TEXTS_WITH_COLONS | _CODE
    for candidate in candidates:
        place = find_address(candidate) if has_own_signs else find_place(key, candidate)
        if place:
            return _Finding(place)
    return None


def _field(path: YamlPath) -> str:
    """The field of the definition that *path* leads into: `args` in `orchestration.jobs.vacuum.args.host`."""
    if path[0] != "orchestration" or len(path) < 2:
        return str(path[-1]) if path[0] == "transforms" else str(path[0])
    if path[1] == "dbt":
        return str(path[2]) if len(path) > 2 else ""
    if path[1] == "partitions" and "partition_keys" in path:
        return "partition_keys"
    if path[1] == "partitions":
        return str(path[-1])
    return str(path[3]) if len(path) > 3 else str(path[1])


def _problem(finding: _Finding, holder: tuple[str, str], location: Location) -> Problem:
    thing, place = holder
    what = f"{thing} holds {finding.what}" + (f" in {place}" if place else "")
    if finding.is_secret:
        return Problem(
            CREDENTIAL_VALUE,
            what,
            location,
            why="floe.yaml is stored, compiled and shown, so a secret in it is known to everybody",
            fix="change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml",
        )
    return Problem(
        PHYSICAL_VALUE,
        what,
        location,
        why="floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml",
        fix="add it under 'resources' of platform.yaml, and let the function ask for the resource by its name",
    )


def _holder(path: YamlPath) -> tuple[str, str]:
    """What holds the value at *path*, and where in it."""
    family = _FAMILIES.get(str(path[1])) if path[0] == "orchestration" and len(path) > 2 else None
    if family is None:
        return format_yaml_path(path), ""
    holder, rest = (family, path[2:]) if path[1] == "dbt" else (f"{family} '{path[2]}'", path[3:])
    return holder, format_yaml_path(rest)


def _line(problem: Problem) -> tuple[str, int | None] | None:
    return (problem.location.file, problem.location.line) if problem.location else None


def _without_line(problem: Problem) -> Problem:
    """The problem without the line that it quotes: something on it must not be shown."""
    return replace(problem, location=replace(problem.location, source_line=None)) if problem.location else problem
