"""floe.yaml and platform.yaml as validated documents, and what is said about the ones that are not valid."""

import copy
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from jsonschema import Draft202012Validator

from floe_core.documents import (
    FloeDocument,
    PlatformDocument,
    build_floe_document,
    load_floe_document,
    load_platform_document,
)
from floe_core.errors import CompileError, DocumentError, InterpolationError, InvalidDocumentError, render_problems
from floe_core.interpolation import Unset
from floe_core.json_schemas import json_schema
from floe_core.schemas.job_definition import BatchJob, OpsJob
from floe_core.source_map import SourceMap
from floe_core.yaml_source import load_yaml, parse_yaml

COMPLETE_EXAMPLE = Path(__file__).parents[1] / "projects" / "ecommerce" / "floe.yaml"
SECRET = "hunter2-never-to-be-seen"


def read(text: str, environ: Mapping[str, str] | None = None, *, strict_env: bool = False) -> FloeDocument:
    document = parse_yaml(dedent(text), file=Path("floe.yaml"))
    return build_floe_document(
        document.value,
        document.source,
        document.text,
        environ=environ or {},
        strict_env=strict_env,
        default_name="shop",
    )


def refusal(text: str, **environ: str) -> DocumentError:
    with pytest.raises(DocumentError) as raised:
        read(text, environ)
    return raised.value


def orchestration(section: str) -> str:
    """A document around the lines of one section."""
    return "orchestration:\n" + "\n".join(f"  {line}" for line in dedent(section).strip("\n").splitlines()) + "\n"


def read_platform(tmp_path: Path, text: str, **environ: str) -> PlatformDocument:
    (tmp_path / "platform.yaml").write_text(dedent(text))
    (tmp_path / ".git").mkdir(exist_ok=True)
    return load_platform_document(tmp_path, environ=environ)


def platform_refusal(tmp_path: Path, text: str, **environ: str) -> DocumentError:
    with pytest.raises(DocumentError) as raised:
        read_platform(tmp_path, text, **environ)
    return raised.value


# ---- documents that are fine


@pytest.mark.requirement("010-FR-046")
def test_the_complete_example_is_valid_as_it_stands() -> None:
    document = load_floe_document(COMPLETE_EXAMPLE, environ={})

    spec = document.spec
    assert spec.name == "e-commerce-pipeline"
    assert list(spec.orchestration.jobs) == ["bronze_refresh", "full_pipeline", "weekly_vacuum"]
    assert spec.orchestration.schedules["daily_bronze"].enabled is True
    assert spec.orchestration.jobs["weekly_vacuum"].args == {"retention_days": 30}  # type: ignore[union-attr]
    assert document.warnings == ()
    assert document.unset == ()


@pytest.mark.requirement("010-FR-045", "010-FR-027", "010-FR-048")
def test_values_from_the_environment_take_the_type_of_their_field() -> None:
    text = orchestration("""
        jobs:
          load:
            type: ${TYPE:batch}
            selection: ${SELECTION:group:bronze}
            max_retries: ${RETRIES:2}
            description: ${DESCRIPTION:10}
            config: {limit: "${LIMIT:30}", half: "${HALF:0.5}", on: "${ON:true}", text: "x${LIMIT:30}"}
          clean: {type: ops, target_function: shop.clean, args: {days: "${DAYS:7}", name: "${NAME:no}"}}
        schedules:
          daily: {job: load, cron_schedule: "${CRON:0 6 * * *}", enabled: "${ENABLED:false}"}
    """)

    defaults = read(text).spec.orchestration
    prod = read(
        text, {"SELECTION": "group:gold", "RETRIES": "5", "ENABLED": "true", "CRON": "@daily", "DAYS": "08"}
    ).spec.orchestration

    load, clean = defaults.jobs["load"], defaults.jobs["clean"]
    assert isinstance(load, BatchJob)
    assert isinstance(clean, OpsJob)
    assert (load.selection, load.max_retries, load.description) == (("group:bronze",), 2, "10")
    assert load.config == {"limit": 30, "half": 0.5, "on": True, "text": "x30"}
    assert clean.args == {"days": 7, "name": "no"}
    assert defaults.schedules["daily"].enabled is False
    assert (prod.schedules["daily"].enabled, prod.schedules["daily"].cron_schedule) == (True, ("@daily",))
    assert isinstance(prod.jobs["load"], BatchJob)
    assert (prod.jobs["load"].selection, prod.jobs["load"].max_retries) == (("group:gold",), 5)
    assert prod.jobs["clean"].args == {"days": 8, "name": "no"}  # type: ignore[union-attr]


def test_notes_at_the_top_are_left_out_and_need_no_variables() -> None:
    document = read("""
        x-defaults: &defaults {timezone: Europe/Berlin, job: load, note: "${NEVER_SET}"}
        x-broken: ${
        orchestration:
          jobs: {load: {type: batch, selection: "*"}}
    """)

    assert document.unset == ()
    assert document.warnings == ()


@pytest.mark.parametrize("sections", ["{}", "{jobs: , schedules: null}"])
def test_a_document_may_be_nearly_empty(sections: str) -> None:
    document = read(f"orchestration: {sections}")

    assert document.spec.name == "shop"
    assert document.spec.orchestration.jobs == {}


def test_the_name_follows_from_the_folder_unless_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "my shop").mkdir()
    file = tmp_path / "my shop" / "floe.yaml"

    file.write_text("orchestration: {}")
    assert load_floe_document(file, environ={}).spec.name == "my-shop"

    file.write_text("name: ${NAME:other}\norchestration: {}")
    assert load_floe_document(file, environ={}).spec.name == "other"


def test_a_document_is_built_from_artifacts_as_from_its_file() -> None:
    loaded = load_floe_document(COMPLETE_EXAMPLE, environ={"VACUUM_RETENTION": "5"})
    source = SourceMap.from_json(json.loads(json.dumps(loaded.source.to_json())), file=COMPLETE_EXAMPLE)
    raw = json.loads(json.dumps(loaded.raw))

    built = build_floe_document(raw, source, environ={"VACUUM_RETENTION": "5"})

    assert built.spec == loaded.spec
    assert built.source == loaded.source


def test_the_raw_document_keeps_its_expressions() -> None:
    raw = load_floe_document(COMPLETE_EXAMPLE, environ={"BRONZE_SCHEDULE_ENABLED": "false"}).raw

    assert "${BRONZE_SCHEDULE_ENABLED:true}" in json.dumps(raw)


# ---- variables that are not set


UNSET = orchestration("""
    jobs:
      load: {type: batch, selection: "${LAYER}", max_retries: "${RETRIES}"}
      other: {type: "${TYPE}", selektion: x}
    schedules:
      daily: {job: load, cron_schedule: "0 ${HOUR} * * *", enabled: "${ENABLED}", tags: {layer: "${LAYER}"}}
""")


def test_unset_variables_are_warnings_and_their_values_stay_unchecked() -> None:
    document = read(UNSET)

    assert [variable.name for variable in document.unset] == ["LAYER", "RETRIES", "TYPE", "HOUR", "ENABLED"]
    load = document.spec.orchestration.jobs["load"]
    assert isinstance(load, BatchJob)
    assert isinstance(load.max_retries, Unset)
    assert render_problems(document.warnings[:2]) == snapshot("""\
warning[FLOE-111]: environment variable 'LAYER' is not set
  --> floe.yaml:3:37  orchestration.jobs.load.selection
   |  load: {type: batch, selection: "${LAYER}", max_retries: "${RETRIES}"}
  why: lines 3, 6 use it without a default
  fix: set LAYER, or write a default: ${LAYER:value}

warning[FLOE-111]: environment variable 'RETRIES' is not set
  --> floe.yaml:3:62  orchestration.jobs.load.max_retries
   |  load: {type: batch, selection: "${LAYER}", max_retries: "${RETRIES}"}
  why: line 3 uses it without a default
  fix: set RETRIES, or write a default: ${RETRIES:value}

2 warnings\
""")


@pytest.mark.requirement("010-FR-045")
def test_unset_variables_are_errors_where_that_is_asked_for() -> None:
    with pytest.raises(InterpolationError) as raised:
        read(UNSET, strict_env=True)

    assert [problem.severity for problem in raised.value.problems] == ["error"] * 5
    assert raised.value.problems[0].code == "FLOE-111"


def test_set_variables_are_checked() -> None:
    error = refusal(UNSET, LAYER="group:bronze", RETRIES="-1", TYPE="batch", HOUR="25", ENABLED="perhaps")

    assert [problem.what for problem in error.problems] == snapshot(
        [
            "'max_retries' of job 'load' cannot be '${RETRIES}'",
            "job 'other' takes no key 'selektion'",
            "'cron_schedule' of schedule 'daily' cannot be '0 ${HOUR} * * *'",
            "'enabled' of schedule 'daily' cannot be '${ENABLED}'",
        ]
    )


