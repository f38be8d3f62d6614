"""`floe validate` on projects of which not everything is known, or not everything is right."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent, indent

import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from floe_processes import run_floe
from plugins.user_project import UserProject

ASSETS = """
import dagster as dg


@dg.asset(group_name="bronze")
def bronze_orders() -> None: ...


@dg.asset(group_name="gold")
def revenue(vault: dg.ResourceParam[object]) -> None: ...


@dg.job
def by_hand() -> None: ...
"""
PLATFORM = """
resources: {vault: {target: shop.vaults.Vault, args: {url: "${VAULT_URL}"}}}
execution: {default: {type: in_process}, wide: {type: multiprocess, max_concurrent: "${SLOTS}"}}
"""


@pytest.fixture
def project(user_project: UserProject, monkeypatch: pytest.MonkeyPatch) -> UserProject:
    for variable in ("FLOE_PLATFORM_ENV", "FLOE_PLATFORM_FILE", "DAGSTER_HOME"):
        monkeypatch.delenv(variable, raising=False)
    vault = "class Vault:\n    def __init__(self, url='', token=''): ..."
    user_project.write({"shop/__init__.py": "", "shop/assets.py": ASSETS, "shop/vaults.py": vault, ".git/HEAD": ""})
    return user_project


def validate(project: UserProject, orchestration: str, *options: str, top: str = "", platform: str = PLATFORM) -> int:
    body = indent(dedent(orchestration).strip("\n"), "  ")
    project.write({"platform.yaml": platform})
    (project.path / "floe.yaml").write_text(f"{top}\norchestration:\n  asset_modules: [shop.assets]\n{body}\n")
    return run_command_line(["validate", *options])


def findings(capsys: pytest.CaptureFixture[str]) -> list[tuple[int | None, str, str]]:
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [(problem["line"], problem["severity"], problem["code"]) for problem in problems]


@pytest.mark.requirement("010-FR-045", "010-FR-047")
def test_definitions_are_built_without_what_waits_for_a_variable(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    code = validate(
        project,
        """
        jobs:
          load: {type: batch, selection: "${WHAT}", executor: wide}
          bronze: {type: batch, selection: "group:bronze", max_retries: "${RETRIES}", executor: wide}
          gold: {type: batch, selection: "group:gold", tags: {who: "${WHO}"}}
        schedules:
          nightly: {job: load, cron_schedule: "@daily"}
          hourly: {job: bronze, cron_schedule: "${CRON}"}
          weekly: {job: by_hand, cron_schedule: "@weekly", timezone: "${ZONE}"}
        """,
    )

    err = capsys.readouterr().err
    assert code == 0, err
    assert "error[" not in err
    assert err.splitlines()[-1] == (
        "floe.yaml is valid as far as can be told without WHAT, RETRIES, WHO, CRON, ZONE, VAULT_URL, SLOTS: "
        "2 assets, 3 jobs, 3 schedules"
    )


def test_what_is_known_is_held_against_the_assets(project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    code = validate(
        project,
        """
        jobs:
          load: {type: batch, selection: ["${WHAT}"]}
          bronze: {type: batch, selection: ["group:bronz"], max_retries: "${RETRIES}"}
        schedules:
          nightly: {job: load, cron_schedule: "@daily"}
          hourly: {job: by_hands, cron_schedule: "@hourly", tags: {a: "${TAG}"}}
          daily: {selection: revenu, cron_schedule: "@daily"}
        """,
        "--format=json",
    )

    assert code == 1
    found = findings(capsys)
    assert [(line, code) for line, severity, code in found if severity == "error"] == [
        (6, "FLOE-331"),
        (9, "FLOE-203"),
        (10, "FLOE-331"),
    ]
    assert {code for _, severity, code in found if severity == "warning"} == {"FLOE-111"}


@pytest.mark.requirement("010-FR-047")
def test_a_mistake_in_the_document_hides_none_in_the_definitions(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    code = validate(
        project,
        """
        jobs:
          load: {type: batch, selection: "group:bronze", colour: red}
          bronze: {type: batch, selection: ["group:bronz"]}
          broken: {type: batch}
        schedules:
          nightly: {job: load, cron_schedule: "@daily", partition_selector: latest}
          hourly: {job: broken, cron_schedule: "0 25 * * *"}
          weekly: {job: laod, cron_schedule: "@weekly"}
        """,
        "--format=json",
        platform="resources: {vault: {target: shop.vaults.Valut}}\nstorage: {default: {type: locla}}\n",
    )

    assert code == 1
    assert findings(capsys) == [
        (5, "error", "FLOE-120"),
        (6, "error", "FLOE-331"),
        (7, "error", "FLOE-121"),
        (9, "error", "FLOE-356"),
        (10, "error", "FLOE-125"),
        (11, "error", "FLOE-203"),
        (1, "error", "FLOE-311"),
        (2, "error", "FLOE-124"),
    ]


@pytest.mark.parametrize(
    "gap",
    [
        "assets: {'bronze_*': {group_name: '${GROUP}'}}",
        "dbt: {project_dir: '${DBT}'}",
    ],
    ids=["settings", "dbt"],
)
def test_without_knowing_the_assets_modules_are_imported_at_least(
    project: UserProject, capsys: pytest.CaptureFixture[str], gap: str
) -> None:
    project.write({"shop/broken.py": "import nothing_of_that_name\n"})
    text = f"{gap}\njobs: {{load: {{type: batch, selection: 'group:nowhere'}}}}"

    assert validate(project, text, "--format=json") == 0
    assert {severity for _, severity, _ in findings(capsys)} == {"warning"}

    floe_yaml = project.path / "floe.yaml"
    floe_yaml.write_text(floe_yaml.read_text().replace("[shop.assets]", "[shop.broken]"))
    assert run_command_line(["validate", "--format=json"]) == 1
    assert [code for _, severity, code in findings(capsys) if severity == "error"] == ["FLOE-304"]


def test_nothing_is_compiled_of_a_document_with_errors(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(project, "jobs: {load: {type: batch, selection: '*', colour: red}}") == 1
    assert not (project.path / ".floe" / "compiled_artifacts.json").exists()

    assert validate(project, "jobs: {load: {type: batch, selection: '*'}}", platform="{}") == 1  # no vault
    assert (project.path / ".floe" / "compiled_artifacts.json").exists()
    assert "error[FLOE-374]" in capsys.readouterr().err


EVERYWHERE = {
    "shop/__init__.py": "",
    "shop/assets.py": ASSETS,
    "shop/vaults.py": "class Vault: ...",
    "shop/work.py": """
        def clean(context, days: int = 3): ...
        def alert(context): ...
    """,
    "platform.yaml": """
        resources: {vault: {target: shop.vaults.Valut}}
        execution: {default: {type: in_process}, wide: {type: multiprocess, max_concurent: 2}}
        observability: {sampling: 2}
        compute: {default: {type: duckdb, path: a.duckdb}, other: {type: duck}}
    """,
}
MISTAKES = """
    name: my shop
    storage: lake
    orchestration:
      asset_modules: [shop.assets]
      partitions:
        years: {type: time_window, start: 2024, fmt: "%H"}
        days: {type: time_window, start: 2024-01-01}
      assets:
        "bronze_*": {pool: a, partitions: days}
        "bornze_*": {description: Raw.}
        "revenue": {description: [5]}
      jobs:
        load: {type: batch, selection: ["group:bronz"], hooks: [shop.work.alrt]}
        gold: {type: batch, selection: [revenu], executor: wied}
        bronze: {type: batch, selection: [bronze_orders]}
        clean: {type: ops, target_function: shop.work.clean, args: {dys: 3}}
        lost: {type: ops, target_function: shop.work.clan, retry_policy: {max_retries: -1}}
      schedules:
        nightly: {job: bronze, cron_schedule: "0 25 * * *"}
        weekly: {job: laod, cron_schedule: "@weekly"}
        monthly: {job: clean, cron_schedule: "@monthly", target_function: shop.work.mnthly}
        yearly: {job: bronze, cron_schedule: "@yearly", partition_selector: 2023-01-01}
      sensors:
        arrival: {type: file_watcher, job: bronze, path: in, colour: red}
        check: {type: custom, job: load, target_function: shop.work.chek}
        follow: {type: asset_sensor, job: bronze, watched_assets: [revenu]}
      backfills:
        year: {job: bronze, partition_range: {start: 2025-01-01, end: 2024-01-01}}
        more: {job: bronze, partition_keys: ["2023-01-01"]}
