"""What may not stand in floe.yaml: places, services and secrets."""

import time
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from builders import floe_yaml
from floe_core.compiler.boundary import check_boundary
from floe_core.errors import render_problems
from floe_core.yaml_source import parse_yaml

QUICKSTART = Path(__file__).parents[1] / "golden" / "quickstart"


def report(text: str) -> str:
    document = parse_yaml(text, file=Path("floe.yaml"))
    return render_problems(check_boundary(document.value, document.source, comments=document.comments))


def args_report(value: str, *, key: str = "value") -> str:
    """What is said about one argument of an ops job, in a word or two."""
    document = parse_yaml("a: x", file=Path("floe.yaml"))
    raw = {"orchestration": {"jobs": {"one": {"args": {key: value}}}}}
    found = check_boundary(raw, document.source)
    return found[0].what.removeprefix("job 'one' holds ").removesuffix(f" in args.{key}") if found else ""


@pytest.mark.requirement("010-FR-048")
@pytest.mark.parametrize("name", sorted(path.stem for path in QUICKSTART.glob("*.yaml") if "platform" not in path.stem))
def test_no_snippet_of_the_quickstart_holds_anything_physical(name: str) -> None:
    text = (QUICKSTART / f"{name}.yaml").read_text()

    assert report(text if "\norchestration:" in f"\n{text}" else floe_yaml(text)) == ""


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("https://api.example.com/v1", "a remote address"),
        ("s3://lake/incoming", "a remote address"),
        ("gs://lake", "a remote address"),
        ("abfss://data@account.dfs.core.windows.net/x", "a remote address"),
        ("postgresql://db/shop", "a remote address"),
        ("${SOURCE:s3://lake/incoming}", "a remote address"),
        ("${A:${B:http://${HOST}:80}}", "a remote address"),
        ("s3://${BUCKET}/incoming", "a remote address"),
        ("jdbc:mysql:thin@db", "a connection string"),
        ("arn:aws:s3:::lake", "the name of a cloud resource"),
        ("host=db dbname=shop", "a connection string"),
        ("Server=db;Database=shop;", "a connection string"),
        ("lake.s3.amazonaws.com", "the host of a cloud service"),
        ("shop.svc.cluster.local", "the host of a cloud service"),
        ("xy12345.eu-west-1.snowflakecomputing.com", "the host of a cloud service"),
        ("otel-collector:4317", "a host and port"),
        ("localhost:5432", "a host and port"),
        ("db.internal:5432/shop", "a host and port"),
        ("10.0.0.1:80", "a host and port"),
        ("${HOST:db:5432}", "a host and port"),
        ("192.168.1.20", "an IP address"),
        ("us-east-1", "a cloud region"),
        ("us-gov-west-1", "a cloud region"),
        ("europe-west4", "a cloud region"),
        ("ap-southeast-2", "a cloud region"),
        ("westeurope", "a cloud region"),
        ("eastus2", "a cloud region"),
    ],
)
def test_places_and_services_are_found(value: str, found: str) -> None:
    assert args_report(value) == found


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("key", "AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        ("note", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "a GitHub token"),
        ("x", "glpat-abcdefghij0123456789", "a GitLab token"),
        ("hook", "https://hooks.slack.com/services/T000/B000/XXXX", "a Slack webhook"),
        ("k", "sk_live_abcdefghijklmnop1234", "a Stripe key"),
        ("k", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123", "a JSON web token"),
        ("pem", "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a private key"),
        ("url", "postgresql://etl:hunter2@db/shop", "an address with a password"),
        ("url", "${URL:postgresql://etl:hunter2@db/shop}", "an address with a password"),
        ("options", "sslmode=require password=hunter2", "a password"),
        ("c", "DefaultEndpointsProtocol=https;AccountKey=abcdefgh12345678==", "a storage key"),
        ("password", "hunter2", "the value of 'password'"),
        ("db_password", "${DB_PASSWORD:hunter2}", "the value of 'db_password'"),
        ("api_key", "abcd1234efgh5678", "the value of 'api_key'"),
        ("signature", "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY", "what looks like a random key"),
        ("client_secret", "my-secret", "the value of 'client_secret'"),
        ("apiKey", "test", "the value of 'apiKey'"),
        ("token", "abc123", "the value of 'token'"),
        ("secret", "abc", "the value of 'secret'"),
        ("password", "$ecret1", "the value of 'password'"),
        ("pin", "1234", "the value of 'pin'"),
        ("command", "mysql -uroot -pXXXX", "a password"),
        ("feed", "http://m:5000?api_key=abc", "an address with a secret"),
    ],
)
def test_secrets_are_found(key: str, value: str, found: str) -> None:
    assert args_report(value, key=key) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", "./incoming/orders.csv"),
        ("table", "bronze.customers"),
        ("module", "shop.assets.bronze"),
        ("time", "12:30:00"),
        ("start", "2024-01-01T06:00"),
        ("range", "2024-01-01..2024-12-31"),
        ("cron", "0 6 * * *"),
        ("mail", "ada@example.com"),
        ("ratio", "16:9"),
        ("region", "us-east"),
        ("region", "emea"),
        ("version", "1.2.3"),
        ("selector", "tag:2024"),
        ("format", "%Y-%m-%d %H:%M"),
        ("column", "customer_token"),
        ("token", "${API_TOKEN}"),
        ("password", "${PASSWORD}"),
        ("password", "DB_PASSWORD"),
        ("token_column", "payment_token_id"),
        ("max_tokens", "100000"),
        ("hash", "9f86d081884c7d659a2feaa0c55ad015"),
        ("uuid", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        ("sql", "select a, b from bronze.orders where c = 'x'"),
        ("asset", "bronze/very_long_asset_name_with_many_words_2024"),
        ("camel", "ThisIsAVeryLongClassNameThatPeopleWrite"),
        ("empty", ""),
        ("secret_name", "shop-db"),
        ("secret", "shop-db"),
        ("api_key_id", "orders1"),
        ("api_key", "customer_api_key"),
        ("tokens", "5"),
        ("token", "csrf"),
        ("token", "ERC20"),
        ("pass", "2"),
        ("first_pass", "dedup"),
        ("password", "$DB_PASSWORD"),
        ("pin", "17"),
        ("password", "vault:secret/data/shop#password"),
        ("password", "/run/secrets/db"),
        ("ksuid", "0ujtsYcgvSTl8PAuAdqWYSMnLOv"),
        ("command", "mkdir -p data"),
    ],
)
def test_values_that_only_look_like_it_are_left_alone(key: str, value: str) -> None:
    assert args_report(value, key=key) == ""


