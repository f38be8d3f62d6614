"""Schedules: what they say, and which contradict themselves."""

import pytest
from inline_snapshot import snapshot

from builders import SCHEDULE, refusal_report, schedule
from floe_core.interpolation import EnvText, Unset
from floe_core.schemas.schedule_definition import ScheduleDefinition


def test_a_schedule_is_on_in_utc_in_every_environment() -> None:
    daily = schedule()

    assert (daily.enabled, daily.timezone, daily.environments) == (True, "UTC", ())
    assert (daily.cron_schedule, daily.partition_selector) == (("0 6 * * *",), None)


@pytest.mark.parametrize(("text", "enabled"), [("true", True), ("false", False), ("no", False), ("1", True)])
def test_the_environment_says_whether_it_is_enabled(text: str, enabled: bool) -> None:
    assert schedule(enabled=EnvText(text)).enabled is enabled


def test_several_cron_expressions_are_a_list() -> None:
    assert schedule(cron_schedule=["@daily", " 0 6 * * mon "]).cron_schedule == ("@daily", "0 6 * * mon")


@pytest.mark.parametrize(
    ("value", "selector"),
    [
        ("latest", "latest"),
        ("all", "all"),
        ("none", "none"),
        ("last:3", "last:3"),
        ("us-east", "us-east"),
        (2024, "2024"),
    ],
)
def test_a_partition_selector_is_a_word_or_a_key(value: object, selector: str) -> None:
    assert schedule(partition_selector=value).partition_selector == selector


def test_a_selection_takes_the_place_of_a_job() -> None:
    assert schedule(job=None, selection="group:gold").selection == ("group:gold",)


def test_a_job_that_waits_for_a_variable_is_one() -> None:
    assert schedule(job=Unset("${JOB}")).selection == ()


@pytest.mark.requirement("010-FR-029")
def test_schedules_that_are_refused() -> None:
    cases: dict[str, object] = {
        "nothing to launch": {"cron_schedule": "@daily"},
        "job and selection": {**SCHEDULE, "selection": ["*"]},
        "no cron": {"job": "load"},
        "empty list of crons": {**SCHEDULE, "cron_schedule": []},
        "wrong cron": {**SCHEDULE, "cron_schedule": "61 * * * *"},
        "wrong cron in a list": {**SCHEDULE, "cron_schedule": ["@daily", "0 6 * *"]},
        "number as cron": {**SCHEDULE, "cron_schedule": 6},
        "zone": {**SCHEDULE, "timezone": "Amerca/New_York"},
        "enabled": {**SCHEDULE, "enabled": "perhaps"},
        "yes, as YAML 1.1 had it": {**SCHEDULE, "enabled": "yes"},
        "number as a switch": {**SCHEDULE, "enabled": 1},
        "no environment": {**SCHEDULE, "environments": []},
        "last none": {**SCHEDULE, "partition_selector": "last:0"},
        "unknown key": {**SCHEDULE, "cron": "@daily"},
    }

    assert refusal_report(ScheduleDefinition, cases) == snapshot("""\
# nothing to launch
a schedule launches a job or a selection of assets
  fix: add 'job: NAME' or 'selection: […]'
# job and selection
selection: a schedule launches one thing, a job or a selection
  fix: delete 'job' or 'selection'
# no cron
cron_schedule: Field required
# empty list of crons
cron_schedule: the list is empty
  fix: name at least one, or leave the key out
# wrong cron
cron_schedule[0]: minute 61 is not in 0-59
  fix: write 0 to 59
# wrong cron in a list
cron_schedule[1]: it has 4 fields instead of five: minute, hour, day of month, month, day of week
  fix: write the five fields: '0 6 * * *'
# number as cron
cron_schedule[0]: Input should be a valid string
# zone
timezone: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: did you mean 'America/New_York'?
# enabled
enabled: Input should be a valid boolean
# yes, as YAML 1.1 had it
enabled: Input should be a valid boolean
# number as a switch
enabled: Input should be a valid boolean
# no environment
environments: the list is empty
  fix: name at least one, or leave the key out
# last none
partition_selector: it is 'latest', 'all', 'last:N' from 1 on, 'none' or a partition key
  fix: write 'latest' for the last one
# unknown key
cron: Extra inputs are not permitted\
""")
