"""Secrets that a project knows, through everything it does: none is printed, and none is stored."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

FLOE = (sys.executable, "-c", "from floe_cli.main import main; main()")
SECRETS = {
    "SHOP_API_TOKEN": "tok-9f8e7d6c5b4a-never-shown",
    "SHOP_API_PASSWORD": "never/shown+9f8e=x",
    "OTLP_TOKEN": "otlp-1a2b3c4d5e-never-shown",
    "LINEAGE_KEY": "lineage-5e4d3c2b1a-never-shown",
    "WAREHOUSE_PASSWORD": "warehouse-0f1e2d-never-shown",
}
FROM_ENVIRONMENT = {"SHOP_RETRIES": "7351", "SHOP_ZONE": "Antarctica/Troll", "SCHEDULES_ENABLED": "true"}
"""Values of floe.yaml; Dagster knows them, the artifacts and messages do not."""

PLATFORM = """
resources:
  api:
    target: shop.api.Api
    args: {token: {secret_ref: SHOP_API_TOKEN}, user: etl}
  typed_api:
    target: shop.api.TypedApi
    args: {password: {secret_ref: SHOP_API_PASSWORD}}
compute:
  default: {type: duckdb}
  other:
    type: postgres
    host: "127.0.0.1"
    user: etl
    dbname: shop
    schema: main
    password: {secret_ref: WAREHOUSE_PASSWORD}
observability:
  otlp_endpoint: "http://127.0.0.1:9"
  otlp_headers: {Authorization: {secret_ref: OTLP_TOKEN}}
  lineage_endpoint: "http://127.0.0.1:9"
  lineage_api_key: {secret_ref: LINEAGE_KEY}
"""
API = """
import dagster as dg


class Api:
    def __init__(self, token, user):
        self.token, self.user = token, user


class TypedApi(dg.ConfigurableResource):
    password: str


def refused(context, api, typed_api):
    assert typed_api.password
    raise ConnectionError(f"401 for https://{api.user}:{api.token}@127.0.0.1/orders")
"""
JOBS = """
    refused: {type: ops, target_function: shop.api.refused}
"""

FAILING_MODEL = """
select 1 as id, '{{ var("db_password") }}' as p, '{{ var("login") }}' as l, no_such_column from {{ ref("stg_orders") }}
where 'password={{ var("db_password") }}' <> 'x'
"""
CUT_MODEL = """
select 1 as aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, hmac('{{ env_var("SHOP_DB_PASSWORD") }}', no_such_column) as h
from {{ ref("stg_orders") }}
"""  # DuckDB quotes the beginning of the line, and cuts it off within the password
LONG = "ThLEAK-the-Wumpus-Quietly-Over-Nine-Blue-Hills-And-Seven-Green-Valleys-Forever"
VARS = {"SHOP_PWD2": "LEAKvar-pwd-2", "SHOP_LOGIN": "LEAKlogin-3", "SHOP_DAY": "2026-01-01"}
COMMAND = "The dbt CLI process with command"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `floe init`, with resources, a collector and a lineage store that need secrets.

    Its `refresh_revenue` succeeds; a model beside that fails.
    """
    folder = tmp_path_factory.mktemp("secrets")
    assert floe(folder, "init", "shop").returncode == 0
    project = folder / "shop"
    (project / "platform.yaml").write_text(PLATFORM)
    (project / "shop" / "api.py").write_text(API)
    text = (project / "floe.yaml").read_text()
    text = text.replace("  jobs:\n", f"  jobs:{JOBS}").replace("timezone: UTC", "timezone: ${SHOP_ZONE}")
    text = text.replace("  description: Every", "  max_retries: ${SHOP_RETRIES}\n      description: Every")
    dbt_vars = 'vars: {db_password: "${SHOP_PWD2}", login: {secret: "${SHOP_LOGIN}"}, day: "${SHOP_DAY}"}'
    assert "  dbt:\n" in text
    (project / "floe.yaml").write_text(text.replace("  dbt:\n", f"  dbt:\n    {dbt_vars}\n", 1))
    (model,) = project.glob("**/models/**/stg_orders.sql")
    (model.parent / "broken.sql").write_text(FAILING_MODEL)
    return project


def floe(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "FLOE_"))}
    env = {**kept, **SECRETS, **FROM_ENVIRONMENT, **VARS, **variables}
    return subprocess.run([*FLOE, *arguments], cwd=project, env=env, capture_output=True, text=True, check=False)


def test_no_secret_is_printed_or_stored(shop: Path) -> None:
    finished = {
        "success": floe(shop, "run", "refresh_revenue"),
        "mistakes": floe(shop, "validate", SHOP_ZONE="not a zone", SHOP_API_PASSWORD="", SHOP_RETRIES="7351x"),
        "failure": floe(shop, "run", "refused"),
    }

    assert [process.returncode for process in finished.values()] == [0, 1, 3], finished
    assert "https://***@127.0.0.1/orders" in finished["failure"].stderr
    assert not leaks({name: process.stdout + process.stderr for name, process in finished.items()}, shop)
    artifacts = (shop / ".floe" / "compiled_artifacts.json").read_text()
    assert not [value for value in FROM_ENVIRONMENT.values() if value in artifacts and value != "true"]


def test_vars_of_dbt_that_are_secret_stand_in_nothing_that_is_told_of_a_failure(shop: Path, tmp_path: Path) -> None:
    project = Path(copytree(shop, tmp_path / "shop"))
    (project / "platform.yaml").write_text(PLATFORM.partition("observability:")[0])  # told in local files
    (broken,) = project.glob("**/models/**/broken.sql")
    (broken.parent / "cut.sql").write_text(CUT_MODEL)

    failed = floe(project, "run", "full_pipeline", SHOP_RETRIES="0", SHOP_DB_PASSWORD=LONG)

    assert failed.returncode == 3, failed
    told = {"printed": failed.stdout + failed.stderr} | {
        f"{file.relative_to(project)}": file.read_text(errors="replace")
        for folder in ("observability", "logs")
        for file in (project / ".floe" / folder).rglob("*")
        if file.is_file()
    }
    assert {Path(name).parent.name for name in told} >= {"traces", "lineage", "logs"}
    for name, content in told.items():
        assert "LEAK" not in content, name
    history = [file for file in (project / ".floe" / "dagster_home" / "history").rglob("*.db") if file.is_file()]
    assert history
    assert not [file for file in history if b"LEAK" in file.read_bytes()]
    observed = "".join(content for name, content in told.items() if "observability" in name)
    assert "no_such_column" in observed
    assert "hmac('***..." in observed
    assert COMMAND not in observed
    assert "--vars" not in observed
    assert '"day": "2026-01-01"' in "".join(told.values())  # the command, in the log


def leaks(outputs: dict[str, str], project: Path) -> list[str]:
    """Where a secret stands, in outputs and in files below the project.

    Of Dagster's own storage only what it stores of a failure may hold one: the words of the user's own exception.
    """
    found = [f"{name}: {secret}" for name, output in outputs.items() for secret in SECRETS if SECRETS[secret] in output]
    for file in project.rglob("*"):
        if file.is_file():
            content, place = file.read_bytes(), file.relative_to(project)
            told = {"SHOP_API_TOKEN"} if "dagster_home" in place.parts else set()
            found += [f"{place}: {name}" for name in SECRETS.keys() - told if SECRETS[name].encode() in content]
    return found
