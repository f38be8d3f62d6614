"""floe.yaml as a whole."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from builders import BATCH_JOB, OPS_JOB, SCHEDULE, ParsedDocument, floe_yaml, parse_document, parse_spec, refusals
from floe_core.interpolation import Unset
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.job_definition import BatchJob, OpsJob
from floe_core.schemas.orchestration_config import OrchestrationConfig
from floe_core.schemas.schedule_definition import ScheduleDefinition

QUICKSTART = Path(__file__).parents[1] / "golden" / "quickstart"
SNIPPETS = sorted(path.stem for path in QUICKSTART.glob("*.yaml") if not path.stem.startswith("two_tiers"))


def read_snippet(name: str) -> ParsedDocument:
    text = (QUICKSTART / f"{name}.yaml").read_text()
    is_whole = "\norchestration:" in f"\n{text}"
    return parse_document(text if is_whole else floe_yaml(text))


@pytest.mark.requirement("010-FR-046")
@pytest.mark.parametrize("name", SNIPPETS)
def test_every_snippet_of_the_quickstart_is_valid(name: str) -> None:
    assert read_snippet(name).spec.orchestration != OrchestrationConfig()


def test_the_complete_example_says_what_it_says() -> None:
    spec = read_snippet("complete_example").spec

    assert (spec.name, spec.version, spec.storage) == ("e-commerce-pipeline", "1.0.0", "default")
    assert [transform.target for transform in spec.transforms] == ["prod"]
    assert list(spec.orchestration.jobs) == ["bronze_refresh", "full_pipeline", "weekly_vacuum"]
    vacuum = spec.orchestration.jobs["weekly_vacuum"]
    assert isinstance(vacuum, OpsJob)
    assert vacuum.args == {"retention_days": 30}
    assert spec.orchestration.schedules["daily_bronze"].enabled is True
    assert spec.orchestration.assets["bronze_*"].partitions == "daily_partition"


def test_a_snippet_without_types_lacks_only_those() -> None:
    with pytest.raises(ValidationError) as caught:
        read_snippet("two_tiers_floe")

    assert [error["loc"] for error in caught.value.errors()] == [("orchestration", "sensors", "file_watch")]


def test_a_document_of_orchestration_alone_takes_the_default_profiles() -> None:
    spec = parse_spec("orchestration: {}")

    assert (spec.name, spec.storage, spec.catalog, spec.compute) == (None, "default", "default", "default")
    assert spec.transforms == ()


def test_keys_that_begin_with_x_are_the_authors_own() -> None:
    spec = parse_spec(
        """
        x-daily: &daily {cron_schedule: "0 6 * * *"}
        orchestration:
          schedules:
            load: {job: load, cron_schedule: "0 6 * * *"}
        """
    )

    assert list(spec.orchestration.schedules) == ["load"]


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        pytest.param({}, ["orchestration: Field required"], id="empty"),
        pytest.param({"orchestration": {}, "nme": "x"}, ["nme: Extra inputs are not permitted"], id="unknown key"),
        pytest.param(
            {"orchestration": {}, "name": "my shop!"},
            ["name: a name has letters, digits, '-' and '_'", "  fix: write 'my-shop'"],
            id="name",
        ),
        pytest.param(
            {"orchestration": {}, "transforms": [{"type": "dbt"}, {"type": "dbt", "path": "other"}]},
            ["transforms[1]: a project has one dbt project", "  fix: give each a floe.yaml of its own"],
            id="two dbt projects",
        ),
        pytest.param(
            {"orchestration": {}, "storage": {"type": "s3"}}, ["storage: Input should be a valid string"], id="physical"
        ),
    ],
)
def test_what_a_document_refuses(value: object, refused: list[str]) -> None:
    assert refusals(FloeSpec, value) == refused


def test_a_version_may_be_a_number() -> None:
    assert parse_spec("{version: 2, orchestration: {}}").version == "2"
    assert parse_spec("{version: 1.5, orchestration: {}}").version == "1.5"


@pytest.mark.requirement("010-FR-045")
def test_values_from_the_environment_take_the_type_of_their_field() -> None:
    text = floe_yaml(
        """
        jobs:
          load: {type: "${KIND:batch}", selection: "${WHAT:group:bronze}", max_retries: "${RETRIES:3}"}
          vacuum:
            type: ops
            target_function: shop.ops.vacuum
            args: {days: "${DAYS:30}", dry: "${DRY:no}", on: "${D:}"}
        schedules:
          daily: {job: load, cron_schedule: "${CRON:0 6 * * *}", enabled: "${ON:false}", tags: {n: "${N:010}"}}
        """
    )

    spec = parse_spec(text, {"RETRIES": "5"}).orchestration

    load, vacuum, daily = spec.jobs["load"], spec.jobs["vacuum"], spec.schedules["daily"]
    assert isinstance(load, BatchJob)
    assert isinstance(vacuum, OpsJob)
    assert (load.selection, load.max_retries) == (("group:bronze",), 5)
    assert vacuum.args == {"days": 30, "dry": "no", "on": None}
    assert (daily.cron_schedule, daily.enabled, daily.tags) == (("0 6 * * *",), False, {"n": "010"})


@pytest.mark.requirement("010-FR-045")
@pytest.mark.parametrize(
    ("family", "definition"),
    [
        pytest.param("jobs", {**BATCH_JOB, "max_retries": "${MISSING}", "hooks": ["${MISSING}"]}, id="number and item"),
        pytest.param("jobs", {**BATCH_JOB, "type": "${MISSING}", "nonsense": 1}, id="kind"),
        pytest.param("jobs", {**OPS_JOB, "args": {"a": "${MISSING}"}, "retry_policy": "${MISSING}"}, id="mapping"),
        pytest.param("schedules", {**SCHEDULE, "cron_schedule": "${MISSING}", "enabled": "${MISSING}"}, id="flag"),
        pytest.param("schedules", {"job": "${MISSING}", "cron_schedule": ["0 6 * * *", "${MISSING}"]}, id="name"),
        pytest.param("jobs", "${MISSING}", id="whole definition"),
    ],
)
def test_values_that_wait_for_a_variable_are_left_unchecked(family: str, definition: object) -> None:
    spec = parse_spec(f"orchestration: {{{family}: {{one: {definition!r}}}}}".replace("None", "null"))

    assert "one" in getattr(spec.orchestration, family)


def test_what_stands_beside_a_waiting_value_is_checked() -> None:
    value = {"job": "a b", "cron_schedule": Unset("${MISSING}")}

    assert refusals(ScheduleDefinition, value) == [
        "job: a name has letters, digits and '_', and starts with a letter",
        "  fix: write 'a_b'",
    ]
