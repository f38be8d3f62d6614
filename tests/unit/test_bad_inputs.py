"""Wrong documents of every section and kind: each is told with its code, place, reason and remedy."""

from pathlib import Path

import pytest

from bad_inputs import BadInput, problems_of, read_bad_inputs, sections, told_of

CASES = [case for section in sections() for case in read_bad_inputs(section)]


def test_there_are_cases_of_every_section() -> None:
    assert len(CASES) >= 250
    assert {*sections()} == {
        *("yaml", "environment", "top", "modules", "dbt", "partitions", "assets", "jobs", "schedules", "sensors"),
        *("backfills", "platform"),
    }
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.requirement("010-FR-029", "010-FR-047")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_wrong_document_is_told_as_its_case_says(case: BadInput, tmp_path: Path) -> None:
    assert case.expected
    assert told_of(case, tmp_path) == case.expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_told_says_how_to_mend_it(case: BadInput) -> None:
    reasons = case.expected.count("\n  why: ") + case.expected.count("\n  fix: ")
    assert reasons >= case.expected.count(" FLOE-")


@pytest.mark.parametrize("case", [case for case in CASES if "hunter2" in f"{case.platform_yaml}"], ids=str)
def test_a_secret_beside_other_mistakes_is_shown_in_no_problem(case: BadInput, tmp_path: Path) -> None:
    problems = problems_of(case, tmp_path)

    assert problems
    assert "hunter2" not in str(problems)
