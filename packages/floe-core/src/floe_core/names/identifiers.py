"""Names that a document gives to things: jobs, profiles, groups, environments, variables."""

import keyword
import re
import unicodedata
from typing import Annotated, TypeAlias

from floe_core.names.rules import Rule, RuleError

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PROJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_GROUP_NAME = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")
_KEY_PREFIX = re.compile(r"/*[^\s,/]+(/+[^\s,/]+)*/*")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SECTIONS_WITH_TABLES = ("catalogs", "compute")
_NAMES_DAGSTER_REFUSES = frozenset(
    "context conf config meta arg_dict dict input_arg_dict output_arg_dict int str float bool input output type".split()
)


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


def check_profile_of_tables(text: str) -> str:
    """*text*, if it names a profile that has tables: `catalogs.NAME` or `compute.NAME`."""
    section, dot, name = text.partition(".")
    if section not in SECTIONS_WITH_TABLES or not _PROJECT_NAME.fullmatch(name):
        rest = name if dot and _PROJECT_NAME.fullmatch(name) else "default"
        guess = "catalogs" if section.startswith("cat") else "compute"
        raise RuleError(
            "tables belong to a profile of 'catalogs' or 'compute', named with its section",
            fix=f"write '{guess}.{rest}'",
        )
    return text


def check_group_name(text: str) -> str:
    """*text*, if Dagster takes it as an asset group."""
    if not _GROUP_NAME.fullmatch(text):
        raise RuleError("a group has letters, digits and '_' (and '/' between its parts)", fix=_name_like(text, "_"))
    return text


def check_key_prefix(text: str) -> str:
    """*text*, if it may stand before asset keys: one part, or several with '/' between them."""
    if not _KEY_PREFIX.fullmatch(text):
        rule = "a key prefix has no blanks and no commas" if text.strip("/") else "a key prefix is not empty"
        guess = re.sub(r"[\s,]+", "_", text.strip(" ,/"))
        raise RuleError(rule, fix=f"write '{guess}'" if guess else "write a name, or delete it")
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


def _name_like(text: str, separator: str) -> str:
    # Letters with marks become those without; what has no such form (ß, 東) becomes a separator.
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    guess = re.sub(r"[^A-Za-z0-9_-]+" if separator == "-" else r"[^A-Za-z0-9_]+", separator, plain).strip("-_")
    return f"write '{guess}'" if guess and guess[0].isalpha() and guess != text else ""


Identifier: TypeAlias = Annotated[str, Rule(check_identifier)]
DefinitionName: TypeAlias = Annotated[str, Rule(check_definition_name)]
ProjectName: TypeAlias = Annotated[str, Rule(check_project_name)]
ProfileName: TypeAlias = Annotated[str, Rule(check_project_name)]
ProfileOfTables: TypeAlias = Annotated[str, Rule(check_profile_of_tables)]
GroupName: TypeAlias = Annotated[str, Rule(check_group_name)]
KeyPrefix: TypeAlias = Annotated[str, Rule(check_key_prefix)]
EnvironmentName: TypeAlias = Annotated[str, Rule(check_environment_name)]
VariableName: TypeAlias = Annotated[str, Rule(check_variable_name)]
