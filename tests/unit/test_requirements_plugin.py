from pathlib import Path

import pytest

from plugins.requirements import Requirement, check_proofs, render_proofs

TWO_REQUIREMENTS = """
010-FR-001 = { text = "Assets are loaded." }
010-FR-002 = { text = "Partitions are loaded.", pending = "their loader" }
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project of its own in which the plugin is active."""
    pytester.makefile(".toml", requirements=TWO_REQUIREMENTS)
    pytester.makeini("""
        [pytest]
        requirements_file = requirements.toml
        markers = requirement(*ids): ids
    """)
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return suite.runpytest_inprocess("--disable-plugin-autoload", "-p", "plugins.requirements", *arguments)


class TestMarkers:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            pytest.param('"010-FR-1"', "'010-FR-1' is not a requirement id", id="too few digits"),
            pytest.param('"FR-001"', "'FR-001' is not a requirement id", id="no feature"),
            pytest.param('"010-fr-001"', "'010-fr-001' is not a requirement id", id="small letters"),
            pytest.param('"010-FR-001 "', "'010-FR-001 ' is not a requirement id", id="a space"),
            pytest.param("1", "1 is not a requirement id", id="a number"),
            pytest.param('"010-FR-003"', "010-FR-003 is not in the requirements file", id="unknown"),
            pytest.param("", "takes one or more ids and nothing else", id="none"),
            pytest.param('"010-FR-001", since=2', "takes one or more ids and nothing else", id="a keyword"),
        ],
    )
    def test_a_wrong_id_stops_collection(self, suite: pytest.Pytester, arguments: str, complaint: str) -> None:
        suite.makepyfile(f"""
            import pytest

            @pytest.mark.requirement({arguments})
            def test_something(): ...
        """)

        result = run(suite)

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: *test_something: *{complaint}*"])
        result.assert_outcomes()

    def test_right_ids_run_as_any_test(self, suite: pytest.Pytester) -> None:
        suite.makepyfile("""
            import pytest

            @pytest.mark.requirement("010-FR-001", "010-FR-002")
            def test_something(): ...
        """)

        run(suite).assert_outcomes(passed=1)


class TestReport:
    def test_each_requirement_is_shown_with_its_tests(self, suite: pytest.Pytester) -> None:
        suite.makepyfile("""
            import pytest

            @pytest.mark.requirement("010-FR-001")
            @pytest.mark.parametrize("row", [1, 2])
            def test_loading(row):
                raise AssertionError("a report runs no test")
        """)

        result = run(suite, "--requirements")

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(
            [
                "010-FR-001  Assets are loaded.",
                "    test_each_requirement_is_shown_with_its_tests.py::test_loading",
                "010-FR-002  Partitions are loaded.",
                "    pending: their loader",
                "2 requirements: 1 proven, 1 pending, 0 without a test",
            ],
            consecutive=True,
        )

    def test_a_requirement_without_a_test_fails_the_report(self, suite: pytest.Pytester) -> None:
        suite.makepyfile("def test_something(): ...")

        result = run(suite, "--requirements")

        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["error: 010-FR-001 is proven by no test: Assets are loaded."])

    def test_a_pending_requirement_with_a_test_has_to_lose_its_flag(self, suite: pytest.Pytester) -> None:
        suite.makepyfile("""
            import pytest

            @pytest.mark.requirement("010-FR-001", "010-FR-002")
            def test_something(): ...
        """)

        result = run(suite, "--requirements")

        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            ["error: 010-FR-002 has a test and is still marked as pending (their loader)"],
        )


class TestFile:
    @pytest.mark.parametrize(
        ("entry", "complaint"),
        [
            pytest.param('FR-1 = { text = "x" }', "'FR-1' is not a requirement id*", id="id"),
            pytest.param("010-FR-001 = {}", "010-FR-001 needs a text*", id="no text"),
            pytest.param('010-FR-001 = { text = "x", pending = "" }', "010-FR-001 needs a text*", id="empty pending"),
            pytest.param('010-FR-001 = { text = "x", pendng = "y" }', "010-FR-001 needs a text*", id="misspelt"),
        ],
    )
    def test_a_wrong_entry_stops_collection(self, suite: pytest.Pytester, entry: str, complaint: str) -> None:
        (suite.path / "requirements.toml").write_text(entry, encoding="utf-8")
        suite.makepyfile("def test_something(): ...")

        result = run(suite)

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: requirements.toml: {complaint}"])

    def test_the_project_lists_the_whole_specification(self, pytestconfig: pytest.Config) -> None:
        text = (pytestconfig.rootpath / Path("tests/requirements.toml")).read_text(encoding="utf-8")

        ids = [line.split(" ")[0] for line in text.splitlines() if line.startswith("010-")]

        assert ids == [f"010-FR-{n:03}" for n in range(1, 49)] + [f"010-SC-{n:03}" for n in range(1, 11)]


def test_an_empty_project_has_no_problems() -> None:
    assert check_proofs({}, {}) == []
    assert render_proofs({}, {}) == ["0 requirements: 0 proven, 0 pending, 0 without a test"]


def test_counts_add_up_when_a_pending_requirement_is_proven() -> None:
    requirements = {"010-FR-001": Requirement("text", "something")}

    lines = render_proofs(requirements, {"010-FR-001": ["test.py::test_it"]})

    assert lines[-1] == "1 requirements: 1 proven, 0 pending, 0 without a test"