"""


@pytest.mark.requirement("010-FR-047")
def test_mistakes_in_every_section_of_both_files_are_one_report(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({**EVERYWHERE, "floe.yaml": MISTAKES})

    assert run_command_line(["validate", "--format=json"]) == 1

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [f"{problem['yaml_path']}: {problem['code']}" for problem in problems] == snapshot(
        [
            "name: FLOE-125",
            "storage: FLOE-231",
            "orchestration.partitions.years.fmt: FLOE-125",
            "orchestration.assets.bornze_*: FLOE-380",
            "orchestration.assets.revenue.description: FLOE-122",
            "orchestration.jobs.load.selection[0]: FLOE-331",
            "orchestration.jobs.load.hooks[0]: FLOE-311",
            "orchestration.jobs.gold.selection[0]: FLOE-331",
            "orchestration.jobs.gold.executor: FLOE-231",
            "orchestration.jobs.clean.args.dys: FLOE-314",
            "orchestration.jobs.lost.target_function: FLOE-311",
            "orchestration.jobs.lost.retry_policy.max_retries: FLOE-125",
            "orchestration.schedules.nightly.cron_schedule: FLOE-125",
            "orchestration.schedules.weekly.job: FLOE-203",
            "orchestration.schedules.monthly.target_function: FLOE-311",
            "orchestration.schedules.yearly.partition_selector: FLOE-340",
            "orchestration.sensors.arrival.colour: FLOE-120",
            "orchestration.sensors.check.target_function: FLOE-311",
            "orchestration.sensors.follow.watched_assets[0]: FLOE-331",
            "orchestration.backfills.year.partition_range: FLOE-358",
            "orchestration.backfills.more.partition_keys[0]: FLOE-358",
            "resources.vault.target: FLOE-311",
            "execution.wide.max_concurent: FLOE-120",
            "observability.sampling: FLOE-125",
            "compute.other.type: FLOE-124",
        ]
    )


def test_a_job_whose_executor_does_not_exist_keeps_nothing_from_being_looked_at(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    code = validate(
        project,
        """
        jobs:
          load: {type: batch, selection: bronze_orders, executor: wdie}
          gold: {type: batch, selection: revenu}
        schedules:
          daily: {job: laod, cron_schedule: "@daily"}
        """,
        "--format=json",
        platform="resources: {vault: {target: shop.vaults.Vault}}",
    )

    assert code == 1
    assert findings(capsys) == [(5, "error", "FLOE-231"), (6, "error", "FLOE-331"), (8, "error", "FLOE-203")]


def test_what_may_follow_from_another_mistake_is_not_told(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    code = validate(
        project,
        """
        assets:
          "bronce_*": {group_name: raw, partitions: days, automation_condition: on_cron}
        partitions: {days: {type: time_window, start: 2024-01-01}}
        jobs:
          raw: {type: batch, selection: "group:raw"}
          orders: {type: batch, selection: bronze_orders}
          lost: {type: batch, selection: bronze_ordres}
        schedules:
          daily: {job: orders, cron_schedule: "@daily", partition_selector: latest}
        """,
        "--format=json",
        platform="resources: {vault: {target: shop.vaults.Vault}}",
    )

    assert code == 1
    assert findings(capsys) == [(5, "error", "FLOE-380"), (10, "error", "FLOE-331")]


def test_without_a_module_what_needs_no_assets_is_looked_at(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"shop/broken.py": "import nothing_of_that_name\n", "shop/ops.py": "def clean(days: int): ...\n"})
    code = validate(
        project,
        """
        jobs:
          lost: {type: batch, selection: "group:of_broken", hooks: [{target_function: shop.ops.alert, on: failure}]}
          clean: {type: ops, target_function: shop.ops.clean}
        schedules:
          daily: {job: of_the_broken_module, cron_schedule: "@daily"}
        """,
        "--format=json",
        top="x-note: [shop.broken]",
        platform="resources: {vault: {target: shop.vaults.Valut}}",
    )
    assert code == 1
    capsys.readouterr()

    floe_yaml = project.path / "floe.yaml"
    floe_yaml.write_text(floe_yaml.read_text().replace("[shop.assets]", "[shop.assets, shop.broken]"))
    assert run_command_line(["validate", "--format=json"]) == 1
    assert findings(capsys) == [
        (3, "error", "FLOE-304"),
        (5, "error", "FLOE-311"),
        (6, "error", "FLOE-314"),
        (1, "error", "FLOE-311"),
        (8, "warning", "FLOE-203"),
    ]


@pytest.mark.requirement("010-FR-043", "010-SC-009")
def test_without_a_module_partitions_of_the_assets_that_are_known_are_looked_at(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"shop/broken.py": "import nothing_of_that_name\n"})
    orchestration = """
        partitions: {days: {type: time_window, start: 2024-01-01, end: 2024-02-01}}
        assets: {bronze_orders: {partitions: days}}
        jobs:
          orders: {type: batch, selection: "group:bronze or bronze_orders"}
          all_but: {type: batch, selection: ["bronze_*", "!of_the_broken_module"]}
          gold: {type: batch, selection: revenue}
        schedules:
          daily: {job: orders, cron_schedule: "@daily", partition_selector: 2024-03-01}
          others: {job: all_but, cron_schedule: "@daily", partition_selector: 2024-03-02}
          golden: {job: gold, cron_schedule: "@daily", partition_selector: latest}
        backfills:
          winter: {job: orders, partition_range: {start: 2024-01-15, end: 2024-02-15}}
        """
    assert validate(project, orchestration, platform="resources: {vault: {target: shop.vaults.Vault}}") == 1
    capsys.readouterr()

    floe_yaml = project.path / "floe.yaml"
    floe_yaml.write_text(floe_yaml.read_text().replace("[shop.assets]", "[shop.assets, shop.broken]"))
    assert run_command_line(["validate", "--format=json"]) == 1

    assert findings(capsys) == [
        (3, "error", "FLOE-304"),
        (11, "error", "FLOE-340"),
        (15, "error", "FLOE-358"),
    ]


@pytest.mark.requirement("010-FR-045")
def test_a_secret_that_is_not_set_is_a_warning(
    project: UserProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    platform = """
        resources: {vault: {target: shop.vaults.Vault, args: {token: {secret_ref: VAULT_TOKEN}}}}
        compute:
          default: {type: duckdb, path: a.duckdb}
          unused: {type: postgres, host: db, user: etl, dbname: shop, schema: a, password: {secret_ref: PG_PASSWORD}}
        observability: {lineage_endpoint: "http://marquez:5000", lineage_api_key: {secret_ref: MARQUEZ_KEY}}
        """

    assert validate(project, "jobs: {load: {type: batch, selection: '*'}}", platform=platform) == 0
    err = capsys.readouterr().err
    assert err.count("[FLOE-372]") == 2
    assert (
        "warning[FLOE-372]: the secret 'VAULT_TOKEN' is not set\n"
        "  --> platform.yaml:1:75  resources.vault.args.token.secret_ref\n" in err
    )
    assert "is valid as far as can be told without VAULT_TOKEN" in err

    assert run_command_line(["validate", "--schema-only"]) == 0
    assert capsys.readouterr().err.count("warning[FLOE-372]") == 2
    assert run_command_line(["validate", "--strict-env"]) == 1
    assert capsys.readouterr().err.count("error[FLOE-372]") == 2

    monkeypatch.setenv("VAULT_TOKEN", "x")
    (project.path / "secrets").mkdir()
    (project.path / "secrets" / "MARQUEZ_KEY").write_text("y")
    monkeypatch.setenv("FLOE_SECRETS_DIR", str(project.path / "secrets"))
    assert run_command_line(["validate", "--strict-env", "--schema-only"]) == 0


def test_workflow_commands_of_github(project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    code = validate(
        project,
        """
        jobs: {load: {type: batch, selection: "group:bronz", tags: {a: "${TAG}"}}}
        schedules: {daily: {job: laod, cron_schedule: "@daily"}}
        """,
        "--format=github",
        platform="resources: {vault: {target: shop.vaults.Vault}}",
    )

    out, err = capsys.readouterr()
    assert code == 1
    assert [re.split("::|%0A", command)[1:] for command in out.splitlines()] == snapshot(
        [
            [
                "error file=floe.yaml,line=4,col=42,title=FLOE-331",
                "job 'load' selects group 'bronz', which no asset has",
                "why: the groups are bronze, gold",
                "fix: did you mean 'bronze'?",
            ],
            [
                "error file=floe.yaml,line=5,col=28,title=FLOE-203",
                "schedule 'daily' starts job 'laod', which does not exist",
                "why: a job is named under orchestration.jobs (load, by_hand) or defined in a module of asset_modules",
                "fix: did you mean 'load'?",
            ],
            [
                "warning file=floe.yaml,line=4,col=67,title=FLOE-111",
                "environment variable 'TAG' is not set",
                "why: line 4 uses it without a default",
                "fix: set TAG, or write a default: ${TAG:value}",
            ],
        ]
    )
    assert err.count("error[") == 2


FACTORY = """
from floe_dagster import FloeDefinitions

