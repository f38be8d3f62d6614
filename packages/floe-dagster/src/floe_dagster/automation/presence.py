"""Dagster's conditions, built so that upstreams which Dagster cannot materialise count as present.

Dagster's own `eager()` waits for an external asset for ever, since nothing reports that it is there.
"""

from functools import cache
from typing import TypeAlias

import dagster as dg
from dagster._utils.warnings import disable_dagster_warnings

AssetCondition: TypeAlias = dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]
"""A condition that an asset may have; Dagster says that most are true of checks, too."""


def any_deps_missing() -> AssetCondition:
    """True where an upstream is missing that could be there."""
    return dg.AutomationCondition.any_deps_missing().ignore(_not_materialised())


def all_deps_updated_since_cron(cron_schedule: str, cron_timezone: str = "UTC") -> AssetCondition:
    """True where all upstreams that can be updated were, since the last tick."""
    return dg.AutomationCondition.all_deps_updated_since_cron(cron_schedule, cron_timezone).ignore(_not_materialised())


def eager() -> AssetCondition:
    """True when an upstream was updated, or a new partition is there."""
    return dg.AutomationCondition.eager().replace("any_deps_missing", any_deps_missing())


def on_cron(cron_schedule: str, cron_timezone: str = "UTC") -> AssetCondition:
    """True when all upstreams were updated after a tick."""
    updated = all_deps_updated_since_cron(cron_schedule, cron_timezone)
    return dg.AutomationCondition.on_cron(cron_schedule, cron_timezone).replace(updated.get_label() or "", updated)


def on_missing() -> AssetCondition:
    """True of every partition that is missing and could be made, old ones included; of each once.

    It is true again when the partition was there and is missing again, or when an upstream was updated and nothing is
    under way. What failed is left to the user, and so is what was cancelled.
    """
    ac = dg.AutomationCondition
    # Dagster stores what a `since` remembers by the kinds of its two parts: they must differ from those of eager's.
    wanted = ac.missing() & (ac.missing().newly_true() | (ac.any_deps_updated() & ~ac.in_progress()))
    return (
        ac.missing()
        & wanted.since(ac.newly_requested() | ac.newly_updated()).with_label("not_requested_yet")
        & ~any_deps_missing()
        & ~ac.any_deps_in_progress()
        & ~ac.in_progress()
        & ~ac.execution_failed()
    ).with_label("on_missing")


@cache
def _not_materialised() -> dg.AssetSelection:
    with disable_dagster_warnings():  # to select external assets is in beta
        return dg.AssetSelection.all(include_sources=True) - dg.AssetSelection.all()
