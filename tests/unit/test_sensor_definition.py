"""Sensors: what they say, and which contradict themselves."""

import pytest
from inline_snapshot import snapshot

from builders import (
    ASSET_SENSOR,
    AUTOMATION_SENSOR,
    CUSTOM_SENSOR,
    FILE_WATCHER,
    RUN_STATUS,
    asset_sensor,
    automation_sensor,
    custom_sensor,
    file_watcher,
    refusal_report,
    run_status_sensor,
)
from floe_core.interpolation import Unset
from floe_core.schemas.sensor_definition import SensorDefinition, file_placeholders


def test_defaults_of_a_file_watcher() -> None:
    watcher = file_watcher()

    assert (watcher.pattern, watcher.batch, watcher.existing) == ("*", "per_file", "process")
    assert (watcher.settle_seconds, watcher.max_files_per_tick, watcher.poll_interval_seconds) == (5, 100, 30)
    assert (watcher.enabled, watcher.environments, watcher.partition_selector) == (True, (), None)


def test_the_other_kinds_have_their_defaults() -> None:
    assert asset_sensor().trigger == "any"
    assert run_status_sensor().watched_jobs == ()
    assert (custom_sensor().args, custom_sensor().job) == ({}, None)
    assert automation_sensor().run_tags == {}


def test_one_thing_stands_for_a_list_of_one() -> None:
    assert asset_sensor(watched_assets="orders").watched_assets == ("orders",)
    assert asset_sensor(job=None, jobs="load").jobs == ("load",)
    assert asset_sensor(job=None, selection="group:gold").selection == ("group:gold",)


@pytest.mark.parametrize(
    ("written", "status"), [("FAILURE", "FAILURE"), ("failure", "FAILURE"), ("Cancelled", "CANCELED")]
)
def test_a_status_is_read_in_any_case(written: str, status: str) -> None:
    assert run_status_sensor(status=written).status == status


def test_a_callback_takes_the_place_of_a_job() -> None:
    alert = run_status_sensor(job=None, target_function="shop.alerts.send")

    assert (alert.job, alert.target_function) == (None, "shop.alerts.send")


def test_a_file_watcher_fills_in_the_file_and_the_groups_of_its_pattern() -> None:
    watcher = file_watcher(
        partition_pattern=r"(?P<region>\w+)/(?P<day>[\d-]+)\.csv",
        partition_key="{region}|{day}",
        tags={"source": "{file.name}"},
        config={"ops": {"load": {"config": {"path": "{file.path}", "as_it_is": "{{file.path}}", "limit": 3}}}},
    )

    assert file_placeholders(watcher) == ("file.path", "file.name", "file.stem", "region", "day")


def test_a_watcher_of_all_files_fills_in_their_list() -> None:
    assert file_placeholders(file_watcher(batch="all", tags={"files": "{files}"})) == ("files",)


def test_what_waits_for_a_variable_is_not_filled_in() -> None:
    watcher = file_watcher(partition_pattern=Unset("${PATTERN}"), partition_key="{region}")

    assert watcher.partition_key == "{region}"
    assert file_watcher(tags={"a": Unset("${A}{b}")}).tags == {"a": "${A}{b}"}


