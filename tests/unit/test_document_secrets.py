"""Secrets in platform.yaml, which is refused with them, and what messages show of its lines."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from builders import floe_yaml
from floe_core.compiler.checks import read_documents
from floe_core.documents import load_platform_document, read_platform_document
from floe_core.errors import DocumentError, Problem, render_problems
from floe_core.project import ProjectFolder

GOLDEN = Path(__file__).parents[1] / "golden"
HARMLESS = GOLDEN / "harmless_platforms.txt"
"""A platform.yaml on each line."""
DEMO = Path(__file__).parents[2] / "demo" / "data_engineering"

CELERY = "execution: {default: {type: celery, broker: {secret_ref: BROKER}, %s}}"
K8S = "execution: {default: {type: k8s, %s}}"
DUCKDB = "compute: {default: {type: duckdb, settings: {%s}}}"
TRINO = "compute: {t: {type: trino, host: t, port: 1, user: u, database: d, schema: s, session_properties: {%s}}}"
SPARK = "compute: {t: {type: spark, method: session, schema: s, server_side_parameters: {%s}}}"
HEADERS = "observability: {otlp_headers: {%s}}"
API = "resources: {api: {target: shop.Api, args: {%s}}}"


def problems_of(text: str, folder: Path, **environ: str) -> tuple[Problem, ...]:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "platform.yaml").write_text(text, encoding="utf-8")
    return read_platform_document(folder, environ=environ, strict_env=False).errors


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("execution: {default: {type: celery, broker: 'amqp://etl:Fak3Pass@mq//'}}", "{secret_ref: NAME}"),
        (CELERY % "backend: 'redis://:Fak3Pass@r/0'", "{secret_ref: NAME}"),
        (CELERY % "config_source: {broker_password: Fak3Pass}", "${NAME}"),
        (CELERY % "config_source: {result_backend: 'db+postgresql://etl:Fak3Pass@db/x'}", "${NAME}"),
        (K8S % "env_vars: ['DB_PASSWORD=Fak3Pass']", "write 'DB_PASSWORD' alone"),
        (K8S % "env_vars: ['CLIENT_SECRET=Fak-Pass']", "write 'CLIENT_SECRET' alone"),
        (K8S % "run_k8s_config: {container_config: {env: [{name: API_TOKEN, value: Fak3Pass}]}}", "${NAME}"),
        ("x-notes: {password: Fak3Pass}", "${NAME}"),
        ("execution: {default: {type: dask, address: 'tcp://etl:Fak3Pass@s:8786'}}", "${NAME}"),
        (TRINO % "password: Fak3Pass", "${NAME}"),
        (SPARK % "spark.hadoop.fs.s3a.secret.key: Fak3Pass", "${NAME}"),
        (DUCKDB % "s3_secret_access_key: Fak3Pass", "${NAME}"),
        (DUCKDB % "s3_secret_access_key: '${S3_KEY:Fak3Pass}'", "${NAME}"),
        ("observability: {lineage_endpoint: 'http://m:5000?api_key=Fak3Pass'}", "${NAME}"),
        ("observability: {lineage_endpoint: 'http://etl:Fak3Pass@m:5000'}", "use the fields for credentials"),
        (HEADERS % "Authorization: 'Bearer Fak3Pass'", "{secret_ref: NAME}"),
        (HEADERS % "x-api-key: Fak3Pass", "{secret_ref: NAME}"),
        (API % "password: Fak3Pass", "{secret_ref: NAME}"),
        (API % "url: 'postgresql://etl:Fak3Pass@db'", "{secret_ref: NAME}"),
        (API % "logins: [{user: etl, auth: {pass: Fak3Pass}}]", "{secret_ref: NAME}"),
        (API % "text: 'host=db password=Fak3Pass'", "{secret_ref: NAME}"),
        ("catalogs: {default: {type: sql, uri: 'postgresql://etl:Fak3Pass@db/x'}}", "uri: {secret_ref: CATALOG_URI}"),
        ("storage: {s: {type: s3, bucket: lake, endpoint: 'http://etl:Fak3Pass@minio'}}", "use the fields"),
    ],
)
def test_each_secret_is_refused_once_with_the_way_to_name_it_and_never_shown(
    text: str, fix: str, tmp_path: Path
) -> None:
    problems = [problem for problem in problems_of(text, tmp_path) if problem.code == "FLOE-126"]

    assert [fix in problem.fix for problem in problems] == [True]
    assert "Fak3Pass" not in render_problems(problems)
    assert "Fak3Pass" not in str([problem.to_json() for problem in problems])


def test_a_platform_with_a_secret_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "platform.yaml").write_text(API % "password: lovelace")

    with pytest.raises(DocumentError, match="FLOE-126"):
        load_platform_document(tmp_path, environ={"FLOE_PLATFORM_FILE": str(tmp_path / "platform.yaml")})


@pytest.mark.parametrize("text", HARMLESS.read_text(encoding="utf-8").splitlines())
def test_what_only_looks_like_a_secret_is_accepted(text: str, tmp_path: Path) -> None:
    assert problems_of(text, tmp_path, FLOE_PLATFORM_ENV="") == ()


@pytest.mark.parametrize(
    "file",
    [GOLDEN / "every_field_platform.yaml", GOLDEN / "quickstart/two_tiers_platform.yaml", DEMO / "platform.yaml"],
    ids=lambda file: file.name,
)
def test_no_platform_that_is_shown_holds_a_secret(file: Path, tmp_path: Path) -> None:
    problems = problems_of(file.read_text(encoding="utf-8"), tmp_path)

    assert [problem for problem in problems if problem.code == "FLOE-126"] == []


ALLOWED = """\
resources:
  api:
    target: shop.api.Api
    # floe: allow FLOE-126 - the key of a public map
    args: {token: Fak3Pass}
  map: {target: shop.api.Map, args: {license_key: Fak3Pass-1}}  # floe: allow FLOE-126 - printed on the map
