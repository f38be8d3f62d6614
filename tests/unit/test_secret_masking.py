"""Lines and messages that are shown without the secrets in them."""

import time

import pytest

from floe_core.errors import Location, Problem, render_problem
from floe_core.secrets.yaml_lines import mask_line, mask_text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('  broker: "amqp://etl:Fak3Pass06@mq//"  # x', '  broker: "amqp://etl:***@mq//"  # x'),
        ("backend: redis://:pw@r/0", "backend: redis://:***@r/0"),
        ("url: https://etl:p@ss:w@host/x", "url: https://etl:***@host/x"),
        ("{broker: x, config: {broker_password: lovelace, a: b}}", "{broker: x, config: {broker_password: ***, a: b}}"),
        ("password: ${PW:lovelace}", "password: ${PW:***}"),
        ("- password: a,b}c d # old", "- password: *** # old"),
        ('env_vars: ["DB_PASSWORD=lovelace", A]', 'env_vars: ["DB_PASSWORD=***", A]'),
        ('headers: {Authorization: "Bearer abc123x"}', 'headers: {Authorization: "***"}'),
        ('token: "abc123', "token: ***"),
        ("db: {credentials: {user: etl, pass: abc}}", "db: {credentials: {user: etl, pass: ***}}"),
        ("pin: 1234, port: 5432", "pin: ***, port: 5432"),
        ('"password": "a\\"b", x: y', '"password": "***", x: y'),
        ("note: AKIAIOSFODNN7EXAMPLE and more", "note: *** and more"),
        ('pem: "-----BEGIN RSA PRIVATE KEY-----\\nMIIE"  # x', 'pem: "***'),
        ("pem: '-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----'", "pem: '***'"),
    ],
)
def test_a_line_is_shown_without_its_secrets(line: str, shown: str) -> None:
    assert mask_line(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "password: {secret_ref: DB_PASSWORD}",
        "password: ${PASSWORD}",
        "uri: postgresql://${USER}:${PASSWORD}@db/shop",
        "uri: postgresql://etl@db/shop",
        "password_file: /run/secrets/db",
        "client_secret:  # not yet",
        "env_secrets: [db-credentials]",
        "owners: [ada@example.com]",
    ],
)
def test_a_line_without_a_secret_is_shown_as_it_is(line: str) -> None:
    assert mask_line(line) == line


def test_long_texts_are_masked_to_their_end() -> None:
    text = "a" * 3000 + " postgres://etl:lovelace@db " + "b" * 3000 + " ghp_abcdefghijklmnopqrstuvwxyz0123456789"

    assert mask_text(text) == "a" * 3000 + " postgres://etl:***@db " + "b" * 3000 + " ***"


def test_every_part_of_a_message_is_masked_for_people_and_for_machines() -> None:
    secret = "postgres://etl:lovelace@db"
    location = Location("platform.yaml", 1, 1, source_line=f"uri: {secret}")
    problem = Problem("FLOE-125", f"cannot be '{secret}'", location, f"not {secret}", f"no {secret}", detail=secret)

    assert "lovelace" not in render_problem(problem)
    assert "lovelace" not in str(problem.to_json())
    assert render_problem(problem).count("etl:***@db") == 5


@pytest.mark.parametrize("part", ["a", "a.b-", "a: ", "{a: ", "x://a:", "password=", " ", '"', "${a:"])
def test_a_line_of_megabytes_is_masked_and_shown_in_no_time(part: str) -> None:
    line = part * (2 * 1024 * 1024 // len(part))
    problem = Problem("FLOE-101", "x", Location("floe.yaml", 1, 1_000_000, source_line=f"{line}password: lovelace"))

    start = time.process_time()
    shown = render_problem(problem) + str(problem.to_json())

    assert time.process_time() - start < 2
    assert "lovelace" not in shown


def test_lines_of_python_keep_their_names() -> None:
    line = "password = ask_for_it()"

    assert line in render_problem(Problem("FLOE-303", "it raises", Location("shop.py", 1, 1, source_line=line)))


def test_what_a_terminal_acts_on_is_written_as_an_escape() -> None:
    problem = Problem("FLOE-125", "a\x00b\u202ec\x1b[31m\u200b", why="tab\there", fix="one\ntwo", detail="x\x07\ny")

    assert render_problem(problem) == (
        "error[FLOE-125]: a\\x00b\\u202ec\\x1b[31m\\u200b\n      x\\x07\n      y\n  why: tab\there\n  fix: one\\ntwo"
    )
    assert problem.to_json()["what"] == "a\x00b\u202ec\x1b[31m\u200b"