def test_malformed_expressions_are_reported_with_everything_else() -> None:
    error = refusal("orchestration:\n  dbt: {target: '${1}', observability_level: x, vars: {a: '${UNSET}'}}\n")

    assert [(problem.code, problem.severity) for problem in error.problems] == [
        ("FLOE-110", "error"),
        ("FLOE-123", "error"),
        ("FLOE-111", "warning"),
    ]


# ---- one problem for each mistake


MISTAKES = {
    "nothing": "",
    "no orchestration": "name: shop\n",
    "misspelt section": "orchestration: {}\nnam: shop\n",
    "section at the top": "orchestration: {}\njobs: {}\n",
    "section of the platform": "orchestration: {}\nobservability: {otlp_endpoint: x}\n",
    "section of dbt": "orchestration:\n  manifest_path: target/manifest.json\n",
    "top-level key inside": "orchestration:\n  version: 1.0.0\n",
    "orchestration is a list": "orchestration: [a]\n",
    "orchestration is empty": "orchestration:\n",
    "project name": "name: my shop\norchestration: {}\n",
    "profile is a list": "storage: [default]\norchestration: {}\n",
    "jobs is a list": orchestration("jobs: [load]"),
    "job is a list": orchestration("jobs: {load: [group:bronze]}"),
    "job is empty": orchestration("jobs:\n  load:"),
    "job name": orchestration("jobs: {bronze-load: {type: batch, selection: x}}"),
    "job without type": orchestration("jobs: {load: {selection: x}}"),
    "job without anything": orchestration("jobs: {load: {}}"),
    "job of unknown type": orchestration("jobs: {load: {type: bach, selection: x}}"),
    "job of a number": orchestration("jobs: {load: {type: 1}}"),
    "misspelt type": orchestration("jobs: {load: {typ: batch, selection: x}}"),
    "misspelt required key": orchestration("jobs: {load: {type: batch, selecton: x}}"),
    "key of another type": orchestration("jobs: {load: {type: batch, selection: x, target_function: a.b}}"),
    "missing key": orchestration("jobs: {load: {type: batch}}"),
    "no number": orchestration("jobs: {load: {type: batch, selection: x, max_retries: many}}"),
    "half a number": orchestration("jobs: {load: {type: batch, selection: x, max_retries: 1.5}}"),
    "true for a number": orchestration("jobs: {load: {type: batch, selection: x, max_retries: true}}"),
    "number too small": orchestration("jobs: {load: {type: batch, selection: x, max_retries: -1}}"),
    "number too small from the environment": orchestration(
        'jobs: {load: {type: batch, selection: x, max_retries: "${RETRIES:-2}"}}'
    ).replace(":-2", ":--2"),
    "config is text": orchestration("jobs: {load: {type: batch, selection: x, config: abc}}"),
    "tag with a blank": orchestration("jobs: {load: {type: batch, selection: x, tags: {'a b': c}}}"),
    "selection is a mapping": orchestration("jobs: {load: {type: batch, selection: {group: bronze}}}"),
    "selection is empty": orchestration("jobs: {load: {type: batch, selection: []}}"),
    "item of a selection": orchestration("jobs:\n  load:\n    type: batch\n    selection:\n      - a\n      - [b]\n"),
    "unquoted braces": orchestration("jobs: {load: {type: batch, selection: x, description: {a}}}"),
    "hook without function": orchestration("jobs: {load: {type: batch, selection: x, hooks: [{on: failure}]}}"),
    "hook of a number": orchestration("jobs: {load: {type: batch, selection: x, hooks: [3]}}"),
    "file path for a function": orchestration("jobs: {load: {type: ops, target_function: shop/ops.py:vacuum}}"),
    "number for text": orchestration("jobs: {load: {type: batch, selection: x, description: 1.50}}"),
    "schedule without job": orchestration("schedules: {daily: {cron_schedule: '0 6 * * *'}}"),
    "schedule with two jobs": orchestration("schedules: {daily: {cron_schedule: '0 6 * * *', job: a, selection: [b]}}"),
    "misspelt cron": orchestration("schedules: {daily: {job: load, cron: '0 6 * * *'}}"),
    "cron out of range": orchestration("schedules: {daily: {job: load, cron_schedule: '61 2 * * 0'}}"),
    "cron in a list": orchestration("schedules: {daily: {job: load, cron_schedule: ['0 6 * * *', 'daily']}}"),
    "time zone": orchestration("schedules: {daily: {job: load, cron_schedule: '@daily', timezone: Europe/Berln}}"),
    "enabled is a word": orchestration("schedules: {daily: {job: load, cron_schedule: '@daily', enabled: maybe}}"),
    "enabled is a word from the environment": orchestration(
        "schedules: {daily: {job: load, cron_schedule: '@daily', enabled: '${ENABLED:maybe}'}}"
    ),
    "empty value": orchestration("schedules:\n  daily:\n    job: load\n    cron_schedule: '@daily'\n    timezone:\n"),
    "sensor of unknown type": orchestration("sensors: {arrival: {type: file_sensor, path: x, job: load}}"),
    "remote path": orchestration("sensors: {arrival: {type: file_watcher, path: 's3://bucket/in', job: load}}"),
    "sensor without job": orchestration("sensors: {arrival: {type: file_watcher, path: in}}"),
    "status": orchestration("sensors: {alert: {type: run_status, status: FAILED, job: load}}"),
    "placeholder": orchestration(
        "sensors: {arrival: {type: file_watcher, path: in, job: load, tags: {file: '{file.nam}'}}}"
    ),
    "unknown condition": orchestration("assets: {'bronze_*': {automation_condition: {target: a.b}}}"),
    "freshness without unit": orchestration("assets: {'bronze_*': {freshness: {fail_after: 24}}}"),
    "backfill policy": orchestration("assets: {'bronze_*': {backfill_policy: multi}}"),
    "pattern": orchestration("assets: {'bronze_[': {group_name: bronze}}"),
    "no date": orchestration("partitions: {daily: {type: time_window, start: 2024-13-01}}"),
    "end before start": orchestration("partitions: {daily: {type: time_window, start: 2024-02-01, end: 2024-01-01}}"),
    "format too coarse": orchestration(
        "partitions: {hourly: {type: time_window, start: 2024-01-01, cron_schedule: '@hourly', fmt: '%Y-%m-%d'}}"
    ),
    "same key twice": orchestration("partitions: {region: {type: static, partition_keys: [eu, us, eu]}}"),
    "key that is a number": orchestration("partitions: {region: {type: static, partition_keys: [1.0]}}"),
    "one dimension": orchestration(
        "partitions: {multi: {type: multi, partitions: {date: {type: time_window, start: 2024-01-01}}}}"
    ),
    "backfill without end": orchestration("backfills: {old: {job: load, partition_range: {start: 2024-01-01}}}"),
    "backfill in batches of none": orchestration("backfills: {old: {job: load, partition_keys: [eu], batch_size: 0}}"),
    "module with a blank": orchestration("asset_modules:\n  - shop assets"),
    "module without a name": orchestration("asset_modules:\n  - group_name: bronze"),
    "module that is a number": orchestration("asset_modules: [1]"),
    "level": orchestration("dbt: {observability_level: per_mdel}"),
    "fetch": orchestration("dbt: {fetch: row_count}"),
    "key of a dimension": orchestration(
        "partitions:\n  multi:\n    type: multi\n    partitions:\n"
        "      a: {type: static, partition_keys: [x, 'y|z']}\n      b: {type: static, partition_keys: [x]}\n"
    ),
    "transform": "transforms: {type: dbt, pth: .}\norchestration: {}\n",
    "transform of another tool": "transforms: [{type: spark}]\norchestration: {}\n",
    "expression in a key": orchestration("jobs: {'${NAME}': {type: batch, selection: x}}"),
    "name of nothing": "name: ${NAME:}\norchestration: {}\n",
    "item of nothing": orchestration(
        "schedules: {daily: {job: load, cron_schedule: '@daily', environments: ['${HERE:}']}}"
    ),
    "list in one text": orchestration(
        "schedules: {daily: {job: load, cron_schedule: '@daily', environments: 'prod, dev'}}"
    ),
    "offset for a zone": orchestration("schedules: {daily: {job: load, cron_schedule: '@daily', timezone: UTC+2}}"),
    "seconds with a unit": orchestration(
        "sensors: {arrival: {type: file_watcher, path: in, job: load, poll_interval_seconds: 5m}}"
    ),
    "settings in place of a profile": "compute: {type: duckdb}\norchestration: {}\n",
    "window by its usual name": orchestration("partitions: {hours: {type: hourly, start: 2024-01-01}}"),
    "dbt switched on": orchestration("dbt: true"),
    "job in one text": orchestration("jobs: {load: 'group:bronze'}"),
    "function without a module": orchestration("jobs: {load: {type: ops, target_function: vacuum}}"),
}


