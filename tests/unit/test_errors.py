"""Problems: their template, their order, their codes."""

import pickle
import re
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from floe_core.error_codes.registry import ERROR_CODES
from floe_core.errors import (
    DocumentError,
    FloeError,
    Location,
    Problem,
    ProblemCollector,
    format_yaml_path,
    render_problem,
    shown_path,
    sort_problems,
)
from floe_core.suggestions import closest_names, did_you_mean, list_names

UNKNOWN_JOB = Problem(
    "FLOE-203",
    "sensor 'arrival' starts job 'bronze_laod', which does not exist",
    Location("floe.yaml", 41, 10, "orchestration.sensors.arrival.job", "      job: bronze_laod  "),
    why="a sensor can only start a job named under orchestration.jobs (bronze_load, gold_pipeline)",
    fix="did you mean 'bronze_load'?",
)
JOB_FIELDS = ("job", "selection", "cron_schedule", "timezone", "enabled", "environments", "partition_selector", "tags")


@pytest.mark.requirement("010-FR-047")
def test_a_problem_is_shown_in_five_lines() -> None:
    assert render_problem(UNKNOWN_JOB) == snapshot("""\
error[FLOE-203]: sensor 'arrival' starts job 'bronze_laod', which does not exist
  --> floe.yaml:41:10  orchestration.sensors.arrival.job
   |  job: bronze_laod
  why: a sensor can only start a job named under orchestration.jobs (bronze_load, gold_pipeline)
  fix: did you mean 'bronze_load'?\
""")


def test_lines_without_an_answer_are_left_out() -> None:
    assert render_problem(Problem("FLOE-130", "floe.yaml does not exist")) == snapshot(
        "error[FLOE-130]: floe.yaml does not exist"
    )


def test_the_users_own_error_stands_behind_the_quoted_line() -> None:
    problem = Problem(
        "FLOE-301",
        "asset module 'shop.assets.bronze' cannot be imported",
        Location("floe.yaml", 4, 7, "orchestration.asset_modules[0]", "    - shop.assets.bronze"),
        fix="mend the module",
        detail='File "shop/assets/bronze.py", line 3\n  def customers(:\nSyntaxError: invalid syntax',
    )

    assert render_problem(problem) == snapshot("""\
error[FLOE-301]: asset module 'shop.assets.bronze' cannot be imported
  --> floe.yaml:4:7  orchestration.asset_modules[0]
   |  - shop.assets.bronze
      File "shop/assets/bronze.py", line 3
        def customers(:
      SyntaxError: invalid syntax
  fix: mend the module\
""")


def test_a_long_line_is_quoted_around_its_column() -> None:
    line = "  selection: [" + ", ".join(f"asset_{number}" for number in range(60)) + "]"
    column = line.index("asset_30") + 1

    quoted = render_problem(Problem("FLOE-203", "x", Location("floe.yaml", 1, column, source_line=line))).splitlines()[
        2
    ]

    assert len(quoted) < 130
    assert "asset_30" in quoted
    assert quoted.endswith("…")


def test_control_characters_of_a_quoted_line_do_not_reach_the_terminal() -> None:
    problem = Problem("FLOE-108", "x", Location("floe.yaml", 1, 1, source_line="a:\tb\x1b[31m\u202e"))

    assert "a:→b�[31m�" in render_problem(problem)


def test_an_error_shows_all_problems_in_the_order_of_the_files_and_their_number() -> None:
    error = DocumentError(
        Problem("FLOE-230", "nowhere"),
        Problem("FLOE-121", "second", Location("floe.yaml", 12, 3)),
        Problem("FLOE-112", "first", Location("floe.yaml", 9, 20), severity="warning"),
        Problem("FLOE-120", "other file", Location("a/platform.yaml", 99)),
    )

    assert str(error) == snapshot("""\
error[FLOE-120]: other file
  --> a/platform.yaml:99

error[FLOE-121]: second
  --> floe.yaml:12:3

error[FLOE-230]: nowhere

warning[FLOE-112]: first
  --> floe.yaml:9:20

3 errors, 1 warning\
""")


def test_one_problem_has_no_count() -> None:
    assert str(FloeError(Problem("FLOE-203", "x"))) == "error[FLOE-203]: x"


def test_the_same_problem_twice_is_shown_once() -> None:
    assert sort_problems([UNKNOWN_JOB, UNKNOWN_JOB]) == (UNKNOWN_JOB,)


def test_errors_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DocumentError(UNKNOWN_JOB)))

    assert isinstance(error, DocumentError)
    assert error.problems == (UNKNOWN_JOB,)


def test_a_collector_raises_everything_at_once() -> None:
    collector = ProblemCollector()
    with collector.collecting():
        raise DocumentError(Problem("FLOE-101", "b", Location("f", 2)))
    with collector.collecting():
        raise FloeError(Problem("FLOE-102", "a", Location("f", 1)), Problem("FLOE-103", "c", Location("f", 3)))
    collector.add(Problem("FLOE-112", "w", severity="warning"))

    with pytest.raises(DocumentError) as raised:
        collector.raise_if_any(DocumentError)

    assert [problem.what for problem in raised.value.problems] == ["a", "b", "c", "w"]
    assert [problem.what for problem in collector.warnings] == ["w"]


