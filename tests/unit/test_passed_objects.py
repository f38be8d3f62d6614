"""What a definitions file hands to the factory, and what it cannot."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from inline_snapshot import snapshot

from floe_core.errors import LoadError, shown_path
from floe_core.project import ProjectFolder
from floe_dagster import FloeDefinitions
from floe_dagster.compilation import compile_project
from plugins.user_project import UserProject


@dg.asset
def orders() -> None: ...


@dg.asset_check(asset=orders)
def is_whole() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


load = dg.define_asset_job("load")
nightly = dg.ScheduleDefinition("nightly", cron_schedule="@daily", job=load)


@dg.sensor(job=load)
def arrival() -> dg.SkipReason:
    return dg.SkipReason("nothing is new")


@pytest.fixture(autouse=True)
def project(user_project: UserProject) -> UserProject:
    user_project.write({"floe.yaml": "orchestration: {}"})
    compile_project(ProjectFolder(user_project.path), environ={})
    return user_project


def call(**given: Any) -> dg.Definitions:
    return FloeDefinitions.from_compiled_artifacts(**given)


def test_each_argument_takes_anything_that_can_be_gone_through() -> None:
    checked = (each for each in (orders, is_whole))

    definitions = call(assets=checked, jobs=iter([load]), schedules=(nightly,), sensors=[arrival], resources={})

    assert [asset.key.to_user_string() for asset in definitions.resolve_all_asset_specs()] == ["orders"]
    assert definitions.resolve_job_def("load").name == "load"
    assert [schedule.name for schedule in definitions.schedules or ()] == ["nightly"]
    assert [sensor.name for sensor in definitions.sensors or ()] == ["arrival"]


@pytest.mark.requirement("010-FR-004", "010-FR-047")
def test_what_is_no_definition_is_told_at_the_line_of_the_call() -> None:
    with pytest.raises(LoadError) as error:
        call(assets=[print, "raw"], jobs=load, resources=[1])

    assert [(problem.what, problem.fix) for problem in error.value.problems] == snapshot([
        (
            "'assets' of from_compiled_artifacts takes assets and asset checks, not the function print",
            "pass what @dg.asset and @dg.asset_check make of functions",
        ),
        (
            "'assets' of from_compiled_artifacts takes assets and asset checks, not text",
            "pass what @dg.asset and @dg.asset_check make of functions",
        ),
        ("'jobs' of from_compiled_artifacts takes a list of jobs, not a single one", "put it in a list"),
        (
            "'resources' of from_compiled_artifacts takes a mapping of resources by key, not an object of list",
            "pass {'api': Api()}",
        ),
    ])  # fmt: skip
    (place,) = {str(problem.location) for problem in error.value.problems}
    assert place == f"{shown_path(Path(__file__))}:{call.__code__.co_firstlineno + 1}"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("jobs", ["load"]),
        ("jobs", "load"),
        ("jobs", [dg.JobDefinition]),
        ("sensors", [None]),
        ("schedules", {"nightly": nightly}),
        ("assets", 5),
        ("resources", {1: 2}),
    ],
)
def test_no_wrong_argument_is_an_error_of_floes_own(argument: str, value: object) -> None:
    with pytest.raises(LoadError, match=f"FLOE-309.*'{argument}' of from_compiled_artifacts takes"):
        call(**{argument: value})
