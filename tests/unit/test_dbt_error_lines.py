"""What dbt says of a model that fails, with the lines of the user's file."""

from pathlib import Path

import pytest

from floe_dagster.dbt.error_lines import add_places

MODEL = """\
{% set columns = ['order_id', 'customer'] %}
select
{% for c in columns %}
    {{ c }},
{% endfor %}
    quantity * unit_prce as amount,
    1 as one,
    1 as one
from {{ source('bronze', 'orders') }}
"""
SENT = """\

  create view "floe"."main_silver"."stg_orders" as (
select
    order_id,
    customer,
    quantity * unit_prce as amount,
    1 as one,
    1 as one
from "floe"."bronze"."orders"
  );
"""
HEADING = "\x1b[31mFailure in model stg_orders (models/silver/stg_orders.sql)\x1b[0m"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "dbt/models/silver/stg_orders.sql": MODEL,
        "target/run/shop/models/silver/stg_orders.sql": SENT,
        "target/compiled/shop/models/silver/stg_orders.sql": "select",
        "target/compiled/shop/models/models.yml/unique_id.sql": "select",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def places(folder: Path, *messages: str) -> list[str]:
    """What was added to the last message."""
    *_, last = add_places(messages, project_dir=folder / "dbt", target_path=folder / "target")
    assert last.startswith(messages[-1].rstrip())
    return [line.strip() for line in last.removeprefix(messages[-1].rstrip()).splitlines() if line]


def test_a_line_is_that_of_the_users_file(folder: Path) -> None:
    message = "  Binder Error: no unit_prce\n  LINE 7:     quantity * unit_prce as amount,\n             ^\n"

    assert places(folder, HEADING, message) == [
        "this is line 6 of dbt/models/silver/stg_orders.sql",
        "line 7 counts in the SQL that dbt made of it: target/run/shop/models/silver/stg_orders.sql:6",
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("LINE 7: ...tity * unit_prce as ...", ":6", id="a part of a long line"),
        pytest.param("LINE 8:     1 as one", ":7", id="a line that is there twice"),
        pytest.param("LINE 5:     order_id,", ":4", id="a line that jinja made"),
        pytest.param("LINE 99: what dbt does not show", "", id="a line that is nowhere"),
        pytest.param("LINE 1:", ":1", id="an empty line"),
    ],
)
def test_the_line_of_the_sql_is_told_where_it_is_found(line: str, shown: str, folder: Path) -> None:
    told = places(folder, HEADING, f"Error\n  {line}\n   ^")

    assert told[-1].endswith(f"target/run/shop/models/silver/stg_orders.sql{shown}")
    assert len(told) == (2 if "unit_prce" in line else 1)


def test_an_error_without_a_line_names_the_sql(folder: Path) -> None:
    assert places(folder, HEADING, "  Database Error: timeout") == [
        "the SQL that dbt made of it: target/run/shop/models/silver/stg_orders.sql"
    ]


def test_a_test_that_fails_names_the_query_for_its_rows(folder: Path) -> None:
    heading = "Failure in test unique_id (models/models.yml)"

    assert places(folder, heading, "  Got 2 results, configured to fail if != 0") == [
        "the SQL that dbt made of it: target/compiled/shop/models/models.yml/unique_id.sql"
    ]


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param((), id="nothing"),
        pytest.param(("Encountered an error:\nCompilation Error",), id="no heading"),
        pytest.param((HEADING,), id="a heading alone"),
        pytest.param(("Failure in model gone (models/gone.sql)", "LINE 1: x"), id="no such file"),
        pytest.param(("Failure in model x ()", "LINE 1: x"), id="no file"),
    ],
)
def test_all_else_stays_as_dbt_says_it(messages: tuple[str, ...], folder: Path) -> None:
    assert add_places(messages, project_dir=folder / "dbt", target_path=folder / "target") == list(messages)


def test_each_failure_of_several_has_its_own_place(folder: Path) -> None:
    messages = [
        HEADING,
        "LINE 7: unit_prce",
        "Failure in model gone (models/gone.sql)",
        "LINE 1: x",
        HEADING,
        "no line",
    ]

    told = add_places(messages, project_dir=folder / "dbt", target_path=folder / "target")

    assert ["stg_orders.sql" in new and new != old for old, new in zip(messages, told, strict=True)] == [
        False, True, False, False, False, True,
    ]  # fmt: skip