defs = FloeDefinitions.from_compiled_artifacts()
"""


def test_what_floes_own_code_raises_is_not_told_as_the_users_module_raising_it(
    project: UserProject, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(
        {"shop/definitions.py": FACTORY, "pyproject.toml": "[tool.dagster]\nmodule_name = 'shop.definitions'"}
    )
    monkeypatch.setattr("floe_dagster.loading.check_no_cycle", None)

    assert validate(project, "") == 1
    told = capsys.readouterr().err
    assert validate(project, "jobs: {load: {type: batch, selection: a, colour: red}}") == 1
    beside = capsys.readouterr().err

    assert "FLOE-303" not in told
    assert re.search(r"stopped on an unexpected error: TypeError: .* \(\S*/floe_dagster/\S+\.py:\d+\)\n", told)
    assert "error[FLOE-120]" in beside
    assert "loading ended with TypeError" in beside


@pytest.mark.skipif(find_spec("dagster_celery") is not None, reason="it says what is missing")
def test_the_package_of_an_executor_is_missing_also_where_a_secret_of_it_is(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    code = validate(
        project,
        "jobs: {load: {type: batch, selection: bronze_orders}}",
        "--format=json",
        platform="""
resources: {vault: {target: shop.vaults.Vault}}
execution:
  default: {type: celery, broker: {secret_ref: BROKER}}
  wide: {type: celery, broker: "${BROKER}"}