def test_texts_for_people_and_partition_keys_are_searched_for_secrets_only() -> None:
    text = floe_yaml(
        """
        partitions:
          region: {type: static, partition_keys: [us-east-1, eu-west-1]}
          both: {type: multi, partitions: {r: {type: static, partition_keys: [us-east-1]}}}
        assets:
          "bronze_*":
            description: "See https://wiki.example.com/bronze"
            owners: [ada@example.com]
            metadata: {dashboard: "https://bi.example.com/1", host: "bi:8080"}
            tags: {region: us-east-1}
        jobs:
          load: {type: batch, selection: ["tag:region=us-east-1", "group:2024"], tags: {region: us-east-1}}
        schedules:
          daily: {job: load, cron_schedule: "0 6 * * *", partition_selector: "last:10"}
        sensors:
          files: {type: file_watcher, job: load, path: "./in/", partition_key: us-east-1}
        backfills:
          all: {job: load, partition_range: {start: us-east-1, end: eu-west-1}, description: "AKIAIOSFODNN7EXAMPLE"}
        """
    )

    assert report(text) == snapshot("""\
error[FLOE-211]: backfill 'all' holds an AWS access key in description
  --> floe.yaml:18:88  orchestration.backfills.all.description
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml\
""")


def test_a_place_says_where_it_belongs() -> None:
    text = floe_yaml(
        """
        dbt: {vars: {source: "${SOURCE:s3://lake/raw}"}}
        sensors:
          poll: {type: custom, target_function: shop.sensors.poll, args: {url: "https://api.example.com"}}
        """,
        top="x-notes: {url: https://example.com}",
    )

    assert report(text) == snapshot("""\
error[FLOE-210]: dbt holds a remote address in vars.source
  --> floe.yaml:3:24  orchestration.dbt.vars.source
   |  dbt: {vars: {source: "${SOURCE:s3://lake/raw}"}}
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-210]: sensor 'poll' holds a remote address in args.url
  --> floe.yaml:5:74  orchestration.sensors.poll.args.url
   |  poll: {type: custom, target_function: shop.sensors.poll, args: {url: "https://api.example.com"}}
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

2 errors\
""")


