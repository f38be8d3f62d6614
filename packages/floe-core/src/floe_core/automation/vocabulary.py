"""Every condition and method that an expression may name, with the parameters it takes.

The names, parameters and scopes are those of `dagster.AutomationCondition`; a test holds them against the Dagster that
is installed. Conditions of whole jobs are left out: floe.yaml sets the conditions of assets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["asset", "check", "both"]
"""What a condition can be true of: assets, asset checks, or either."""

WORDS = ("eager", "on_missing", "on_cron")
"""The conditions that may stand without parentheses; `on_cron` then takes the cron of the asset's time window."""


class Kind(Enum):
    """What an argument is: the words for it, and an example."""

    words: str
    example: str

    def __init__(self, words: str, example: str) -> None:
        self.words = words
        self.example = example

    ASSET_CONDITION = "a condition of assets", "missing()"
    CHECK_CONDITION = "a condition of asset checks", "check_failed()"
    CONDITION = "a condition", "in_progress()"
    CONDITION_OR_NAME = "a condition, or the name of one in quotes", "'any_deps_missing'"
    CRON = "a cron expression in quotes", "'0 6 * * *'"
    TIME_ZONE = "a time zone in quotes", "'Europe/Berlin'"
    DURATION = "a length of time in quotes", "'2d'"
    FLAG = "true or false", "True"
    ASSET_KEY = "an asset key in quotes", "'bronze/orders'"
    SELECTION = "a selection item in quotes, or a list of them", "'group:bronze'"
    LABEL = "a text in quotes", "'nightly'"
    TAG_KEYS = "names of tags in quotes", "{'team', 'tier'}"
    TAG_VALUES = "tags with their values", "{'team': 'data'}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a condition or method."""

    name: str
    kind: Kind
    required: bool = True
    by_name_only: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a condition or method is called with; `scope` is that of the condition that a call gives."""

    parameters: tuple[Parameter, ...] = ()
    scope: Scope = "both"


_CRON = (Parameter("cron_schedule", Kind.CRON), Parameter("cron_timezone", Kind.TIME_ZONE, required=False))
_TAGS = (
    Parameter("tag_keys", Kind.TAG_KEYS, required=False, by_name_only=True),
    Parameter("tag_values", Kind.TAG_VALUES, required=False, by_name_only=True),
)
_OF_ASSET = Parameter("condition", Kind.ASSET_CONDITION)
_OF_CHECK = Parameter("condition", Kind.CHECK_CONDITION)
_BLOCKING_ONLY = Parameter("blocking_only", Kind.FLAG, required=False)
_SELECTION = Parameter("selection", Kind.SELECTION)

CONDITIONS: Mapping[str, Signature] = MappingProxyType(
    {
        "eager": Signature(),
        "on_missing": Signature(),
        "on_cron": Signature(_CRON),
        "missing": Signature(),
        "newly_missing": Signature(),
        "newly_updated": Signature(),
        "newly_requested": Signature(),
        "will_be_requested": Signature(),
        "in_progress": Signature(),
        "run_in_progress": Signature(),
        "backfill_in_progress": Signature(),
        "execution_failed": Signature(),
        "initial_evaluation": Signature(),
        "cron_tick_passed": Signature(_CRON),
        "in_latest_time_window": Signature((Parameter("lookback_delta", Kind.DURATION, required=False),)),
        "code_version_changed": Signature(scope="asset"),
        "data_version_changed": Signature(scope="asset"),
        "freshness_passed": Signature(scope="asset"),
        "freshness_warned": Signature(scope="asset"),
        "freshness_failed": Signature(scope="asset"),
        "any_deps_match": Signature((_OF_ASSET,)),
        "all_deps_match": Signature((_OF_ASSET,)),
        "any_deps_missing": Signature(),
        "any_deps_updated": Signature(),
        "any_deps_in_progress": Signature(),
        "all_deps_updated_since_cron": Signature(_CRON),
        "all_deps_blocking_checks_passed": Signature(),
        "any_checks_match": Signature((_OF_CHECK, _BLOCKING_ONLY), scope="asset"),
        "all_checks_match": Signature((_OF_CHECK, _BLOCKING_ONLY), scope="asset"),
        "check_passed": Signature(scope="check"),
        "check_failed": Signature(scope="check"),
        "asset_matches": Signature((Parameter("key", Kind.ASSET_KEY), _OF_ASSET)),
        "any_downstream_conditions": Signature(scope="asset"),
        "executed_with_root_target": Signature(),
        "executed_with_tags": Signature(_TAGS),
        "any_new_update_has_run_tags": Signature(_TAGS, scope="asset"),
        "all_new_updates_have_run_tags": Signature(_TAGS, scope="asset"),
    }
)
"""Name → signature of every condition."""

METHODS: Mapping[str, Signature] = MappingProxyType(
    {
        "since": Signature((Parameter("reset_condition", Kind.CONDITION),)),
        "since_last_handled": Signature(),
        "newly_true": Signature(),
        "without": Signature((Parameter("condition", Kind.CONDITION),)),
        "replace": Signature((Parameter("old", Kind.CONDITION_OR_NAME), Parameter("new", Kind.CONDITION))),
        "with_label": Signature((Parameter("label", Kind.LABEL),)),
        "allow": Signature((_SELECTION,)),
        "ignore": Signature((_SELECTION,)),
        "resolve_through_virtual": Signature((Parameter("value", Kind.FLAG, required=False),)),
    }
)
"""Name → signature of every method; what a method gives has the scope of what it is called on."""