@pytest.mark.requirement("010-FR-047", "010-SC-009")
@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_is_one_problem(name: str) -> None:
    assert len(refusal(MISTAKES[name]).problems) == 1


@pytest.mark.requirement("010-FR-047", "010-SC-009")
def test_every_mistake_says_what_where_why_and_how_to_mend_it() -> None:
    assert {name: str(refusal(text)) for name, text in MISTAKES.items()} == snapshot(
        {
            "nothing": """\
error[FLOE-121]: floe.yaml has no 'orchestration'
  --> floe.yaml:1:1
  why: 'orchestration' is required: what Dagster loads and runs
  fix: add 'orchestration: …'\
""",
            "no orchestration": """\
error[FLOE-121]: floe.yaml has no 'orchestration'
  --> floe.yaml:1:1
   |  name: shop
  why: 'orchestration' is required: what Dagster loads and runs
  fix: add 'orchestration: …'\
""",
            "misspelt section": """\
error[FLOE-120]: floe.yaml takes no key 'nam'
  --> floe.yaml:2:1  nam
   |  nam: shop
  why: it takes orchestration, name, version, storage, catalog, compute and 1 more
  fix: did you mean 'name'?\
""",
            "section at the top": """\
error[FLOE-120]: floe.yaml takes no key 'jobs'
  --> floe.yaml:2:1  jobs
   |  jobs: {}
  why: it takes orchestration, name, version, storage, catalog, compute and 1 more
  fix: move it below 'orchestration'\
""",
            "section of the platform": """\
error[FLOE-120]: floe.yaml takes no key 'observability'
  --> floe.yaml:2:1  observability
   |  observability: {otlp_endpoint: x}
  why: it takes orchestration, name, version, storage, catalog, compute and 1 more
  fix: it belongs into platform.yaml\
""",
            "section of dbt": """\
error[FLOE-120]: 'orchestration' takes no key 'manifest_path'
  --> floe.yaml:2:3  orchestration.manifest_path
   |  manifest_path: target/manifest.json
  why: it takes asset_modules, dbt, partitions, assets, jobs, schedules and 2 more
  fix: move it below 'dbt'\
""",
            "top-level key inside": """\
error[FLOE-120]: 'orchestration' takes no key 'version'
  --> floe.yaml:2:3  orchestration.version
   |  version: 1.0.0
  why: it takes asset_modules, dbt, partitions, assets, jobs, schedules and 2 more
  fix: move it to the top level of the document\
""",
            "orchestration is a list": """\
error[FLOE-122]: 'orchestration' cannot be a list
  --> floe.yaml:1:1  orchestration
   |  orchestration: [a]
  why: it must be a mapping with asset_modules, dbt, partitions, assets, jobs and 3 more
  fix: write 'key: value' lines below it, without '- '\
""",
            "orchestration is empty": """\
error[FLOE-122]: 'orchestration' is empty
  --> floe.yaml:1:1  orchestration
   |  orchestration:
  fix: write its value\
""",
            "project name": """\
error[FLOE-125]: 'name' cannot be 'my shop'
  --> floe.yaml:1:7  name
   |  name: my shop
  why: a name has letters, digits, '-' and '_'
  fix: write 'my-shop'\
""",
            "profile is a list": """\
error[FLOE-122]: 'storage' cannot be a list
  --> floe.yaml:1:1  storage
   |  storage: [default]
  why: it must be text
  fix: write it without brackets: default\
""",
            "jobs is a list": """\
error[FLOE-122]: 'orchestration.jobs' cannot be a list
  --> floe.yaml:2:3  orchestration.jobs
   |  jobs: [load]
  why: it must be a mapping
  fix: write each job below its name, 'name: …', without '- '\
""",
            "job is a list": """\
error[FLOE-122]: job 'load' cannot be a list
  --> floe.yaml:2:10  orchestration.jobs.load
   |  jobs: {load: [group:bronze]}
  why: it must be a mapping with a 'type'
  fix: write 'type: …' and the rest below it, indented\
""",
            "job is empty": """\
error[FLOE-122]: job 'load' is empty
  --> floe.yaml:3:5  orchestration.jobs.load
   |  load:
  fix: write its value, or delete the key\
""",
            "job name": """\
error[FLOE-125]: a job cannot be named 'bronze-load'
  --> floe.yaml:2:10  orchestration.jobs.bronze-load
   |  jobs: {bronze-load: {type: batch, selection: x}}
  why: a name has letters, digits and '_', and starts with a letter
  fix: write 'bronze_load'\
""",
            "job without type": """\
error[FLOE-124]: job 'load' has no 'type'
  --> floe.yaml:2:10  orchestration.jobs.load
   |  jobs: {load: {selection: x}}
  why: the type says what it is: batch, ops
  fix: add 'type: batch'\
""",
            "job without anything": """\
error[FLOE-124]: job 'load' has no 'type'
  --> floe.yaml:2:10  orchestration.jobs.load
   |  jobs: {load: {}}
  why: the type says what it is: batch, ops
  fix: add 'type: …' with one of them\
""",
            "job of unknown type": """\
error[FLOE-124]: job 'load' is of type 'bach', which does not exist
  --> floe.yaml:2:23  orchestration.jobs.load.type
   |  jobs: {load: {type: bach, selection: x}}
  why: the types are batch, ops
  fix: did you mean 'batch'?\
""",
            "job of a number": """\
error[FLOE-124]: job 'load' is of type 1, which does not exist
  --> floe.yaml:2:23  orchestration.jobs.load.type
   |  jobs: {load: {type: 1}}
  why: the types are batch, ops
  fix: write one of them\
""",
            "misspelt type": """\
error[FLOE-120]: job 'load' takes no key 'typ'
  --> floe.yaml:2:17  orchestration.jobs.load.typ
   |  jobs: {load: {typ: batch, selection: x}}
  why: it has a 'type'
  fix: did you mean 'type'?\
""",
            "misspelt required key": """\
error[FLOE-120]: job 'load' takes no key 'selecton'
  --> floe.yaml:2:30  orchestration.jobs.load.selecton
   |  jobs: {load: {type: batch, selecton: x}}
  why: type batch takes selection, description, tags, exclude, config, executor and 3 more
  fix: did you mean 'selection'?\
""",
            "key of another type": """\
error[FLOE-120]: job 'load' takes no key 'target_function'
  --> floe.yaml:2:44  orchestration.jobs.load.target_function
   |  jobs: {load: {type: batch, selection: x, target_function: a.b}}
  why: type batch takes selection, description, tags, exclude, config, executor and 3 more
  fix: 'target_function' belongs to type ops\
""",
            "missing key": """\
error[FLOE-121]: job 'load' has no 'selection'
  --> floe.yaml:2:10  orchestration.jobs.load
   |  jobs: {load: {type: batch}}
  why: 'selection' is required: selection items whose assets are united
  fix: add 'selection: …'\
""",
            "no number": """\
error[FLOE-122]: 'max_retries' of job 'load' cannot be 'many'
  --> floe.yaml:2:57  orchestration.jobs.load.max_retries
   |  jobs: {load: {type: batch, selection: x, max_retries: many}}
  why: it must be a whole number
  fix: write digits, such as 10\
""",
            "half a number": """\
error[FLOE-122]: 'max_retries' of job 'load' cannot be 1.5
  --> floe.yaml:2:57  orchestration.jobs.load.max_retries
   |  jobs: {load: {type: batch, selection: x, max_retries: 1.5}}
  why: it must be a whole number
  fix: write digits, such as 10\
""",
            "true for a number": """\
error[FLOE-125]: 'max_retries' of job 'load' cannot be true
  --> floe.yaml:2:57  orchestration.jobs.load.max_retries
   |  jobs: {load: {type: batch, selection: x, max_retries: true}}
  why: it is a number, not true or false
  fix: write a number\
""",
            "number too small": """\
error[FLOE-125]: 'max_retries' of job 'load' cannot be -1
  --> floe.yaml:2:57  orchestration.jobs.load.max_retries
   |  jobs: {load: {type: batch, selection: x, max_retries: -1}}
  why: it must be at least 0
  fix: write 0 or more\
""",
            "number too small from the environment": """\
error[FLOE-125]: 'max_retries' of job 'load' cannot be '${RETRIES:--2}'
  --> floe.yaml:2:57  orchestration.jobs.load.max_retries
   |  jobs: {load: {type: batch, selection: x, max_retries: "${RETRIES:--2}"}}
  why: it must be at least 0
  fix: set RETRIES to 0 or more\
""",
            "config is text": """\
error[FLOE-122]: 'config' of job 'load' cannot be 'abc'
  --> floe.yaml:2:52  orchestration.jobs.load.config
   |  jobs: {load: {type: batch, selection: x, config: abc}}
  why: it must be a mapping
  fix: write 'key: value' lines below it, indented\
""",
            "tag with a blank": """\
error[FLOE-125]: 'tags' of job 'load' cannot have a key 'a b'
  --> floe.yaml:2:51  orchestration.jobs.load.tags["a b"]
   |  jobs: {load: {type: batch, selection: x, tags: {'a b': c}}}
  why: a tag's key has up to 63 letters, digits, '_', '-' and '.', after an optional prefix and '/'
  fix: write 'a_b'\
""",
            "selection is a mapping": """\
error[FLOE-122]: 'selection' of job 'load' cannot be a mapping
  --> floe.yaml:2:30  orchestration.jobs.load.selection
   |  jobs: {load: {type: batch, selection: {group: bronze}}}
  why: it must be text or a list of texts
  fix: write it as text, without a blank behind the ':': 'group:bronze'\
""",
            "selection is empty": """\
error[FLOE-125]: 'selection' of job 'load': the list is empty
  --> floe.yaml:2:30  orchestration.jobs.load.selection
   |  jobs: {load: {type: batch, selection: []}}
  fix: name at least one, or leave the key out\
""",
            "item of a selection": """\
error[FLOE-122]: 'selection[1]' of job 'load' cannot be a list
  --> floe.yaml:7:11  orchestration.jobs.load.selection[1]
   |  - [b]
  why: it must be text
  fix: write it without brackets: b\
""",
            "unquoted braces": """\
error[FLOE-122]: 'description' of job 'load' cannot be a mapping
  --> floe.yaml:2:44  orchestration.jobs.load.description
   |  jobs: {load: {type: batch, selection: x, description: {a}}}
  why: it must be text
  fix: put text that begins with '{' in quotes\
""",
            "hook without function": """\
error[FLOE-121]: 'hooks[0]' of job 'load' has no 'target_function'
  --> floe.yaml:2:52  orchestration.jobs.load.hooks[0]
   |  jobs: {load: {type: batch, selection: x, hooks: [{on: failure}]}}
  why: 'target_function' is required: a Dagster hook
  fix: add 'target_function: …'\
""",
            "hook of a number": """\
error[FLOE-122]: 'hooks[0]' of job 'load' cannot be 3
  --> floe.yaml:2:52  orchestration.jobs.load.hooks[0]
   |  jobs: {load: {type: batch, selection: x, hooks: [3]}}
  why: it must be text, the 'target_function', or a mapping with target_function, on
  fix: write 'target_function: …', or its text alone\
""",
            "file path for a function": """\
error[FLOE-125]: 'target_function' of job 'load' cannot be 'shop/ops.py:vacuum'
  --> floe.yaml:2:45  orchestration.jobs.load.target_function
   |  jobs: {load: {type: ops, target_function: shop/ops.py:vacuum}}
  why: a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'
  fix: write 'shop.ops.vacuum'\
""",
            "number for text": """\
error[FLOE-122]: 'description' of job 'load' cannot be 1.50
  --> floe.yaml:2:57  orchestration.jobs.load.description
   |  jobs: {load: {type: batch, selection: x, description: 1.50}}
  why: it must be text
  fix: put it in quotes: '1.50'\
""",
            "schedule without job": """\
error[FLOE-125]: schedule 'daily': a schedule launches a job or a selection of assets
  --> floe.yaml:2:15  orchestration.schedules.daily
   |  schedules: {daily: {cron_schedule: '0 6 * * *'}}
  fix: add 'job: NAME' or 'selection: […]'\
""",
            "schedule with two jobs": """\
error[FLOE-125]: 'selection' of schedule 'daily': a schedule launches one thing, a job or a selection
  --> floe.yaml:2:59  orchestration.schedules.daily.selection
   |  schedules: {daily: {cron_schedule: '0 6 * * *', job: a, selection: [b]}}
  fix: delete 'job' or 'selection'\
""",
            "misspelt cron": """\
error[FLOE-120]: schedule 'daily' takes no key 'cron'
  --> floe.yaml:2:34  orchestration.schedules.daily.cron
   |  schedules: {daily: {job: load, cron: '0 6 * * *'}}
  why: it takes cron_schedule, job, selection, timezone, enabled, environments and 5 more
  fix: did you mean 'cron_schedule'?\
""",
            "cron out of range": """\
error[FLOE-125]: 'cron_schedule' of schedule 'daily' cannot be '61 2 * * 0'
  --> floe.yaml:2:49  orchestration.schedules.daily.cron_schedule
   |  schedules: {daily: {job: load, cron_schedule: '61 2 * * 0'}}
  why: minute 61 is not in 0-59
  fix: write 0 to 59\
""",
            "cron in a list": """\
error[FLOE-125]: 'cron_schedule[1]' of schedule 'daily' cannot be 'daily'
  --> floe.yaml:2:63  orchestration.schedules.daily.cron_schedule[1]
   |  schedules: {daily: {job: load, cron_schedule: ['0 6 * * *', 'daily']}}
  why: it has one field instead of five: minute, hour, day of month, month, day of week
  fix: write five fields, such as '0 6 * * *' for every day at 06:00\
""",
            "time zone": """\
error[FLOE-125]: 'timezone' of schedule 'daily' cannot be 'Europe/Berln'
  --> floe.yaml:2:69  orchestration.schedules.daily.timezone
   |  schedules: {daily: {job: load, cron_schedule: '@daily', timezone: Europe/Berln}}
  why: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: did you mean 'Europe/Berlin'?\
""",
            "enabled is a word": """\
error[FLOE-122]: 'enabled' of schedule 'daily' cannot be 'maybe'
  --> floe.yaml:2:68  orchestration.schedules.daily.enabled
   |  schedules: {daily: {job: load, cron_schedule: '@daily', enabled: maybe}}
  why: it must be true or false
  fix: write true or false\
""",
            "enabled is a word from the environment": """\
error[FLOE-122]: 'enabled' of schedule 'daily' cannot be '${ENABLED:maybe}'
  --> floe.yaml:2:68  orchestration.schedules.daily.enabled
   |  schedules: {daily: {job: load, cron_schedule: '@daily', enabled: '${ENABLED:maybe}'}}
  why: it must be true or false
  fix: set ENABLED to true or false\
""",
            "empty value": """\
error[FLOE-122]: 'timezone' of schedule 'daily' is empty
  --> floe.yaml:6:7  orchestration.schedules.daily.timezone
   |  timezone:
  fix: write its value, or delete the key\
""",
            "sensor of unknown type": """\
error[FLOE-124]: sensor 'arrival' is of type 'file_sensor', which does not exist
  --> floe.yaml:2:29  orchestration.sensors.arrival.type
   |  sensors: {arrival: {type: file_sensor, path: x, job: load}}
  why: the types are file_watcher, asset_sensor, run_status, custom, automation
  fix: did you mean 'asset_sensor'?\
""",
            "remote path": """\
error[FLOE-125]: 'path' of sensor 'arrival' cannot be 's3://bucket/in'
  --> floe.yaml:2:49  orchestration.sensors.arrival.path
   |  sensors: {arrival: {type: file_watcher, path: 's3://bucket/in', job: load}}
  why: only local paths may stand here, and s3:// is remote: that belongs into platform.yaml
  fix: name a local folder, or reach the remote place through a resource\
""",
            "sensor without job": """\
error[FLOE-125]: sensor 'arrival': a sensor has one of job, jobs, selection
  --> floe.yaml:2:13  orchestration.sensors.arrival
   |  sensors: {arrival: {type: file_watcher, path: in}}
  fix: say what it launches: job: NAME\
""",
            "status": """\
error[FLOE-123]: 'status' of sensor 'alert' cannot be 'FAILED'
  --> floe.yaml:2:47  orchestration.sensors.alert.status
   |  sensors: {alert: {type: run_status, status: FAILED, job: load}}
  why: it must be one of SUCCESS, FAILURE, STARTED, CANCELED
  fix: did you mean 'FAILURE'?\
""",
            "placeholder": """\
error[FLOE-125]: 'tags.file' of sensor 'arrival' cannot be '{file.nam}'
  --> floe.yaml:2:77  orchestration.sensors.arrival.tags.file
   |  sensors: {arrival: {type: file_watcher, path: in, job: load, tags: {file: '{file.nam}'}}}
  why: '{file.nam}' cannot be filled in: there is {file.path}, {file.name}, {file.stem}
  fix: did you mean 'file.name'?\
""",
            "unknown condition": """\
error[FLOE-120]: 'automation_condition' of pattern 'bronze_*' takes no key 'target'
  --> floe.yaml:2:48  orchestration.assets.bronze_*.automation_condition.target
   |  assets: {'bronze_*': {automation_condition: {target: a.b}}}
  why: it takes target_function
  fix: did you mean 'target_function'?\
""",
            "freshness without unit": """\
error[FLOE-125]: 'freshness.fail_after' of pattern 'bronze_*' cannot be 24
  --> floe.yaml:2:49  orchestration.assets.bronze_*.freshness.fail_after
   |  assets: {'bronze_*': {freshness: {fail_after: 24}}}
  why: a length of time has a unit (s, m, h, d, w), such as '30m', '24h' or '1d12h'
  fix: write '24s', '24m', '24h' or '24d'\
""",
            "backfill policy": """\
error[FLOE-123]: 'backfill_policy' of pattern 'bronze_*' cannot be 'multi'
  --> floe.yaml:2:42  orchestration.assets.bronze_*.backfill_policy
   |  assets: {'bronze_*': {backfill_policy: multi}}
  why: it must be one of single_run, multi_run
  fix: did you mean 'multi_run'?\
""",
            "pattern": """\
error[FLOE-125]: a pattern cannot be named 'bronze_['
  --> floe.yaml:2:12  orchestration.assets["bronze_["]
   |  assets: {'bronze_[': {group_name: bronze}}
  why: it is a pattern over asset keys: the [ is not closed; write \\[ for a bracket that is meant as it stands\
""",
            "no date": """\
error[FLOE-125]: 'start' of partitions definition 'daily' cannot be '2024-13-01'
  --> floe.yaml:2:50  orchestration.partitions.daily.start
   |  partitions: {daily: {type: time_window, start: 2024-13-01}}
  why: it is a date, a date and time, or a year: month must be in 1..12
  fix: write it like '2024-01-31', '2024-01-31T06:00' or '2024'\
""",
            "end before start": """\
error[FLOE-125]: 'end' of partitions definition 'daily' cannot be '2024-01-01'
  --> floe.yaml:2:67  orchestration.partitions.daily.end
   |  partitions: {daily: {type: time_window, start: 2024-02-01, end: 2024-01-01}}
  why: the end of the partitions comes after their start, which is 2024-02-01
  fix: write a later end, or delete it\
""",
            "format too coarse": """\
error[FLOE-125]: 'fmt' of partitions definition 'hourly' cannot be '%Y-%m-%d'
  --> floe.yaml:2:94  orchestration.partitions.hourly.fmt
   |  partitions: {hourly: {type: time_window, start: 2024-01-01, cron_schedule: '@hourly', fmt: '%Y-%m-%d'}}
  why: every window has its own key, and those of 2024-01-01 00:00 and 2024-01-01 01:00 would both be '2024-01-01'
  fix: write fmt: '%Y-%m-%d-%H:%M', or leave it out\
""",
            "same key twice": """\
error[FLOE-125]: 'partition_keys[2]' of partitions definition 'region' cannot be 'eu'
  --> floe.yaml:2:64  orchestration.partitions.region.partition_keys[2]
   |  partitions: {region: {type: static, partition_keys: [eu, us, eu]}}
  why: every partition key stands once, and 'eu' stands 2 times
  fix: delete the others\
""",
            "key that is a number": """\
error[FLOE-125]: 'partition_keys[0]' of partitions definition 'region' cannot be 1.0
  --> floe.yaml:2:56  orchestration.partitions.region.partition_keys[0]
   |  partitions: {region: {type: static, partition_keys: [1.0]}}
  why: YAML reads it as the number 1.0, whose digits may differ from what was written
  fix: put it in quotes\
""",
            "one dimension": """\
error[FLOE-125]: 'partitions' of partitions definition 'multi': Dagster takes exactly two dimensions, and there is one
  --> floe.yaml:2:37  orchestration.partitions.multi.partitions
   |  partitions: {multi: {type: multi, partitions: {date: {type: time_window, start: 2024-01-01}}}}
  fix: name two, or write a definition of one kind\
""",
            "backfill without end": """\
error[FLOE-121]: 'partition_range' of backfill 'old' has no 'end'
  --> floe.yaml:2:32  orchestration.backfills.old.partition_range
   |  backfills: {old: {job: load, partition_range: {start: 2024-01-01}}}
  why: 'end' is required: last partition key of the range
  fix: add 'end: …'\
""",
            "backfill in batches of none": """\
error[FLOE-125]: 'batch_size' of backfill 'old' cannot be 0
  --> floe.yaml:2:66  orchestration.backfills.old.batch_size
   |  backfills: {old: {job: load, partition_keys: [eu], batch_size: 0}}
  why: it must be at least 1
  fix: write 1 or more\
""",
            "module with a blank": """\
error[FLOE-125]: asset module 1 cannot be 'shop assets'
  --> floe.yaml:3:7  orchestration.asset_modules[0]
   |  - shop assets
  why: a module is named by its import path: 'shop.bronze', or '.bronze' in the project folder, or 'shop.*'
  fix: write names joined by dots, as in an import statement\
""",
            "module without a name": """\
error[FLOE-121]: asset module 1 has no 'module'
  --> floe.yaml:3:7  orchestration.asset_modules[0]
   |  - group_name: bronze
  why: 'module' is required: import path
  fix: add 'module: …'\
""",
            "module that is a number": """\
error[FLOE-122]: asset module 1 cannot be 1
  --> floe.yaml:2:19  orchestration.asset_modules[0]
   |  asset_modules: [1]
  why: it must be text, the 'module', or a mapping with module, group_name, key_prefix
  fix: write 'module: …', or its text alone\
""",
            "level": """\
error[FLOE-123]: 'orchestration.dbt.observability_level' cannot be 'per_mdel'
  --> floe.yaml:2:30  orchestration.dbt.observability_level
   |  dbt: {observability_level: per_mdel}
  why: it must be one of per_model, job_level
  fix: did you mean 'per_model'?\
""",
            "fetch": """\
error[FLOE-123]: 'orchestration.dbt.fetch' cannot be 'row_count'
  --> floe.yaml:2:16  orchestration.dbt.fetch
   |  dbt: {fetch: row_count}
  why: it must be one of row_counts, column_metadata
  fix: did you mean 'row_counts'?\
""",
            "key of a dimension": """\
error[FLOE-125]: 'partitions.a.partition_keys[1]' of partitions definition 'multi' cannot be 'y|z'
  --> floe.yaml:6:47  orchestration.partitions.multi.partitions.a.partition_keys[1]
   |  a: {type: static, partition_keys: [x, 'y|z']}
  why: Dagster joins the keys of dimensions by '|' and takes none of '|', ',', '[' and ']' in 'y|z'
  fix: write the key without it\
""",
            "transform": """\
error[FLOE-120]: 'transforms' takes no key 'pth'
  --> floe.yaml:1:25  transforms.pth
   |  transforms: {type: dbt, pth: .}
  why: it takes type, path, target
  fix: did you mean 'path'?\
""",
            "transform of another tool": """\
error[FLOE-123]: 'type' of transform 1 cannot be 'spark'
  --> floe.yaml:1:21  transforms[0].type
   |  transforms: [{type: spark}]
  why: it must be dbt
  fix: write 'dbt'\
""",
            "expression in a key": """\
error[FLOE-113]: key '${NAME}' holds an expression
  --> floe.yaml:2:10  orchestration.jobs.${NAME}
   |  jobs: {'${NAME}': {type: batch, selection: x}}
  why: what comes from the environment stands in values, never in keys
  fix: write the name itself\
""",
            "name of nothing": """\
error[FLOE-122]: 'name' is empty
  --> floe.yaml:1:7  name
   |  name: ${NAME:}
  why: ${NAME:} is nothing
  fix: set NAME, or write a default: ${NAME:value}; without a value, delete the key\
""",
            "item of nothing": """\
error[FLOE-122]: 'environments[0]' of schedule 'daily' is empty
  --> floe.yaml:2:74  orchestration.schedules.daily.environments[0]
   |  schedules: {daily: {job: load, cron_schedule: '@daily', environments: ['${HERE:}']}}
  why: ${HERE:} is nothing
  fix: set HERE, or write a default: ${HERE:value}; without a value, delete the entry\
""",
            "list in one text": """\
error[FLOE-125]: 'environments' of schedule 'daily' cannot be 'prod, dev'
  --> floe.yaml:2:73  orchestration.schedules.daily.environments
   |  schedules: {daily: {job: load, cron_schedule: '@daily', environments: 'prod, dev'}}
  why: an environment's name has letters, digits, '-', '_' and '.'
  fix: write it as a list: [prod, dev]\
""",
            "offset for a zone": """\
error[FLOE-125]: 'timezone' of schedule 'daily' cannot be 'UTC+2'
  --> floe.yaml:2:69  orchestration.schedules.daily.timezone
   |  schedules: {daily: {job: load, cron_schedule: '@daily', timezone: UTC+2}}
  why: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: name the zone, or write 'Etc/GMT-2', which knows no summer time\
""",
            "seconds with a unit": """\
error[FLOE-122]: 'poll_interval_seconds' of sensor 'arrival' cannot be '5m'
  --> floe.yaml:2:87  orchestration.sensors.arrival.poll_interval_seconds
   |  sensors: {arrival: {type: file_watcher, path: in, job: load, poll_interval_seconds: 5m}}
  why: it must be a whole number
  fix: write it in seconds: 300\
""",
            "settings in place of a profile": """\
error[FLOE-122]: 'compute' cannot be a mapping
  --> floe.yaml:1:1  compute
   |  compute: {type: duckdb}
  why: it must be text
  fix: name a profile, and write its settings under 'compute' of platform.yaml\
""",
            "window by its usual name": """\
error[FLOE-124]: partitions definition 'hours' is of type 'hourly', which does not exist
  --> floe.yaml:2:30  orchestration.partitions.hours.type
   |  partitions: {hours: {type: hourly, start: 2024-01-01}}
  why: the types are time_window, static, multi, dynamic
  fix: write 'time_window', and cron_schedule: '0 * * * *' beside it\
""",
            "dbt switched on": """\
error[FLOE-122]: 'orchestration.dbt' cannot be true
  --> floe.yaml:2:8  orchestration.dbt
   |  dbt: true
  why: it must be a mapping with manifest_path, project_dir, profiles_dir, target, observability_level and 6 more
  fix: write {} to take it as it is, or 'key: value' lines below it, indented\
""",
            "job in one text": """\
error[FLOE-122]: job 'load' cannot be 'group:bronze'
  --> floe.yaml:2:16  orchestration.jobs.load
   |  jobs: {load: 'group:bronze'}
  why: it must be a mapping with a 'type'
  fix: write 'type: …' and the rest below it, indented\
""",
            "function without a module": """\
error[FLOE-125]: 'target_function' of job 'load' cannot be 'vacuum'
  --> floe.yaml:2:45  orchestration.jobs.load.target_function
   |  jobs: {load: {type: ops, target_function: vacuum}}
  why: a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'
  fix: write its module before it, such as 'shop.vacuum'\
""",
        }
    )


