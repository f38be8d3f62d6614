"""The reference of the error codes: every code stands in it, and the page kept is current."""

import json
import re
from pathlib import Path

import pytest

from floe_cli.main import run_command_line
from floe_core.error_codes.reference import error_reference
from floe_core.error_codes.registry import ERROR_CODES

PAGE = Path(__file__).parents[2] / "packages/floe-core/docs/errors.md"


def test_the_page_in_the_repository_is_current() -> None:
    command = "floe explain --format markdown > packages/floe-core/docs/errors.md"

    assert PAGE.read_text(encoding="utf-8") == error_reference(), f"run '{command}'"


def test_every_code_has_a_heading_below_that_of_its_hundred() -> None:
    page = error_reference()

    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == list(ERROR_CODES)
    for chapter in page.split("\n## ")[1:]:
        codes = re.findall(r"^### FLOE-(\d)\d\d$", chapter, re.MULTILINE)
        assert (set(codes), bool(codes)) == ({chapter[0]}, True)


def test_a_code_stands_with_its_example() -> None:
    assert (
        error_reference(("FLOE-123",))
        == """\
### FLOE-123

**a value that is not one of the choices**

The field takes one of a few values, which the message lists.

Wrong:

```text
orchestration:
  dbt: {observability_level: per_modle}
```

Right:

```text
orchestration:
  dbt: {observability_level: per_model}
```
"""
    )


def test_what_a_reader_would_not_see_is_escaped() -> None:
    assert {c for c in error_reference() if not c.isprintable()} == {"\n"}


def test_explain_lists_the_codes_where_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["explain"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FLOE-101  the text is not YAML"
    assert [line.partition(" ")[0] for line in lines] == list(ERROR_CODES)


def test_explain_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["explain", "--format", "markdown"]) == 0

    assert capsys.readouterr().out == error_reference()


def test_explain_tells_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["explain", "--format", "json"]) == 0
    every = json.loads(capsys.readouterr().out)
    assert run_command_line(["explain", "107", "--format", "json"]) == 0
    one = json.loads(capsys.readouterr().out)

    assert [entry["code"] for entry in every] == list(ERROR_CODES)
    assert one in every
    assert one["wrong"] == "- name: shop"