def test_a_line_with_a_secret_is_never_quoted() -> None:
    text = floe_yaml(
        """
        jobs:
          load: {type: ops, target_function: a.b, args: {host: "db:5432", password: hunter2}}
        """
    )

    assert "hunter2" not in report(text)
    assert report(text) == snapshot("""\
error[FLOE-210]: job 'load' holds a host and port in args.host
  --> floe.yaml:3:58  orchestration.jobs.load.args.host
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-211]: job 'load' holds the value of 'password' in args.password
  --> floe.yaml:3:79  orchestration.jobs.load.args.password
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml

2 errors\
""")


# ---- what has to pass all the same


ALLOWED = """
jobs:
  load:
    type: ops
    target_function: a.b
    args:
      label: db:5432  # floe: allow FLOE-210 - a label of the shop's boxes
      # floe: allow FLOE-211 - the id of a public sheet
      # that everybody may read
      sheet: 1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms
      text: |  # floe: allow FLOE-210: an example in a mail
        see https://example.com
        # floe: allow FLOE-210 - no comment but text
"""


def test_a_comment_with_a_reason_lets_its_line_pass() -> None:
    assert report(floe_yaml(ALLOWED)) == ""


@pytest.mark.parametrize(
    "line",
    ["label: db:5432  # FLOE-210 is fine", "label: 'db:5432 # floe: allow FLOE-210 - inside of the value'"],
    ids=["another comment", "in quotes"],
)
def test_other_comments_and_texts_allow_nothing(line: str) -> None:
    text = ALLOWED.replace("label: db:5432  # floe: allow FLOE-210 - a label of the shop's boxes", line)
    place = "https://x.example" if "'" in line else "db:5432"
    text = text.replace("'db:5432", f"'{place}")

    assert "FLOE-210" in report(floe_yaml(text))


def test_comments_that_allow_without_reason_or_use_are_told() -> None:
    text = """
        jobs:
          load:
            args:
              one: db:5432  # floe: allow FLOE-210
              two: db:5433  # floe: allow FLOE-203 - because
              three: db:5434  # floe: allow FLOE-211 - it is no secret
              four: fine  # floe: allow FLOE-210 - once there was a place here
        """

    assert report(floe_yaml(text)) == snapshot("""\
error[FLOE-210]: job 'load' holds a host and port in args.one
  --> floe.yaml:5:14  orchestration.jobs.load.args.one
   |  one: db:5432  # floe: allow FLOE-210
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-210]: job 'load' holds a host and port in args.two
  --> floe.yaml:6:14  orchestration.jobs.load.args.two
   |  two: db:5433  # floe: allow FLOE-203 - because
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-210]: job 'load' holds a host and port in args.three
  --> floe.yaml:7:16  orchestration.jobs.load.args.three
   |  three: db:5434  # floe: allow FLOE-211 - it is no secret
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-212]: a comment that allows something gives no reason
  --> floe.yaml:5:23
   |  one: db:5432  # floe: allow FLOE-210
  why: whoever reads the line later has to know why it is no secret and no place
  fix: write '# floe: allow FLOE-210 - REASON' for a place, FLOE-211 for what looks like a secret

error[FLOE-212]: a comment that allows something names no code that can be allowed
  --> floe.yaml:6:23
   |  two: db:5433  # floe: allow FLOE-203 - because
  why: whoever reads the line later has to know why it is no secret and no place
  fix: write '# floe: allow FLOE-210 - REASON' for a place, FLOE-211 for what looks like a secret

warning[FLOE-213]: a comment allows FLOE-211, which line 7 does not have
  --> floe.yaml:7:25
   |  three: db:5434  # floe: allow FLOE-211 - it is no secret
  why: it would hide such a mistake that is made there later
  fix: delete the comment, or move it to the line that it is about

warning[FLOE-213]: a comment allows FLOE-210, which line 8 does not have
  --> floe.yaml:8:21
   |  four: fine  # floe: allow FLOE-210 - once there was a place here
  why: it would hide such a mistake that is made there later
  fix: delete the comment, or move it to the line that it is about

5 errors, 2 warnings\
""")


