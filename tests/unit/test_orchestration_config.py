"""The sections of `orchestration`."""

import pytest
from inline_snapshot import snapshot

from builders import BATCH_JOB, dbt_config, orchestration, refusal_report
from floe_core.schemas.orchestration_config import DbtConfig, OrchestrationConfig


def test_everything_may_be_left_out() -> None:
    empty = orchestration()

    assert (empty.asset_modules, empty.dbt, empty.partitions, empty.assets) == ((), None, {}, {})
    assert (empty.jobs, empty.schedules, empty.sensors, empty.backfills) == ({}, {}, {}, {})


def test_a_section_whose_entries_are_commented_out_is_empty() -> None:
    assert orchestration(jobs=None, schedules=None).jobs == {}


@pytest.mark.requirement("010-FR-005")
def test_modules_are_named_in_short_or_with_settings() -> None:
    modules = orchestration(
        asset_modules=["shop.bronze", ".gold", {"module": "shop.ops.*", "group_name": "ops", "key_prefix": ["a", "b"]}]
    ).asset_modules

    assert [(module.module, module.group_name, module.key_prefix) for module in modules] == [
        ("shop.bronze", None, ()),
        (".gold", None, ()),
        ("shop.ops.*", "ops", ("a", "b")),
    ]


def test_one_module_needs_no_list() -> None:
    assert [module.module for module in orchestration(asset_modules="shop.assets").asset_modules] == ["shop.assets"]


def test_defaults_of_dbt() -> None:
    dbt = dbt_config()

    assert (dbt.manifest_path, dbt.observability_level) == ("target/manifest.json", "per_model")
    assert (dbt.project_dir, dbt.profiles_dir, dbt.target, dbt.translator) == (None, None, None, None)
    assert (dbt.select, dbt.exclude, dbt.selector, dbt.vars, dbt.fetch) == ((), (), None, {}, ())


def test_dbt_selections_are_lists_or_one_text() -> None:
    dbt = dbt_config(select="tag:nightly +orders", exclude=["stg_old"], fetch="row_counts")

    assert (dbt.select, dbt.exclude, dbt.fetch) == (("tag:nightly +orders",), ("stg_old",), ("row_counts",))


def test_dbt_vars_hold_anything_and_places_for_partitions() -> None:
    dbt = dbt_config(vars={"min_date": "{partition_start:%Y-%m-%d}", "json": '{"a": 1}', "days": 3, "regions": ["eu"]})

    assert dbt.vars["min_date"] == "{partition_start:%Y-%m-%d}"


def test_sections_that_are_refused() -> None:
    cases: dict[str, object] = {
        "section": {"job": {}},
        "list of jobs": {"jobs": [BATCH_JOB]},
        "job name with a dash": {"jobs": {"bronze-load": BATCH_JOB}},
        "job name of Python": {"jobs": {"import": BATCH_JOB}},
        "job name of Dagster": {"jobs": {"config": BATCH_JOB}},
        "asset pattern": {"assets": {"{a,b": {}}},
        "module by its file": {"asset_modules": ["shop/assets/bronze.py"]},
        "module with a wildcard inside": {"asset_modules": ["shop.*.bronze"]},
        "module without a name": {"asset_modules": [{"group_name": "bronze"}]},
        "empty dbt": {"dbt": None, "jobs": {"load": None}},
    }
    dbt_cases: dict[str, object] = {
        "level": {"observability_level": "per_node"},
        "selector and select": {"selector": "nightly", "select": ["a"], "exclude": ["b"]},
        "remote manifest": {"manifest_path": "s3://artifacts/manifest.json"},
        "translator": {"translator": "Translator"},
        "fetch": {"fetch": ["row_count"]},
        "misspelt place": {"vars": {"dates": {"from": "{partition_strat:%Y}"}}},
        "misspelt at its beginning": {"vars": {"day": "{parition_key}"}},
        "format of a key": {"vars": {"day": "{partition_key:%Y}"}},
        "format of no date": {"vars": {"days": ["{partition_start:YYYY-MM-DD}"]}},
    }

    assert refusal_report(OrchestrationConfig, cases) == snapshot("""\
# section
job: Extra inputs are not permitted
# list of jobs
jobs: Input should be a valid dictionary
# job name with a dash
jobs.bronze-load["[key]"]: a name has letters, digits and '_', and starts with a letter
  fix: write 'bronze_load'
# job name of Python
jobs.import["[key]"]: Dagster takes no name that is a word of Python, such as 'import'
  fix: write 'import_'
# job name of Dagster
jobs.config["[key]"]: Dagster keeps the name 'config' for itself
  fix: write 'config_'
# asset pattern
assets.{a,b["[key]"]: it is a pattern over asset keys: the { is not closed; write \\{ for a brace that is meant
    as it stands
# module by its file
asset_modules[0].module: a module is named by its import path: 'shop.bronze', or '.bronze' in the project
    folder, or 'shop.*'
  fix: write 'shop.assets.bronze'
# module with a wildcard inside
asset_modules[0].module: a module is named by its import path: 'shop.bronze', or '.bronze' in the project
    folder, or 'shop.*'
  fix: write names joined by dots, as in an import statement
# module without a name
asset_modules[0].module: Field required
# empty dbt
dbt: an empty section could mean no dbt, or dbt as it is
  fix: write dbt: {}, or delete the key
jobs.load: Input should be a valid dictionary or object to extract fields from\
""")
    assert refusal_report(DbtConfig, dbt_cases) == snapshot("""\
# level
observability_level: Input should be 'per_model' or 'job_level'
# selector and select
selector: dbt takes a selector in place of select and exclude, not beside
  fix: delete 'selector', or all others
# remote manifest
manifest_path: only local paths may stand here, and s3:// is remote: that belongs into platform.yaml
  fix: name a local folder, or reach the remote place through a resource
# translator
translator: a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'
  fix: write its module before it, such as 'shop.Translator'
# fetch
fetch[0]: Input should be 'row_counts' or 'column_metadata'
# misspelt place
vars.dates.from: '{partition_strat}' cannot be filled in: there is {partition_key}, {partition_keys},
    {partition_start}, {partition_end}
  fix: did you mean 'partition_start'?
# misspelt at its beginning
vars.day: '{parition_key}' cannot be filled in: there is {partition_key}, {partition_keys}, {partition_start},
    {partition_end}
  fix: did you mean 'partition_key' or 'partition_keys'?
# format of a key
vars.day: '{partition_key}' is filled in as it is: only the bounds of time windows have a format
  fix: write '{partition_key}', or '{partition_start:%Y}'
# format of no date
vars.days[0]: 'YYYY-MM-DD' is no format of dates and times, which has parts such as %Y, %m and %d
  fix: write '{partition_start:%Y-%m-%d}'\
""")