@pytest.mark.requirement("010-FR-046")
def test_all_mistakes_are_reported_together_in_the_order_of_the_file() -> None:
    error = refusal("""
        nam: shop
        orchestration:
          jobs:
            load: {type: bach}
            other: {type: batch, selection: x, max_retries: many, tags: [a]}
          schedules:
            daily: {job: load, cron_schedule: "61 * * * *", timezone: Nowhere, enabled: "${X}"}
    """)

    assert isinstance(error, InvalidDocumentError)
    assert [(problem.location.line, problem.code) for problem in error.problems if problem.location] == [
        (2, "FLOE-120"),
        (5, "FLOE-124"),
        (6, "FLOE-122"),
        (6, "FLOE-122"),
        (8, "FLOE-125"),
        (8, "FLOE-125"),
        (8, "FLOE-111"),
    ]
    assert str(error).endswith("6 errors, 1 warning")


def test_a_problem_behind_an_alias_is_shown_where_the_text_is() -> None:
    error = refusal("""
        x-nightly: &nightly {cron_schedule: "61 0 * * *", job: load}
        orchestration:
          schedules: {a: *nightly}
    """)

    (problem,) = error.problems
    assert problem.location is not None
    assert (problem.location.line, problem.location.column) == (2, 37)
    assert problem.location.yaml_path == "orchestration.schedules.a.cron_schedule"