def test_warnings_alone_raise_nothing() -> None:
    collector = ProblemCollector([Problem("FLOE-112", "w", severity="warning")])

    collector.raise_if_any()

    assert collector.problems


def test_a_collector_lets_other_errors_pass() -> None:
    with pytest.raises(KeyError), ProblemCollector().collecting():
        raise KeyError


def test_a_problem_as_json_has_all_its_keys() -> None:
    assert UNKNOWN_JOB.to_json() == snapshot(
        {
            "code": "FLOE-203",
            "severity": "error",
            "what": "sensor 'arrival' starts job 'bronze_laod', which does not exist",
            "file": "floe.yaml",
            "line": 41,
            "column": 10,
            "yaml_path": "orchestration.sensors.arrival.job",
            "source_line": "      job: bronze_laod  ",
            "why": "a sensor can only start a job named under orchestration.jobs (bronze_load, gold_pipeline)",
            "fix": "did you mean 'bronze_load'?",
            "detail": "",
        }
    )
    assert Problem("FLOE-130", "x").to_json().keys() == UNKNOWN_JOB.to_json().keys()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        pytest.param((), "", id="root"),
        pytest.param(("orchestration", "jobs"), "orchestration.jobs", id="keys"),
        pytest.param(("a", 0, "b", 12), "a[0].b[12]", id="items"),
        pytest.param(("assets", "bronze_*", "tags"), "assets.bronze_*.tags", id="pattern"),
        pytest.param(("assets", "v1.orders", "", "a b"), 'assets["v1.orders"][""]["a b"]', id="hostile keys"),
    ],
)
def test_a_yaml_path_is_shown_as_it_is_written(path: tuple[str | int, ...], shown: str) -> None:
    assert format_yaml_path(path) == shown


def test_paths_below_the_working_directory_are_shown_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert shown_path(tmp_path / "shop" / "floe.yaml") == "shop/floe.yaml"
    assert shown_path(Path("floe.yaml")) == "floe.yaml"
    assert shown_path(tmp_path.parent / "floe.yaml") == str(tmp_path.parent / "floe.yaml")


def test_every_code_in_the_sources_is_registered_and_the_registry_is_in_order() -> None:
    packages = Path(__file__).parents[2] / "packages"
    used = {
        code
        for file in packages.glob("*/src/**/*.py")
        if file.parent.name != "error_codes"
        for code in re.findall(r"FLOE-\d+", file.read_text(encoding="utf-8"))
    }

    assert used <= ERROR_CODES.keys()
    assert list(ERROR_CODES) == sorted(ERROR_CODES)
    assert all(re.fullmatch(r"FLOE-[1-4]\d\d", code) for code in ERROR_CODES)


@pytest.mark.parametrize(
    ("name", "known", "closest"),
    [
        pytest.param("bronze_laod", ["bronze_load", "gold_pipeline"], ("bronze_load",), id="swapped letters"),
        pytest.param("selct", ["select", "exclude", "target"], ("select",), id="missing letter"),
        pytest.param("Enabled", JOB_FIELDS, ("enabled",), id="case"),
        pytest.param("cron-schedule", JOB_FIELDS, ("cron_schedule",), id="separator"),
        pytest.param("cronSchedule", JOB_FIELDS, ("cron_schedule",), id="camel case"),
        pytest.param("cron", JOB_FIELDS, ("cron_schedule",), id="beginning"),
        pytest.param("schedule", JOB_FIELDS, ("cron_schedule",), id="end"),
        pytest.param("jobs", JOB_FIELDS, ("job",), id="plural"),
        pytest.param("environment", JOB_FIELDS, ("environments",), id="singular"),
        pytest.param("tag", JOB_FIELDS, ("tags",), id="short plural"),
        pytest.param("xyz", JOB_FIELDS, (), id="nothing near"),
        pytest.param("a", ["ab", "b", "abc"], (), id="one letter"),
        pytest.param("", ["a"], (), id="empty"),
        pytest.param("job", [], (), id="nothing known"),
        pytest.param("job", ["job"], (), id="itself"),
        pytest.param("stg_orders", ["stg_order", "stg_order_items", "gold"], ("stg_order",), id="only what is as near"),
        pytest.param(
            "daily", ["daily_a", "daily_b", "daily_c", "daily_d"], ("daily_a", "daily_b", "daily_c"), id="many"
        ),
    ],
)
def test_the_closest_names_are_found_and_no_silly_ones(name: str, known: list[str], closest: tuple[str, ...]) -> None:
    assert closest_names(name, known) == closest


def test_a_suggestion_is_a_question() -> None:
    assert did_you_mean("job", []) == ""
    assert did_you_mean("jb", ["job"]) == "did you mean 'job'?"
    assert did_you_mean("daily", ["daily_a", "daily_b"]) == "did you mean 'daily_a' or 'daily_b'?"
    assert did_you_mean("daily", ["daily_a", "daily_b", "daily_c"]) == "did you mean 'daily_a', 'daily_b' or 'daily_c'?"


def test_long_lists_of_names_are_cut() -> None:
    assert list_names(f"job_{number}" for number in range(10)) == (
        "job_0, job_1, job_2, job_3, job_4, job_5, job_6, job_7 and 2 more"
    )