def test_a_comment_is_searched_for_secrets_and_no_line_with_one_is_quoted() -> None:
    text = """
        # the old key was AKIAIOSFODNN7EXAMPLE
        jobs:
          load: {type: ops, target_function: a.b, args: {host: "db:5432"}}  # password: hunter22
        """

    assert report(floe_yaml(text)) == snapshot("""\
error[FLOE-210]: job 'load' holds a host and port in args.host
  --> floe.yaml:4:58  orchestration.jobs.load.args.host
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-211]: a comment holds an AWS access key
  --> floe.yaml:2:3
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml

error[FLOE-211]: a comment holds the value of a secret
  --> floe.yaml:4:71
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml

3 errors\
""")


def test_notes_and_keys_are_searched_for_secrets() -> None:
    text = floe_yaml(
        """
        jobs:
          load: {args: {"https://api.example.com/v1": 1, ghp_abcdefghijklmnopqrstuvwxyz0123456789: 2, password: 31415}}
        """,
        top="x-notes: {host: 'db:5432', pin: AKIAIOSFODNN7EXAMPLE}",
    )

    assert "ghp_" not in report(text)
    assert report(text) == snapshot("""\
error[FLOE-211]: x-notes.pin holds an AWS access key
  --> floe.yaml:1:33  x-notes.pin
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml

error[FLOE-211]: job 'load' holds the value of 'password' in args.password
  --> floe.yaml:4:107  orchestration.jobs.load.args.password
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml

error[FLOE-210]: job 'load' holds a remote address in args
  --> floe.yaml:4:19  orchestration.jobs.load.args
  why: floe.yaml is logical, so that one file serves every environment; places stand in platform.yaml
  fix: add it under 'resources' of platform.yaml, and let the function ask for the resource by its name

error[FLOE-211]: job 'load' holds a GitHub token in args
  --> floe.yaml:4:52  orchestration.jobs.load.args
  why: floe.yaml is stored, compiled and shown, so a secret in it is known to everybody
  fix: change the secret where it was issued, and name its variable by {secret_ref: NAME} in platform.yaml

4 errors\
""")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("words and 1 more, " * 4_000 + "AKIAIOSFODNN7EXAMPLE", "an AWS access key", id="words"),
        pytest.param("a1B" * 20_000, "", id="one word"),
        pytest.param("b" * 60_000, "", id="one letter"),
        pytest.param("host=" * 12_000, "", id="half a connection"),
        pytest.param("token 1a" * 8_000, "", id="half an assignment"),
        pytest.param("${A:" * 30 + "x" + "}" * 30 + "${B:x}" * 5_000, "", id="defaults"),
        pytest.param("a." * 30_000, "", id="dots"),
    ],
)
def test_a_long_text_is_searched_to_its_end_and_in_time(text: str, found: str) -> None:
    began = time.process_time()

    assert args_report(text) == found
    assert time.process_time() - began < 3