PYDANTIC_WORDS = ("Input should", "Field required", "valid", "type=", "validation error", "function-", "Extra inputs")


def places(tree: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in children:
        yield from places(value, (*path, key))


EXAMPLE = load_yaml(COMPLETE_EXAMPLE).value
ODD_VALUES: list[object] = [None, True, -1, 1.5, "", "x y", "${E}", "${E:7}", [], [1], {}, {"a": 1}, [[]], "2024-13-01"]


@given(
    path=st.sampled_from([path for path in places(EXAMPLE) if path]),
    value=st.sampled_from(ODD_VALUES),
    extra=st.booleans(),
)
def test_any_value_in_any_place_is_fine_or_described_in_our_words(
    path: tuple[str | int, ...], value: object, extra: bool
) -> None:
    document = copy.deepcopy(EXAMPLE)
    parent: object = document
    for part in path[:-1]:
        parent = parent[part]  # type: ignore[index]  # the path comes from the document
    if extra and isinstance(parent, dict):
        parent[f"{path[-1]}x"] = value
    else:
        parent[path[-1]] = value  # type: ignore[index]  # the path comes from the document
    parsed = parse_yaml(json.dumps(document, indent=1), file=Path("floe.yaml"))

    try:
        build_floe_document(parsed.value, parsed.source, environ={"E": "secret value"})
    except DocumentError as error:
        report = str(error)
    else:
        return
    assert not [words for words in PYDANTIC_WORDS if words in report]
    assert "secret value" not in report


# ---- what may not be shown


@pytest.mark.requirement("010-FR-047")
def test_values_from_the_environment_are_shown_as_their_expressions() -> None:
    error = refusal(
        orchestration("""
            partitions:
              daily: {type: time_window, start: "${START}", end: "${END}", timezone: "${ZONE}"}
            jobs:
              load: {type: batch, selection: x, max_retries: "${RETRIES}", tags: {"a b": "${SHORT}"}}
            schedules:
              daily: {job: "${JOB}", cron_schedule: "${CRON}", enabled: "${ENABLED}", environments: ["${ZONE}"]}
            sensors:
              alert: {type: "${TYPE}", job: load}
              failed: {type: run_status, job: load, status: "${STATUS:FAILD}"}
        """),
        START="2031-05-06",
        END="2030-04-03",
        ZONE="Mars/Olympus Mons",
        RETRIES="-77",
        SHORT="7",
        JOB="not a job name",
        CRON="61 23 31 12 9876",
        ENABLED="perhapses",
        TYPE="fileish",
    )

    report = str(error)
    assert len(error.problems) == 10
    for value in ("2031", "2030", "Mars", "-77", "not_a_job", "not a job", "9876", "perhapses", "fileish"):
        assert value not in report
    assert report == snapshot("""\
error[FLOE-125]: 'end' of partitions definition 'daily' cannot be '${END}'
  --> floe.yaml:3:56  orchestration.partitions.daily.end
   |  daily: {type: time_window, start: "${START}", end: "${END}", timezone: "${ZONE}"}
  why: the end of the partitions comes after their start, which is ${START}
  fix: set END to another value

error[FLOE-125]: 'timezone' of partitions definition 'daily' cannot be '${ZONE}'
  --> floe.yaml:3:76  orchestration.partitions.daily.timezone
   |  daily: {type: time_window, start: "${START}", end: "${END}", timezone: "${ZONE}"}
  why: a time zone is a name of the IANA database, such as 'UTC' or 'Europe/Berlin'
  fix: set ZONE to another value

error[FLOE-125]: 'max_retries' of job 'load' cannot be '${RETRIES}'
  --> floe.yaml:5:52  orchestration.jobs.load.max_retries
   |  load: {type: batch, selection: x, max_retries: "${RETRIES}", tags: {"a b": "${SHORT}"}}
  why: it must be at least 0
  fix: set RETRIES to 0 or more

error[FLOE-125]: 'tags' of job 'load' cannot have a key 'a b'
  --> floe.yaml:5:73  orchestration.jobs.load.tags["a b"]
   |  load: {type: batch, selection: x, max_retries: "${RETRIES}", tags: {"a b": "${SHORT}"}}
  why: a tag's key has up to 63 letters, digits, '_', '-' and '.', after an optional prefix and '/'
  fix: write 'a_b'

error[FLOE-125]: 'job' of schedule 'daily' cannot be '${JOB}'
  --> floe.yaml:7:18  orchestration.schedules.daily.job
   |  daily: {job: "${JOB}", cron_schedule: "${CRON}", enabled: "${ENABLED}", environments: ["${ZONE}"]}
  why: a name has letters, digits and '_', and starts with a letter
  fix: set JOB to another value

error[FLOE-125]: 'cron_schedule' of schedule 'daily' cannot be '${CRON}'
  --> floe.yaml:7:43  orchestration.schedules.daily.cron_schedule
   |  daily: {job: "${JOB}", cron_schedule: "${CRON}", enabled: "${ENABLED}", environments: ["${ZONE}"]}
  why: minute 61 is not in 0-59
  fix: set CRON to another value

error[FLOE-122]: 'enabled' of schedule 'daily' cannot be '${ENABLED}'
  --> floe.yaml:7:63  orchestration.schedules.daily.enabled
   |  daily: {job: "${JOB}", cron_schedule: "${CRON}", enabled: "${ENABLED}", environments: ["${ZONE}"]}
  why: it must be true or false
  fix: set ENABLED to true or false

error[FLOE-125]: 'environments[0]' of schedule 'daily' cannot be '${ZONE}'
  --> floe.yaml:7:92  orchestration.schedules.daily.environments[0]
   |  daily: {job: "${JOB}", cron_schedule: "${CRON}", enabled: "${ENABLED}", environments: ["${ZONE}"]}
  why: an environment's name has letters, digits, '-', '_' and '.'
  fix: set ZONE to another value

error[FLOE-124]: sensor 'alert' is of type '${TYPE}', which does not exist
  --> floe.yaml:9:19  orchestration.sensors.alert.type
   |  alert: {type: "${TYPE}", job: load}
  why: the types are file_watcher, asset_sensor, run_status, custom, automation
  fix: set TYPE to one of them

error[FLOE-123]: 'status' of sensor 'failed' cannot be '${STATUS:FAILD}'
  --> floe.yaml:10:51  orchestration.sensors.failed.status
   |  failed: {type: run_status, job: load, status: "${STATUS:FAILD}"}
  why: it must be one of SUCCESS, FAILURE, STARTED, CANCELED
  fix: set STATUS to one of them

10 errors\
""")


SECRETS = {
    "plain secret": "catalogs:\n  default: {type: rest, uri: 'https://polaris', client_secret: %s}",
    "secret of another line": "catalogs:\n  default: {type: rest, client_secret: %s, uri: 'https://polaris'}",
    "secret beside another mistake": "catalogs: {default: {type: rest, urii: 'https://polaris', token: %s}}",
    "misspelt key": "catalogs:\n  default: {type: rest, uri: 'https://polaris', client_secert: %s}",
    "foreign key": "observability:\n  password: %s",
    "password in an address": "catalogs:\n  default: {type: sql, uri: 'postgresql://user:%s@host/db'}",
    "secret in place of its name": "catalogs: {default: {type: rest, uri: 'https://x', token: {secret_ref: %s}}}",
    "list of secrets": "observability:\n  lineage_api_key: [%s]",
    "secret from the environment": "observability:\n  lineage_api_key: ${KEY}",
    "secret in place of the name of an argument": "resources: {api: {target: a.b, args: {key: {secret_ref: '%s!'}}}}",
    "number in place of its name": "observability: {lineage_api_key: {secret_ref: 1%s}}",
    "secret of several lines": "observability:\n  lineage_api_key: |\n    first\n    %s",
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_never_shown(tmp_path: Path, name: str) -> None:
    text = SECRETS[name].replace("%s", SECRET)

    error = platform_refusal(tmp_path, text, KEY=SECRET)

    assert SECRET not in str(error)
    assert SECRET not in json.dumps([problem.to_json() for problem in error.problems])
    assert SECRET not in repr(error.__cause__)


def test_a_secret_in_a_document_is_refused_with_the_way_to_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    error = platform_refusal(tmp_path, SECRETS["plain secret"].replace("%s", SECRET))

    assert str(error) == snapshot("""\
error[FLOE-126]: 'client_secret' of catalog profile 'default' holds a secret
  --> platform.yaml:2:64  catalogs.default.client_secret
   |  default: {type: rest, uri: 'https://polaris', client_secret: ***
  why: a secret never stands in a document
  fix: put the value into an environment variable and write {secret_ref: NAME} with the variable's name\
""")


# ---- platform.yaml


def test_without_a_platform_yaml_there_is_the_embedded_platform(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    document = load_platform_document(tmp_path, environ={})

    assert (document.path, document.source, document.environment) == (None, None, "local")
    assert list(document.spec.compute) == ["default"]


@pytest.mark.parametrize("text", ["", "# everything is commented out\n", "x-notes: [a]\n"])
def test_an_empty_platform_yaml_is_the_embedded_platform(tmp_path: Path, text: str) -> None:
    document = read_platform(tmp_path, text)

    assert document.path == tmp_path / "platform.yaml"
    assert document.spec == load_platform_document(tmp_path / "elsewhere", environ={}).spec


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project in `pipelines/shop`, and a platform.yaml above the repository."""
    (tmp_path / "platform.yaml").write_text("x-where: above the repository\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "pipelines" / "shop").mkdir(parents=True)
    return tmp_path / "repo"


def add(repository: Path, *names: str) -> None:
    for name in names:
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).touch()


@pytest.mark.requirement("010-FR-048", "010-SC-004")
@pytest.mark.parametrize(
    ("files", "environ", "found", "environment"),
    [
        pytest.param([], {}, None, "local", id="nothing"),
        pytest.param(["platform.yaml"], {}, "platform.yaml", "local", id="at the root"),
        pytest.param(
            ["platform.yaml", "pipelines/platform.yaml", "pipelines/shop/platform.yaml"],
            {},
            "pipelines/shop/platform.yaml",
            "local",
            id="the nearest",
        ),
        pytest.param(
            ["platform/prod/platform.yaml", "pipelines/shop/platform.yaml"],
            {"FLOE_PLATFORM_ENV": "prod"},
            "platform/prod/platform.yaml",
            "prod",
            id="the environment's before the plain one",
        ),
        pytest.param(
            ["platform/prod/platform.yaml", "pipelines/shop/platform/prod/platform.yaml"],
            {"FLOE_PLATFORM_ENV": "prod"},
            "pipelines/shop/platform/prod/platform.yaml",
            "prod",
            id="the environment's nearest",
        ),
        pytest.param(
            ["platform/prod/platform.yaml", "pipelines/platform.yaml"],
            {"FLOE_PLATFORM_ENV": "dev"},
            "pipelines/platform.yaml",
            "dev",
            id="the plain one for another environment",
        ),
        pytest.param(
            ["platform.yaml", "platform/prod/platform.yaml"],
            {"FLOE_PLATFORM_ENV": ""},
            "platform.yaml",
            "local",
            id="an empty variable is not set",
        ),
        pytest.param(
            ["ops/special.yaml", "pipelines/shop/platform.yaml"],
            {"FLOE_PLATFORM_FILE": "ops/special.yaml"},
            "ops/special.yaml",
            "local",
            id="a named file before all",
        ),
        pytest.param(
            ["ops/special.yaml", "platform/prod/platform.yaml"],
            {"FLOE_PLATFORM_FILE": "ops/special.yaml", "FLOE_PLATFORM_ENV": "prod"},
            "ops/special.yaml",
            "prod",
            id="a named file of an environment",
        ),
    ],
)
def test_platform_yaml_is_looked_up_from_the_project_to_the_root(
    repository: Path, files: list[str], environ: dict[str, str], found: str | None, environment: str
) -> None:
    add(repository, *files)

    document = load_platform_document(repository / "pipelines" / "shop", environ=environ)

    assert document.path == (repository / found if found else None)
    assert document.environment == environment


def test_outside_of_a_repository_every_folder_above_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "app" / "shop").mkdir(parents=True)
    (tmp_path / "platform").mkdir()
    add(tmp_path, "platform/prod/platform.yaml")

    document = load_platform_document(tmp_path / "app" / "shop", environ={"FLOE_PLATFORM_ENV": "prod"})

    assert document.path == tmp_path / "platform/prod/platform.yaml"


def test_a_named_file_may_be_absolute_or_in_the_working_directory(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, "other/here.yaml")
    monkeypatch.chdir(tmp_path / "other")
    shop = repository / "pipelines" / "shop"

    absolute = load_platform_document(shop, environ={"FLOE_PLATFORM_FILE": str(tmp_path / "other" / "here.yaml")})
    relative = load_platform_document(shop, environ={"FLOE_PLATFORM_FILE": "here.yaml"})

    assert absolute.path == relative.path == tmp_path / "other" / "here.yaml"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param(
            {"FLOE_PLATFORM_ENV": "prod"},
            snapshot("""\
error[FLOE-230]: FLOE_PLATFORM_ENV is 'prod', and there is no such platform.yaml
      looked for pipelines/platform/prod/platform.yaml
      looked for platform/prod/platform.yaml
      looked for pipelines/platform.yaml
      looked for platform.yaml
  fix: make one of them, or unset FLOE_PLATFORM_ENV to run on the embedded platform\
"""),
            id="environment",
        ),
        pytest.param(
            {"FLOE_PLATFORM_FILE": "ops/platform.yaml"},
            snapshot("""\
error[FLOE-230]: FLOE_PLATFORM_FILE is 'ops/platform.yaml', and there is no such platform.yaml
      looked for pipelines/ops/platform.yaml
      looked for ops/platform.yaml
  fix: make one of them, or unset FLOE_PLATFORM_FILE to run on the embedded platform\
"""),
            id="file",
        ),
        pytest.param(
            {"FLOE_PLATFORM_ENV": "../prod"},
            snapshot("""\
error[FLOE-230]: FLOE_PLATFORM_ENV is '../prod', which names no environment
  why: an environment's name has letters, digits, '-', '_' and '.'
  fix: write 'prod'\
"""),
            id="environment that is a path",
        ),
    ],
)
def test_what_is_named_must_be_there(
    repository: Path, monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], message: str
) -> None:
    monkeypatch.chdir(repository)

    with pytest.raises(CompileError) as raised:
        load_platform_document(repository / "pipelines", environ=environ)

    assert str(raised.value) == message


def test_unset_variables_of_the_platform_are_errors_unless_only_validating(tmp_path: Path) -> None:
    text = "storage: {default: {type: s3, bucket: '${BUCKET}'}}"

    with pytest.raises(InterpolationError):
        read_platform(tmp_path, text)

    document = load_platform_document(tmp_path, environ={}, strict_env=False)
    assert [warning.code for warning in document.warnings] == ["FLOE-111"]


def test_a_profile_that_stands_where_its_name_belongs_is_told_so(tmp_path: Path) -> None:
    problems = platform_refusal(tmp_path, "compute: {type: duckdb, path: x}\nexecution: multiprocess\n").problems

    assert [problem.fix for problem in problems] == [
        "write a name, such as 'default:', above these lines, and indent them",
        "write each execution profile below its name, 'name: …', indented",
    ]


def test_platform_mistakes_are_described_like_those_of_floe_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    error = platform_refusal(
        tmp_path,
        """
        orchestration: {}
        storage:
          default: {type: s3, buket: lake}
          lake: {type: local, bucket: lake}
        compute:
          default: {type: postgress}
          other: {type: postgres, host: h, port: 70000, user: u, password: {secret_ref: PASSWORD}, dbname: d, schema: s}
        observability: {otlp_protocol: http, sampling: 2}
        execution:
          "my profile": {type: in_process}
        instance: {storage: {type: postgres, host: h, user: u, password: {secret: X}}}
        """,
    )

    assert str(error) == snapshot("""\
error[FLOE-120]: platform.yaml takes no key 'orchestration'
  --> platform.yaml:2:1  orchestration
   |  orchestration: {}
  why: it takes storage, catalogs, compute, execution, observability, instance and 2 more
  fix: it belongs into floe.yaml

error[FLOE-120]: storage profile 'default' takes no key 'buket'
  --> platform.yaml:4:23  storage.default.buket
   |  default: {type: s3, buket: lake}
  why: type s3 takes bucket, access_key_id, secret_access_key, session_token, prefix, region and 2 more
  fix: did you mean 'bucket'?

error[FLOE-120]: storage profile 'lake' takes no key 'bucket'
  --> platform.yaml:5:23  storage.lake.bucket
   |  lake: {type: local, bucket: lake}
  why: type local takes path
  fix: 'bucket' belongs to type s3

error[FLOE-124]: compute profile 'default' is of type 'postgress', which does not exist
  --> platform.yaml:7:19  compute.default.type
   |  default: {type: postgress}
  why: the types are duckdb, postgres, snowflake, bigquery, redshift, databricks, trino, spark
  fix: did you mean 'postgres'?

error[FLOE-125]: 'port' of compute profile 'other' cannot be 70000
  --> platform.yaml:8:42  compute.other.port
   |  other: {type: postgres, host: h, port: 70000, user: u, password: {secret_ref: PASSWORD}, dbname: d, schema: s}
  why: it must be at most 65535
  fix: write 65535 or less

error[FLOE-123]: 'observability.otlp_protocol' cannot be 'http'
  --> platform.yaml:9:32  observability.otlp_protocol
   |  observability: {otlp_protocol: http, sampling: 2}
  why: it must be one of grpc, http/protobuf
  fix: did you mean 'http/protobuf'?

error[FLOE-125]: 'observability.sampling' cannot be 2
  --> platform.yaml:9:48  observability.sampling
   |  observability: {otlp_protocol: http, sampling: 2}
  why: it must be at most 1
  fix: write 1 or less

error[FLOE-125]: an execution profile cannot be named 'my profile'
  --> platform.yaml:11:3  execution["my profile"]
   |  "my profile": {type: in_process}
  why: a name has letters, digits, '-' and '_'
  fix: write 'my-profile'

error[FLOE-120]: 'instance.storage.password' takes no key 'secret'
  --> platform.yaml:12:67  instance.storage.password.secret
   |  instance: {storage: {type: postgres, host: h, user: u, password: {secret: ***
  why: it takes secret_ref
  fix: did you mean 'secret_ref'?

9 errors\
""")


# ---- JSON Schema


def test_every_field_of_both_schemas_has_a_description() -> None:
    for schema in (json_schema("floe"), json_schema("platform")):
        Draft202012Validator.check_schema(schema)
        objects = [node for node in walk(schema) if "properties" in node]
        assert len(objects) > 15
        for node in objects:
            assert node.get("additionalProperties") is False
            for name, field in node["properties"].items():
                assert field.get("description"), name


def walk(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def schema_accepts(kind: Literal["floe", "platform"], text: str) -> bool:
    document = parse_yaml(dedent(text), file=Path("x.yaml")).value
    return bool(validator(kind).is_valid(document))


@functools.cache
def validator(kind: Literal["floe", "platform"]) -> Draft202012Validator:
    return Draft202012Validator(json_schema(kind))


RIGHT_DOCUMENTS = {
    "the complete example": COMPLETE_EXAMPLE.read_text(),
    "expressions everywhere": UNSET.replace("selektion", "selection"),
    "notes": "x-a: {b: [1]}\norchestration: {}\n",
    "commented out sections": "orchestration: {jobs: , assets: , asset_modules: [.a, {module: b.c}]}\n",
    "short forms": orchestration("""
        jobs: {load: {type: batch, selection: x, hooks: a.b, max_retries: "${N:1}", tags: {a: 1, b: true}}}
        assets: {"*": {backfill_policy: single_run, kinds: a-kind, freshness: {fail_after: 1h}, metadata: {a: [1]}}}
        partitions: {year: {type: time_window, start: 2024}, r: {type: static, partition_keys: [2024, eu]}}
        schedules: {s: {selection: x, cron_schedule: ["@daily", "0 * * * *"], enabled: "${E:true}"}}
    """),
    **{
        f"status {status}": orchestration(f"""
            sensors: {{s: {{type: run_status, status: {status}, target_function: shop.alerts.send}}}}
        """)
        for status in ("SUCCESS", "success", "cancelled", "CANCELLED", "Canceled")
    },
}
SCHEMA_MISTAKES = (
    "no orchestration",
    "misspelt section",
    "section at the top",
    "jobs is a list",
    "job is a list",
    "job without type",
    "job of unknown type",
    "misspelt required key",
    "key of another type",
    "missing key",
    "no number",
    "half a number",
    "number too small",
    "config is text",
    "hook of a number",
    "misspelt cron",
    "sensor of unknown type",
    "status",
    "backfill in batches of none",
    "level",
    "fetch",
    "transform",
)


def test_the_schema_offers_the_statuses_as_dagster_writes_them() -> None:
    offered = [node["enum"] for node in walk(json_schema("floe")) if "SUCCESS" in node.get("enum", ())]

    assert offered == [["SUCCESS", "FAILURE", "STARTED", "CANCELED"]]


@pytest.mark.parametrize("name", RIGHT_DOCUMENTS)
def test_the_schema_accepts_what_floe_accepts(name: str) -> None:
    read(RIGHT_DOCUMENTS[name])

    assert schema_accepts("floe", RIGHT_DOCUMENTS[name])


@pytest.mark.parametrize("name", SCHEMA_MISTAKES)
def test_the_schema_refuses_what_floe_refuses(name: str) -> None:
    assert not schema_accepts("floe", MISTAKES[name])


def test_the_schema_of_the_platform_does_so_too() -> None:
    assert schema_accepts("platform", "")
    assert schema_accepts("platform", "compute: {default: {type: duckdb, threads: '${T:4}', schema: main}}")
    assert schema_accepts("platform", "catalogs: {default: {type: rest, uri: x, token: {secret_ref: T}}}")
    assert not schema_accepts("platform", "catalogs: {default: {type: rest, uri: x, token: plain}}")
    assert not schema_accepts("platform", "compute: {default: {type: duckdb, thread: 4}}")
    assert not schema_accepts("platform", "orchestration: {}")


# ---- cost


def test_validation_loads_neither_dagster_nor_dbt_and_costs_little_more_than_pydantic() -> None:
    program = f"""
import sys, time
from pathlib import Path
import pydantic, yaml
pydantic.BaseModel, pydantic.create_model("Model", name=(str, ...))(name="x")
before = time.process_time()
from floe_core.documents import load_floe_document, load_platform_document
load_floe_document(Path({str(COMPLETE_EXAMPLE)!r}), environ={{}})
load_platform_document(Path({str(COMPLETE_EXAMPLE.parent)!r}), environ={{}})
print((time.process_time() - before) / before)
print(*{{"dagster", "dbt", "dagster_dbt", "opentelemetry", "jinja2", "click"}} & set(sys.modules))
"""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program]

    runs = [subprocess.run(command, capture_output=True, text=True, env=environ, check=True) for _ in range(3)]

    ratios, heavy = zip(*(run.stdout.split("\n")[:2] for run in runs), strict=True)
    assert set(heavy) == {""}
    assert min(map(float, ratios)) < 2.5