"""


def test_a_comment_with_a_reason_lets_a_value_pass(tmp_path: Path) -> None:
    assert problems_of(ALLOWED, tmp_path) == ()
    assert load_platform_document(tmp_path, environ={}).spec.resources["map"].args == {"license_key": "Fak3Pass-1"}


def test_comments_that_allow_are_told_where_they_are_wrong(tmp_path: Path) -> None:
    text = ALLOWED.replace(" - the key of a public map", "").replace("FLOE-126 - printed", "FLOE-211 - printed")
    (tmp_path / "platform.yaml").write_text(text + "x-note: 1  # floe: allow FLOE-126 - there was one\n")

    document = read_platform_document(tmp_path, environ={}, strict_env=False)

    assert [(each.code, each.location and each.location.line) for each in document.errors] == [
        ("FLOE-126", 5),
        ("FLOE-126", 6),
        ("FLOE-212", 4),
        ("FLOE-212", 6),
    ]
    assert "write '# floe: allow FLOE-126 - REASON' for what looks like a secret" in document.errors[2].fix
    assert [(each.code, each.location and each.location.line) for each in document.warnings] == [("FLOE-213", 7)]
    assert "Fak3Pass" not in render_problems((*document.errors, *document.warnings))


def test_what_a_field_takes_only_by_reference_is_not_allowed_by_a_comment(tmp_path: Path) -> None:
    text = "observability: {lineage_api_key: Fak3Pass}  # floe: allow FLOE-126 - a key of nobody's\n"

    problems = problems_of(text, tmp_path)

    assert [problem.code for problem in problems] == ["FLOE-126"]


def test_a_secret_in_a_comment_is_told_and_its_line_is_not_quoted(tmp_path: Path) -> None:
    text = "storage:\n  s: {type: s3, bucket: lake, regoin: eu}  # old: AKIAQYLPMN5HFIQR7XYA\n"

    problems = problems_of(text, tmp_path)

    assert {(problem.code, problem.location and problem.location.line) for problem in problems} == {
        ("FLOE-120", 2),
        ("FLOE-126", 2),
    }
    assert "AKIAQYLPMN5HFIQR7XYA" not in render_problems(problems)


def test_other_findings_quote_the_line_of_a_secret_without_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "floe.yaml").write_text(floe_yaml("jobs: {load: {type: batch, selection: '*'}}"))
    (tmp_path / "platform.yaml").write_text(
        "execution:\n"
        "  default: {type: celery, broker: 'amqp://etl:Fak3Pass@mq//', config_source: {x: 'ID=1'}, brokr: y}\n"
        "  other: {type: k8s, env_vars: ['CLIENT_SECRET=Fak-Pass'], max_concurrent: 0}\n"
        "resources:\n"
        "  api:\n"
        '    args: {password: "Fak3\n'
        '      Pass"}\n'
    )

    documents = read_documents(ProjectFolder(tmp_path), environ={})
    report = render_problems((*documents.errors, *documents.warnings)).replace(f"{tmp_path}/", "")

    assert "Fak" not in report
    assert report == snapshot("""\
