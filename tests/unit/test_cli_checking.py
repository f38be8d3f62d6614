"""`floe validate` on projects of which not everything is known, or not everything is right."""

import json
from textwrap import dedent, indent

import pytest

from floe_cli.main import run_command_line
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
    user_project.write(
        {"shop/__init__.py": "", "shop/assets.py": ASSETS, "shop/vaults.py": "class Vault: ...", ".git/HEAD": ""}
    )
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
    ("gap", "platform"),
    [
        ("assets: {'bronze_*': {group_name: '${GROUP}'}}", PLATFORM),
        ("dbt: {project_dir: '${DBT}'}", PLATFORM),
        ("partitions: {days: {type: time_window, start: '${START}'}}", PLATFORM),
        ("partitions: {}", "compute: {default: '${COMPUTE}'}"),
    ],
    ids=["settings", "dbt", "partitions", "platform"],
)
def test_without_knowing_the_assets_modules_are_imported_at_least(
    project: UserProject, capsys: pytest.CaptureFixture[str], gap: str, platform: str
) -> None:
    project.write({"shop/broken.py": "import nothing_of_that_name\n"})
    text = f"{gap}\njobs: {{load: {{type: batch, selection: 'group:nowhere'}}}}"

    assert validate(project, text, "--format=json", platform=platform) == 0
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