""",
    )

    assert code == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    missing = [(problem["line"], problem["fix"]) for problem in problems if problem["code"] == "FLOE-371"]
    assert missing == [(3, "pip install dagster-celery"), (4, "pip install dagster-celery")]


@pytest.mark.skipif(find_spec("pg8000") is not None, reason="it says what is missing")
def test_the_driver_of_a_catalog_is_missing(project: UserProject) -> None:
    catalogs = """
catalogs:
  default: {type: sql, uri: "postgresql+pg8000://etl@db/lake"}
  other: {type: sql, uri: "postgresql+pg8000://etl@db/other"}
"""
    project.write({"platform.yaml": catalogs, "floe.yaml": "orchestration: {}\n"})

    # In a process of its own: Dagster takes every load after the first for the one of a step.
    done = run_floe("validate", "--format=json", folder=project.path, environ=os.environ)

    assert done.returncode == 1
    problems = json.loads(done.stdout)["problems"]
    told = [(problem["code"], problem["line"], problem["yaml_path"], problem["fix"]) for problem in problems]
    assert told == [("FLOE-371", 2, "catalogs.default.uri", "pip install pg8000")]


def test_modules_keep_their_places_behind_one_that_is_refused(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"platform.yaml": "resources: {vault: {target: shop.vaults.Vault}}"})
    (project.path / "floe.yaml").write_text(
        """