error[FLOE-232]: execution profile 'default' spans several machines, which do not share the SQLite catalog 'default'
  --> platform.yaml:2:3  execution.default
   |  default: {type: celery, broker: 'amqp://etl:***@mq//', config_source: {x: 'ID=1'}, brokr: y}
  why: what several machines work on must be a service or a storage that all of them reach
  fix: pick a profile for it that all machines reach, or an engine of this machine

error[FLOE-232]: execution profile 'default' spans several machines, which do not share the local storage 'default'
  --> platform.yaml:2:3  execution.default
   |  default: {type: celery, broker: 'amqp://etl:***@mq//', config_source: {x: 'ID=1'}, brokr: y}
  why: what several machines work on must be a service or a storage that all of them reach
  fix: pick a profile for it that all machines reach, or an engine of this machine

error[FLOE-126]: 'broker' of execution profile 'default' holds a secret
  --> platform.yaml:2:35  execution.default.broker
   |  default: {type: celery, broker: 'amqp://etl:***@mq//', config_source: {x: 'ID=1'}, brokr: y}
  why: a secret never stands in a document, which is stored and shown
  fix: put the value into an environment variable and write {secret_ref: NAME} with the variable's name

error[FLOE-120]: execution profile 'default' takes no key 'brokr'
  --> platform.yaml:2:91  execution.default.brokr
   |  default: {type: celery, broker: 'amqp://etl:***@mq//', config_source: {x: 'ID=1'}, brokr: y}
  why: type celery takes broker, backend, include, config_source
  fix: delete it

error[FLOE-126]: 'env_vars[0]' of execution profile 'other' holds a secret
  --> platform.yaml:3:33  execution.other.env_vars[0]
   |  other: {type: k8s, env_vars: ['***'], max_concurrent: 0}
  why: a secret never stands in a document, which is stored and shown
  fix: write 'CLIENT_SECRET' alone to pass the variable on, or name a Kubernetes secret under 'env_secrets'

error[FLOE-125]: 'max_concurrent' of execution profile 'other' cannot be 0
  --> platform.yaml:3:76  execution.other.max_concurrent
   |  other: {type: k8s, env_vars: ['***'], max_concurrent: 0}
  why: it must be at least 1
  fix: write 1 or more

error[FLOE-121]: resource 'api' has no 'target'
  --> platform.yaml:5:3  resources.api
   |  api:
  why: 'target' is required: class or function that builds the resource
  fix: add 'target: …'

error[FLOE-126]: 'args.password' of resource 'api' holds a secret
  --> platform.yaml:6:22  resources.api.args.password
  why: a secret never stands in a document, which is stored and shown
  fix: put the value into an environment variable and write {secret_ref: NAME} with the variable's name

warning[FLOE-232]: execution profile 'default' spans several machines, which do not share Dagster's run storage (sqlite)
  --> platform.yaml:2:3  execution.default
   |  default: {type: celery, broker: 'amqp://etl:***@mq//', config_source: {x: 'ID=1'}, brokr: y}
  why: what several machines work on must be a service or a storage that all of them reach
  fix: make sure that all machines share it, or pick another profile

8 errors, 1 warning\
""")
