"""What is told of a dbt call that failed."""

import pytest
from dagster_shared.error import SerializableErrorInfo

from floe_dagster.observability.runs.error_facts import error_fact
from floe_dagster.running.dbt_failures import find_dbt_words
from floe_dagster.running.described_errors import describe_error

COMMAND = """The dbt CLI process with command

`dbt build --select fqn:* --vars {"db_password": "lovelace"}`

failed with exit code `1`."""
SAID = """

Errors parsed from dbt logs:

5 of 7 ERROR creating sql table model main.stg_orders .......... [ERROR in 0.10s]

Failure in model stg_orders (models/silver/stg_orders.sql)


  Binder Error: no column nope
"""

WORDS = """Failure in model stg_orders (models/silver/stg_orders.sql)

  Binder Error: no column nope"""


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (COMMAND + " Check the stdout" + SAID, WORDS),
        (COMMAND + " Check the stdout, or view the dbt debug log: /x/dbt.log.", "dbt failed with exit code 1"),
        (COMMAND[:40], "dbt failed"),
        (COMMAND.replace("`1`", "`-9`"), "dbt failed with exit code -9"),
        ("ValueError: no rows", None),
        ("", None),
    ],
    ids=["what dbt said", "nothing", "cut", "a signal", "another error", "empty"],
)  # fmt: skip
def test_the_command_and_its_vars_are_not_told(message: str, words: str | None) -> None:
    assert find_dbt_words(message) == words


def test_neither_records_nor_the_terminal_tell_the_command() -> None:
    name = "dagster_dbt.errors.DagsterDbtCliRuntimeError"
    error = SerializableErrorInfo(f"{name}: {COMMAND}{SAID}", [], name.rpartition(".")[2])

    fact = error_fact(error)

    assert (fact.type, fact.message) == ("DagsterDbtCliRuntimeError", describe_error(error))
    assert fact.message.startswith("Failure in model stg_orders")