orchestration:
  asset_modules:
    - shop/assets.py
    - {module: shop.assets, group_nam: a}
    - shop.assets
    - shop.asets
"""
    )

    assert run_command_line(["validate", "--format=json"]) == 1

    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(problem["line"], problem["yaml_path"], problem["code"]) for problem in problems] == [
        (4, "orchestration.asset_modules[0]", "FLOE-125"),
        (5, "orchestration.asset_modules[1].group_nam", "FLOE-120"),
        (7, "orchestration.asset_modules[3]", "FLOE-301"),
    ]


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ("{on: failure, target_function: shop.ops.alert}", []),
        ("[{on: failure, target_function: shop.ops.alert}, shop.ops.alert]", []),
        ("{on: failure, target_function: shop.ops.alrt}", [("hooks.target_function", "FLOE-311")]),
        ("shop.ops.alrt", [("hooks", "FLOE-311")]),
        ("[shop.ops.alert, shop.ops.alrt]", [("hooks[1]", "FLOE-311")]),
    ],
)
def test_only_references_are_looked_up_beside_another_mistake(
    project: UserProject, capsys: pytest.CaptureFixture[str], hooks: str, expected: list[tuple[str, str]]
) -> None:
    project.write({"shop/ops.py": "def alert(context): ..."})

    assert (
        validate(
            project,
            f"""
            dbt: {{project_dir: nowhere}}
            jobs:
              hooks: {{type: batch, selection: "group:bronze", hooks: {hooks}, max_runtime_seconds: x}}
            assets:
              bronze_orders: {{partition_column: {{fn: day}}}}
            """,
            "--format=json",
            platform="resources: {vault: {target: shop.vaults.Vault}}",
        )
        == 1
    )

    problems = json.loads(capsys.readouterr().out)["problems"]
    told = [
        (problem["yaml_path"], problem["code"]) for problem in problems if problem["code"] in ("FLOE-301", "FLOE-311")
    ]
    assert told == [(f"orchestration.jobs.hooks.{path}", code) for path, code in expected]


@pytest.mark.parametrize(
    ("section", "code", "others"),
    [
        ("maintenance: {orphan_grace: 3 days, retain_last: 2}", "FLOE-125", ["FLOE-374"]),
        ("maintenance: [a]", "FLOE-122", ["FLOE-374"]),
        ("executor: {default: {type: multiprocess}}", "FLOE-120", ["FLOE-374"]),
        ("execution: [a]", "FLOE-122", ["FLOE-374"]),
        ("resources: [a]", "FLOE-122", []),
        ("resources: {vault: [a]}", "FLOE-122", []),
        ("storage: [a]", "FLOE-122", ["FLOE-374"]),
        ("instance: [a]", "FLOE-122", ["FLOE-374"]),
        ("observability: [a]", "FLOE-122", ["FLOE-374"]),
    ],
)
def test_nothing_is_built_of_a_section_of_platform_yaml_that_is_refused(
    section: str, code: str, others: list[str], project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = "jobs: {load: {type: batch, selection: bronze_ordrs}}"

    assert validate(project, jobs, "--format", "json", platform=section) == 1

    told = [(severity, found) for _, severity, found in findings(capsys)]
    assert told == [("error", found) for found in ("FLOE-331", code, *others)]


LAZY = """
import dagster as dg