def test_sensors_that_are_refused() -> None:
    cases: dict[str, object] = {
        "no type": {"job": "load", "path": "incoming"},
        "nothing to launch": {"type": "file_watcher", "path": "incoming"},
        "job and selection": {**FILE_WATCHER, "selection": ["*"]},
        "job and jobs": {**ASSET_SENSOR, "jobs": ["other"]},
        "job twice": {**ASSET_SENSOR, "job": None, "jobs": ["a", "a"]},
        "no path": {"type": "file_watcher", "job": "load"},
        "remote path": {**FILE_WATCHER, "path": "s3://lake/incoming"},
        "web path": {**FILE_WATCHER, "path": "https://example.com/incoming"},
        "pattern above the folder": {**FILE_WATCHER, "pattern": "../*.csv"},
        "open bracket": {**FILE_WATCHER, "pattern": "[a-z.csv"},
        "regular expression": {**FILE_WATCHER, "partition_pattern": "(?P<day>"},
        "no named group": {**FILE_WATCHER, "partition_pattern": r"\d+"},
        "misspelt place": {**FILE_WATCHER, "partition_key": "{file.stm}"},
        "unknown group": {**FILE_WATCHER, "partition_key": "{day}"},
        "open brace": {**FILE_WATCHER, "config": {"ops": {"load": {"config": {"query": "a { b"}}}}},
        "file of many": {**FILE_WATCHER, "batch": "all", "tags": {"file": "{file.name}"}},
        "no time to settle": {**FILE_WATCHER, "settle_seconds": -1},
        "no files": {**FILE_WATCHER, "max_files_per_tick": 0},
        "no interval": {**FILE_WATCHER, "poll_interval_seconds": 0},
        "nothing watched": {**ASSET_SENSOR, "watched_assets": []},
        "trigger": {**ASSET_SENSOR, "trigger": "both"},
        "status": {**RUN_STATUS, "status": "FAILED"},
        "no status": {"type": "run_status", "job": "load"},
        "job and callback": {**RUN_STATUS, "target_function": "shop.alerts.send"},
        "callback with tags": {**RUN_STATUS, "job": None, "target_function": "shop.send", "tags": {"a": "b"}},
        "no watched job": {**RUN_STATUS, "watched_jobs": []},
        "custom without a function": {"type": "custom", "job": "load"},
        "automation with a job": {**AUTOMATION_SENSOR, "job": "load"},
        "custom with job and selection": {**CUSTOM_SENSOR, "job": "load", "selection": ["*"]},
    }

    assert refusal_report(SensorDefinition, cases) == snapshot("""\
# no type
Unable to extract tag using discriminator 'type'
# nothing to launch
file_watcher: a sensor has one of job, jobs, selection
  fix: say what it launches: job: NAME
# job and selection
file_watcher.selection: a sensor has only one of job, jobs, selection
  fix: delete 'job' or 'selection'
# job and jobs
asset_sensor.jobs: a sensor has only one of job, jobs, selection
  fix: delete 'job' or 'jobs'
# job twice
asset_sensor.jobs[1]: every job stands once, and 'a' stands 2 times
  fix: delete the others
# no path
file_watcher.path: Field required
# remote path
file_watcher.path: only local paths may stand here, and s3:// is remote: that belongs into platform.yaml
  fix: name a local folder, or reach the remote place through a resource
# web path
file_watcher.path: only local paths may stand here, and https:// is remote: that belongs into platform.yaml
  fix: name a local folder, or reach the remote place through a resource
# pattern above the folder
file_watcher.pattern: a pattern names files below the folder in 'path'
  fix: put the folder into 'path'
# open bracket
file_watcher.pattern: every '[' of a pattern has its ']'
  fix: add the ']', or write [[] for the character
# regular expression
file_watcher.partition_pattern: it is a regular expression of Python: missing ), unterminated subpattern at
    position 0
  fix: mend it, or put a backslash before a character meant as it is
# no named group
file_watcher.partition_pattern: only named groups can be used
  fix: name a group: (?P<date>\\d{4}-\\d{2}-\\d{2})
# misspelt place
file_watcher.partition_key: '{file.stm}' cannot be filled in: there is {file.path}, {file.name}, {file.stem}
  fix: did you mean 'file.stem'?
# unknown group
file_watcher.partition_key: '{day}' cannot be filled in: there is {file.path}, {file.name}, {file.stem}
  fix: write '{{day}}' for plain braces
# open brace
file_watcher.config.ops.load.config.query: every '{' that is filled in has its '}'
  fix: add the '}', or write '{{' for a plain brace
# file of many
file_watcher.tags.file: '{file.name}' cannot be filled in: there is {files}
  fix: write {files}, or batch: per_file
# no time to settle
file_watcher.settle_seconds: Input should be greater than or equal to 0
# no files
file_watcher.max_files_per_tick: Input should be greater than or equal to 1
# no interval
file_watcher.poll_interval_seconds: Input should be greater than or equal to 1
# nothing watched
asset_sensor.watched_assets: the list is empty
  fix: name at least one, or leave the key out
# trigger
asset_sensor.trigger: Input should be 'any' or 'all'
# status
run_status.status: Input should be 'SUCCESS', 'FAILURE', 'STARTED' or 'CANCELED'
# no status
run_status.status: Field required
# job and callback
run_status.target_function: a sensor has only one of job, jobs, selection, target_function
  fix: delete 'job' or 'target_function'
# callback with tags
run_status.tags: a sensor that calls a function launches no run
  fix: delete 'tags', or name a job in place of 'target_function'
# no watched job
run_status.watched_jobs: the list is empty
  fix: name at least one, or leave the key out
# custom without a function
custom.target_function: Field required
# automation with a job
automation.job: Extra inputs are not permitted
# custom with job and selection
custom.selection: a sensor has only one of job, jobs, selection
  fix: delete 'job' or 'selection'\
""")
