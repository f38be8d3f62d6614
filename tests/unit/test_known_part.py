"""What can be built of a document while some of its values are not known."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from floe_core.compiler.known_part import KnownPart, known_part
from floe_core.documents import read_parsed_document
from floe_core.errors import YamlPath
from floe_core.interpolation import is_unset
from floe_core.yaml_source import load_yaml, parse_yaml

EVERY_FIELD = Path(__file__).parents[1] / "golden" / "every_field_floe.yaml"


def part(text: str) -> KnownPart:
    document = parse_yaml(dedent(text), file=Path("floe.yaml"))
    return known_part(read_parsed_document(document.value, document.source, environ={}))


def names(known: KnownPart) -> dict[str, list[str]]:
    orchestration = known.spec.orchestration
    sections = ("jobs", "schedules", "sensors", "backfills")
    return {section: list(entries) for section in sections if (entries := getattr(orchestration, section))}


def test_a_document_without_gaps_is_known_as_it_is() -> None:
    document = load_yaml(EVERY_FIELD)
    whole = read_parsed_document(document.value, document.source, environ={})

    assert known_part(whole) == KnownPart(whole.spec)


def test_a_field_that_can_be_left_out_has_its_default() -> None:
    known = part("""
        orchestration:
          jobs: {load: {type: batch, selection: "*", max_retries: "${RETRIES}", tags: {a: b, c: "${TAG}"}}}
          schedules: {daily: {job: load, cron_schedule: "@daily", timezone: "${ZONE}", enabled: maybe}}
    """)

    (job,), (schedule,) = known.spec.orchestration.jobs.values(), known.spec.orchestration.schedules.values()
    assert (job.tags, getattr(job, "max_retries", "")) == ({}, None)
    assert (schedule.timezone, schedule.enabled, schedule.job) == ("UTC", True, "load")
    assert known.assets


@pytest.mark.parametrize(
    "job",
    [
        pytest.param('{type: batch, selection: ["group:a", "${MORE}"]}', id="selection"),
        pytest.param("{type: batch}", id="missing"),
        pytest.param('{type: "${TYPE}", selection: "*"}', id="type"),
        pytest.param('{type: ops, target_function: shop.f, args: {days: "${DAYS}"}}', id="arguments"),
        pytest.param('"${JOB}"', id="whole"),
    ],
)
def test_a_job_that_cannot_be_made_is_left_out_with_whatever_launches_it(job: str) -> None:
    known = part(f"""
        orchestration:
          jobs: {{load: {job}, other: {{type: batch, selection: "*"}}}}
          schedules:
            daily: {{job: load, cron_schedule: "@daily"}}
            weekly: {{job: other, cron_schedule: "@daily"}}
            direct: {{selection: "*", cron_schedule: "@daily"}}
          sensors:
            arrival: {{type: file_watcher, path: in, jobs: [other, load]}}
            failed: {{type: run_status, status: FAILURE, watched_jobs: [load], job: other}}
            alert: {{type: run_status, status: FAILURE, target_function: shop.alert}}
          backfills: {{year: {{job: load, partition_keys: [a]}}, month: {{job: other, partition_keys: [a]}}}}
    """)

    assert list(known.jobs) == ["load"]
    assert names(known) == {
        "jobs": ["other"],
        "schedules": ["weekly", "direct"],
        "sensors": ["alert"],
        "backfills": ["month"],
    }


def test_without_the_section_of_jobs_nothing_that_launches_one_is_known() -> None:
    known = part("""
        orchestration:
          jobs: "${JOBS}"
          schedules:
            daily: {job: load, cron_schedule: "@daily"}
            direct: {selection: "*", cron_schedule: "@daily"}
    """)

    assert names(known) == {"schedules": ["direct"]}


@pytest.mark.parametrize(
    ("gap", "is_known"),
    [
        ("storage: ${LAKE}", True),
        ("compute: [wrong]", True),
        ("transforms: {type: dbt, path: '${DBT}'}", False),
        ("description: ${TEXT}", True),
        ("version: ${VERSION}", True),
    ],
)
def test_what_decides_which_assets_there_are(gap: str, *, is_known: bool) -> None:
    assert part(f"{gap}\norchestration: {{}}").assets is is_known


@pytest.mark.parametrize(
    ("gap", "is_known"),
    [
        ("dbt: {target: '${TARGET}'}", False),
        ("dbt: {vars: {a: '${A}'}}", False),
        ("asset_modules: [shop.assets, '${MODULE}']", False),
        ("partitions: {daily: {type: time_window, start: 2024, fmt: '${FMT}'}}", True),
        ("assets: {'*': {group_name: '${GROUP}'}}", True),
        ("assets: {'*': {description: '${TEXT}', owners: ['team:a']}}", True),
        ("schedules: '${SCHEDULES}'", True),
        ("jobs: {load: {type: batch}}", True),
    ],
)
def test_what_decides_which_assets_there_are_below_orchestration(gap: str, *, is_known: bool) -> None:
    assert part(f"orchestration: {{{gap}}}").assets is is_known
    assert not part("orchestration: ${ALL}").assets


@pytest.mark.parametrize(
    ("gap", "unknown"),
    [
        ("partitions: {daily: {type: time_window, start: 2024, fmt: '${FMT}'}}", set()),
        (
            "partitions: {a: {type: time_window, start: 2024, fmt: '${FMT}'}}, assets: {b: {partitions: a}}",
            {"partitions"},
        ),
        ("partitions: {a: '${DAILY}'}, assets: {b: {partitions: a}}", {"partitions"}),
        ("partitions: '${ALL}', assets: {b: {partitions: a}}", {"partitions"}),
        ("assets: {'*': {partitions: '${DAILY}'}}", {"partitions"}),
        ("assets: {'*': {group_name: '${GROUP}'}}", {"attributes"}),
        ("assets: {'*': {automation_condition: '${WHEN}'}}", {"conditions"}),
        ("assets: {'*': {description: '${TEXT}'}}", set()),
        ("assets: {'*': '${SETTINGS}'}", {"partitions", "attributes", "conditions"}),
        ("assets: '${ASSETS}'", {"partitions", "attributes", "conditions"}),
    ],
)
def test_what_is_not_known_of_the_assets_that_there_are(gap: str, unknown: set[str]) -> None:
    known = part(f"orchestration: {{{gap}}}")

    assert {
        name for name in ("assets", "partitions", "attributes", "conditions") if not getattr(known, name)
    } == unknown


def paths_of(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


def test_nothing_unknown_is_left_in_the_sections() -> None:
    document = load_yaml(EVERY_FIELD)
    for path in paths_of(document.value):
        if path[0] != "orchestration" or len(path) < 3 or path[1] in ("dbt", "asset_modules", "partitions"):
            continue
        value = _with_gap(document.value, path)

        known = known_part(read_parsed_document(value, document.source, environ={}))

        dumped = {name: getattr(known.spec.orchestration, name) for name in ("assets", "jobs", "schedules", "sensors")}
        assert (path, list(_unset_in({name: _plain(entries) for name, entries in dumped.items()}))) == (path, [])


def _with_gap(value: object, path: YamlPath) -> object:
    if not path:
        return "${GAP}"
    if isinstance(value, dict):
        return {key: _with_gap(item, path[1:]) if key == path[0] else item for key, item in value.items()}
    assert isinstance(value, list)
    return [_with_gap(item, path[1:]) if index == path[0] else item for index, item in enumerate(value)]


def _plain(entries: dict[str, object]) -> dict[str, object]:
    return {name: dict(entry) for name, entry in entries.items()}  # type: ignore[call-overload]  # a model is a row of pairs


def _unset_in(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _unset_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _unset_in(item)
    elif is_unset(value):
        yield value
