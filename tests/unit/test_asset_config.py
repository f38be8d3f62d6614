"""Settings of assets by pattern: what they say, and which contradict themselves."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from builders import asset_config, refusal_report
from floe_core.schemas.asset_config import AssetConfig, ConditionFunction, CronFreshness, WindowFreshness


def test_a_pattern_that_says_nothing_sets_nothing() -> None:
    assert asset_config().model_dump(exclude_none=True) == {}


def test_an_empty_value_is_a_setting_too() -> None:
    assert asset_config(tags={}, owners=[]).model_dump(exclude_none=True) == {"tags": {}, "owners": ()}


@pytest.mark.parametrize("word", ["eager", "on_missing", "on_cron", "on_cron('0 6 * * *') & ~in_progress()"])
def test_an_automation_condition_is_an_expression(word: str) -> None:
    assert asset_config(automation_condition=word).automation_condition == word


def test_an_automation_condition_may_come_from_a_function() -> None:
    condition = asset_config(automation_condition={"target_function": "shop.conditions.nightly"}).automation_condition

    assert isinstance(condition, ConditionFunction)
    assert condition.target_function == "shop.conditions.nightly"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("single_run", ("single_run", None), id="one run"),
        pytest.param("multi_run", ("multi_run", None), id="run by run"),
        pytest.param({"type": "multi_run", "max_partitions_per_run": 5}, ("multi_run", 5), id="five at a time"),
    ],
)
def test_a_backfill_policy_is_a_word_or_a_mapping(value: object, expected: tuple[str, int | None]) -> None:
    policy = asset_config(backfill_policy=value).backfill_policy

    assert policy is not None
    assert (policy.type, policy.max_partitions_per_run) == expected


def test_a_partition_column_is_one_or_one_for_each_dimension() -> None:
    assert asset_config(partition_column="day").partition_column == "day"
    assert asset_config(partition_column={"date": "day", "region": "code"}).partition_column == {
        "date": "day",
        "region": "code",
    }


def test_freshness_goes_by_age_or_by_cron() -> None:
    by_age = asset_config(freshness={"fail_after": "24h", "warn_after": "12h"}).freshness
    by_cron = asset_config(freshness={"cron": "0 9 * * *", "lower_bound": "6h", "timezone": "Europe/Berlin"}).freshness

    assert by_age == WindowFreshness.model_validate({"fail_after": "1d", "warn_after": timedelta(hours=12)})
    assert isinstance(by_cron, CronFreshness)
    assert by_cron.lower_bound == timedelta(hours=6)


def test_lists_and_texts_may_be_short() -> None:
    config = asset_config(kinds="python", owners="team:data", code_version=3, tags={"tier": 1})

    assert (config.kinds, config.owners, config.code_version, config.tags) == (
        ("python",),
        ("team:data",),
        "3",
        {"tier": "1"},
    )


def test_settings_that_are_refused() -> None:
    cases: dict[str, object] = {
        "unknown key": {"group": "bronze"},
        "nothing at all": None,
        "group": {"group_name": "bronze layer"},
        "blank condition": {"automation_condition": " "},
        "condition by name": {"automation_condition": {"target_function": "nightly"}},
        "number as condition": {"automation_condition": 3},
        "policy": {"backfill_policy": "one_run"},
        "size of a single run": {"backfill_policy": {"type": "single_run", "max_partitions_per_run": 5}},
        "no partitions in a run": {"backfill_policy": {"type": "multi_run", "max_partitions_per_run": 0}},
        "owner": {"owners": ["data"]},
        "eleven kinds": {"kinds": list("abcdefghijk")},
        "tag with blanks": {"tags": {"note": "see the wiki"}},
        "pool": {"pool": "two words"},
        "blank column": {"partition_column": ""},
        "age without a unit": {"freshness": {"fail_after": 24}},
        "warning after failure": {"freshness": {"fail_after": "12h", "warn_after": "1d"}},
        "age in seconds": {"freshness": {"fail_after": "30s"}},
        "bound longer than the time between ticks": {"freshness": {"cron": "@daily", "lower_bound": "36h"}},
        "both forms": {"freshness": {"cron": "@daily", "lower_bound": "1h", "fail_after": "1d"}},
    }

    assert refusal_report(AssetConfig, cases) == snapshot("""\
# unknown key
group: Extra inputs are not permitted
# nothing at all
Input should be a valid dictionary or instance of AssetConfig
# group
group_name: a group has letters, digits and '_' (and '/' between its parts)
  fix: write 'bronze_layer'
# blank condition
automation_condition.expression: the text is empty
  fix: leave the key out
# condition by name
automation_condition.function.target_function: a function or class is named by its import path: module, dot
    and name, such as 'shop.ops.vacuum'
  fix: write its module before it, such as 'shop.nightly'
# number as condition
automation_condition.expression: Input should be a valid string
# policy
backfill_policy.type: Input should be 'single_run' or 'multi_run'
# size of a single run
backfill_policy.max_partitions_per_run: one run takes the whole range with 'single_run'
  fix: write type: multi_run, or delete it
# no partitions in a run
backfill_policy.max_partitions_per_run: Input should be greater than or equal to 1
# owner
owners[0]: an owner is an email address or 'team:' and a name
  fix: write 'team:data'
# eleven kinds
kinds: Value should have at most 10 items after validation, not 11
# tag with blanks
tags.note: an asset's tag has up to 63 letters, digits, '_', '-' and '.'
  fix: put longer text into 'metadata' or 'description'
# pool
pool: a pool's name has no blanks and is not empty
  fix: write 'two_words'
# blank column
partition_column.column: the text is empty
  fix: leave the key out
# age without a unit
freshness.window.fail_after: a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'
  fix: write '24s', '24m', '24h' or '24d'
# warning after failure
freshness.window.warn_after: the warning comes before the failure, which is after 12h
  fix: write a shorter time
# age in seconds
freshness.window.fail_after: Dagster checks freshness by the minute, so it is at least 1m
  fix: write '1m' or more
# bound longer than the time between ticks
freshness.cron.lower_bound: it is at most the shortest time between two ticks, which is 1d for '@daily'
  fix: write '1d' or less
# both forms
freshness.cron.fail_after: Extra inputs are not permitted\
""")
