"""Whether floe.yaml stays logical: no address, bucket, region or credential stands in it."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from floe_core.errors import Problem, YamlPath, format_yaml_path
from floe_core.source_map import SourceMap
from floe_core.templates import texts_in

PHYSICAL_VALUE = "FLOE-210"
CREDENTIAL_VALUE = "FLOE-211"

_SECRETS_ONLY = frozenset(
    "description metadata owners tags run_tags partition_keys partition_range partition_key partition_selector".split()
)
"""Fields for people, and keys that only look like places: a region is a fine partition key."""
_LOCAL_PATHS = frozenset({"path", "manifest_path", "project_dir", "profiles_dir"})
"""Fields whose own rule refuses what is not local."""
_SELECTIONS = frozenset({"selection", "exclude", "watched_assets", "select", "selector"})
_TEXTS_WITH_COLONS = frozenset({"cron_schedule", "fmt", "start", "end", "automation_condition", "partition_pattern"})
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

_DEFAULT = re.compile(r"\$\{\w+:-?([^{}]*)\}")
_URL = re.compile(r"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]+)://[^\s'\"]")
_CONNECTION = re.compile(
    r"(?i)\bjdbc:|\barn:aws|\b(?:AccountKey|SharedAccessKey|AccountName)=|\b(?:Server|Data Source)=[^;]+;"
    r"|\bhost=\S+.*\b(?:dbname|user|password)="
)
_HOST_PORT = re.compile(
    r"(?!(?:tag|group|kind|owner|key|asset|last|source|path|config|model|version|state|result|sha\d*|md5):)"
    r"(?:[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})(?:/\S*)?"
)
_IP_ADDRESS = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")
_CLOUD_HOST = re.compile(
    r"(?i)(?:[\w-]+\.)+(?:amazonaws\.com|windows\.net|azure\.com|googleapis\.com|snowflakecomputing\.com|"
    r"azuredatabricks\.net|cloud\.databricks\.com|database\.cloud|svc\.cluster\.local|aivencloud\.com|mongodb\.net)\b"
)
_REGION = re.compile(
    r"(?:us|eu|ap|sa|ca|me|af|il|cn|mx)(?:-gov|-iso)?-(?:north|south|east|west|central)(?:east|west)?-\d"
    r"|(?:us|europe|asia|australia|northamerica|southamerica|africa|me)"
    r"-(?:north|south|east|west|central)(?:east|west)?\d+(?:-[a-f])?"
    r"|(?:west|north)europe|(?:east|west|central|northcentral|southcentral|westcentral)us[23]?"
    r"|(?:uk|france|germany)(?:south|west|central|westcentral)"
)
_TOKEN_SHAPES = (
    ("an AWS access key", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a private key", ("PRIVATE KEY",), r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("a GitHub token", ("gh",), r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,})"),
    ("a GitLab token", ("glpat-",), r"\bglpat-[\w-]{20,}"),
    ("a Slack token", ("xox",), r"\bxox[abprs]-[\w-]{10,}"),
    ("a Slack webhook", ("hooks.slack.com",), r"hooks\.slack\.com/services/\S+"),
    ("a Google API key", ("AIza",), r"\bAIza[\w-]{35}"),
    ("a Databricks token", ("dapi",), r"\bdapi[0-9a-f]{32}"),
    ("a Stripe key", ("k_live_", "k_test_"), r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("an API key", ("sk-", "pk-"), r"\b(?:sk|pk)-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}"),
    ("an API key", ("hf", "npm", "pypi"), r"\b(?:hf|npm|pypi)[_-][A-Za-z0-9_-]{20,}"),
    ("a JSON web token", ("eyJ",), r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    ("a storage key", ("=",), r"(?i)\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[^;\s]{8,}"),
    ("an address with a password", ("://",), r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:(?!\$\{)[^/\s:@]+@"),
    ("a password", ("=",), r"(?i)\b(?:password|passwd|pwd)\s*=\s*(?!\$\{)[^\s;&]+"),
)
"""What it is, what stands in every such text, and its shape; few texts are ever held against one."""
_SECRET_KEY = re.compile(
    r"(?i)(?:^|[_.-])(?:password|passwd|passphrase|pwd|secret|secret_?key|access_?key|api_?key|auth_?token|access_?token|"
    r"bearer_?token|private_?key|client_?secret|token|credentials?)$"
)
_SECRET_ALONE = re.compile(r"(?i)(?:^|_)(?:password|passwd|passphrase|pwd)$")
_RANDOM = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=.-])")
_LEAST_ENTROPY = 4.0
"""Bits per character; words stay below, random base64 of this length is above."""


def check_boundary(raw: object, source: SourceMap) -> list[Problem]:
    """The problems of values in floe.yaml that belong into platform.yaml or nowhere.

    Args:
        raw: The document before values from the environment are filled in, so that defaults are looked at as well.
        source: Where it stands.
    """
    texts = [(path, text) for path, text in texts_in(raw) if path and not str(path[0]).startswith("x-")]
    findings = [(path, finding) for path, text in texts if (finding := _find(path, text)) is not None]
    problems = [_problem(finding, path, source) for path, finding in findings]
    secret_lines = {source.locate(*path).line for path, finding in findings if finding.is_secret}
    return [_without_line(problem) if _line(problem) in secret_lines else problem for problem in problems]


@dataclass(frozen=True, slots=True)
class _Finding:
    """What a value looks like, such as "a remote address"."""

    what: str
    is_secret: bool = False


def _find(path: YamlPath, text: str) -> _Finding | None:
    field = _field(path)
    candidates = [text, *_defaults(text)]
    for candidate in candidates:
        secret = _find_secret(path, candidate)
        if secret:
            return _Finding(secret, is_secret=True)
    if field in _SECRETS_ONLY or field in _LOCAL_PATHS or field in _FREE_SECTIONS:
        return None
    found = (_find_physical(field, candidate) for candidate in candidates)
    return next((_Finding(what) for what in found if what), None)


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


def _defaults(text: str) -> Iterator[str]:
    """The defaults of the expressions in *text*, from the innermost on."""
    while (matched := _DEFAULT.search(text)) is not None:
        yield matched[1]
        text = text[: matched.start()] + matched[1] + text[matched.end() :]
        yield text


def _find_physical(field: str, text: str) -> str:
    if _URL.search(text):
        return "a remote address"
    if _CONNECTION.search(text):
        return "a connection string"
    if _CLOUD_HOST.search(text):
        return "the host of a cloud service"
    if field in _SELECTIONS or field in _TEXTS_WITH_COLONS:
        return ""
    port = _HOST_PORT.fullmatch(text.strip())
    if port and int(port[1]) <= 65535:
        return "a host and port"
    if _IP_ADDRESS.fullmatch(text.strip()):
        return "an IP address"
    return "a cloud region" if _REGION.fullmatch(text.strip()) else ""


def _find_secret(path: YamlPath, text: str) -> str:
    for what, marks, shape in _TOKEN_SHAPES:
        if any(mark in text for mark in marks) and re.search(shape, text):
            return what
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if _SECRET_KEY.search(key) and _looks_like_a_value(text, is_certain=bool(_SECRET_ALONE.search(key))):
        return f"the value of '{key}'"
    return "what looks like a random key" if any(map(_is_random, _RANDOM.findall(text))) else ""


def _looks_like_a_value(text: str, *, is_certain: bool) -> bool:
    """Whether text under a key such as `token` is a secret: no expression, no name of a variable or a column."""
    if "${" in text or not text.strip() or " " in text.strip():
        return False
    if is_certain:
        return not re.fullmatch(r"[A-Z][A-Z0-9_]*", text)
    is_name = re.fullmatch(r"[A-Z][A-Z0-9_]*|[a-z]+(?:_[a-z0-9]+)*", text)
    return len(text) >= 8 and bool(re.search(r"\d", text)) and not is_name


def _is_random(text: str) -> bool:
    kinds = sum(bool(re.search(kind, text)) for kind in (r"[a-z]", r"[A-Z]", r"\d"))
    if kinds < 3 or re.fullmatch(r"(?:[A-Za-z_-]+\d{0,4}/)*[A-Za-z_-]+\d{0,4}", text):
        return False
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts) >= _LEAST_ENTROPY


def _problem(finding: _Finding, path: YamlPath, source: SourceMap) -> Problem:
    location = source.locate(*path)
    what = _what(finding, path)
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


def _what(finding: _Finding, path: YamlPath) -> str:
    family = _FAMILIES.get(str(path[1])) if path[0] == "orchestration" and len(path) > 2 else None
    if family is None:
        return f"{format_yaml_path(path)} holds {finding.what}"
    holder, rest = (family, path[2:]) if path[1] == "dbt" else (f"{family} '{path[2]}'", path[3:])
    return f"{holder} holds {finding.what}" + (f" in {format_yaml_path(rest)}" if rest else "")


def _line(problem: Problem) -> int | None:
    return problem.location.line if problem.location else None


def _without_line(problem: Problem) -> Problem:
    """The problem without the line that it quotes: something on it must not be shown."""
    return replace(problem, location=replace(problem.location, source_line=None)) if problem.location else problem