class Mine(dg.AssetSelection):
    def resolve_inner(self, asset_graph, allow_missing):
        raise ValueError("it selects nothing")

    def to_serializable_asset_selection(self, asset_graph):
        return self


mine = dg.define_asset_job("mine", selection=Mine())
other = dg.define_asset_job("other", selection="nothing_such")
"""
LAZY_REPOSITORY = """
import dagster as dg
from floe_dagster import FloeDefinitions


def broken():
    raise ValueError("it is broken")


@dg.repository
def everything():
    FloeDefinitions.from_compiled_artifacts()
    return {"jobs": {"broken": broken, "late": lambda: 1 / 0}}
"""


def test_what_the_users_code_raises_while_a_job_is_resolved_is_told_with_the_module_beside_the_others(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"shop/assets.py": LAZY})

    assert validate(project, "", platform="{}") == 1

    told = capsys.readouterr().err
    assert re.sub("were selected, but .*", "were selected …", told) == snapshot("""\
error[FLOE-425]: job 'mine' cannot be resolved
      shop/assets.py:12
      Failed to resolve asset job mine
      shop/assets.py:6 in resolve_inner
          raise ValueError("it selects nothing")
      ValueError: it selects nothing
  why: Dagster stumbles over the error above
  fix: mend what raises it

error[FLOE-425]: job 'other' cannot be resolved
      shop/assets.py:13
      Failed to resolve asset job other
      AssetKey(s) ['nothing_such'] were selected …
  why: Dagster refuses it for the reason above
  fix: mend the assets or jobs that the reason names

2 errors
""")


def test_a_job_that_is_made_late_stops_nothing(project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(
        {
            "shop/assets.py": "import dagster as dg\nraw = dg.AssetSpec('raw')",
            "shop/definitions.py": LAZY_REPOSITORY,
            "pyproject.toml": '[tool.dagster]\nmodule_name = "shop.definitions"\n',
        }
    )

    assert validate(project, "", platform="{}") == 1

    told = capsys.readouterr().err
    assert told.count("error[FLOE-425]") == 2
    assert "shop/definitions.py:6 in broken" in told
    assert "ZeroDivisionError" in told


def test_every_item_of_a_selection_is_looked_at_by_itself(
    project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    validate(
        project,
        """
        jobs:
          load: {type: batch, selection: ["group:", "group:bronz", "${WHAT}", bronze_orders]}
          rest: {type: batch, selection: [revenue], exclude: ["!x", revenu]}
        schedules:
          nightly: {selection: [bronze_order, 5], cron_schedule: "@daily"}
        sensors:
          one: {type: asset_sensor, watched_assets: [bronze_orders, ordes], selection: ["a +("]}
          two: {type: asset_sensor, watched_assets: revenuee, job: laod}
          three: {type: asset_sensor, watched_assets: ["group:", "gold*r"], selection: [revenues]}
          four: {type: automation, selection: ["${WHAT}", revenu]}
        """,
        "--format=json",
        platform="{resources: {vault: {target: shop.vaults.Vault}}}",
    )

    told = json.loads(capsys.readouterr().out)["problems"]
    assert [(each["yaml_path"], each["code"]) for each in told if each["code"].startswith("FLOE-33")] == [
        ("orchestration.jobs.load.selection[0]", "FLOE-330"),
        ("orchestration.jobs.load.selection[1]", "FLOE-331"),
        ("orchestration.jobs.rest.exclude[0]", "FLOE-330"),
        ("orchestration.jobs.rest.exclude[1]", "FLOE-331"),
        ("orchestration.schedules.nightly.selection[0]", "FLOE-331"),
        ("orchestration.sensors.one.watched_assets[1]", "FLOE-331"),
        ("orchestration.sensors.one.selection[0]", "FLOE-330"),
        ("orchestration.sensors.two.watched_assets", "FLOE-331"),
        ("orchestration.sensors.three.watched_assets[0]", "FLOE-330"),
        ("orchestration.sensors.three.watched_assets[1]", "FLOE-331"),
        ("orchestration.sensors.three.selection[0]", "FLOE-331"),
        ("orchestration.sensors.four.selection[1]", "FLOE-331"),
    ]
    excluded = next(each for each in told if each["yaml_path"].endswith("exclude[1]"))
    assert excluded["what"].startswith("job 'rest' excludes asset 'revenu'")


@pytest.mark.skipif(os.getuid() == 0 and shutil.which("setpriv") is None, reason="root writes everywhere")
def test_a_project_that_cannot_be_written_is_checked(project: UserProject, capfd: pytest.CaptureFixture[str]) -> None:
    assert validate(project, "jobs: {load: {type: batch, selection: '*'}}", platform="{}") == 1
    told = capfd.readouterr().err
    assert "error[FLOE-374]" in told
    without_privileges = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.getuid() == 0 else []
    for folder in (project.path, project.path / ".floe"):
        folder.chmod(0o500)

    command = [*without_privileges, str(Path(sys.executable).with_name("floe")), "validate"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert finished.stderr == told
