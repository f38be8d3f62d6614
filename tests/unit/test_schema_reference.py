"""The reference of both documents: it names every field, its links lead somewhere, and the pages kept are current."""

import re
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from document_models import models_in
from floe_cli.main import run_command_line
from floe_core.schema_reference import schema_reference
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.platform_spec import PlatformSpec

Kind = Literal["floe", "platform"]
DOCS = Path(__file__).parents[2] / "packages/floe-core/docs"
both_documents = pytest.mark.parametrize(("kind", "model"), [("floe", FloeSpec), ("platform", PlatformSpec)])


def headings(page: str) -> list[str]:
    """The anchors that GitHub makes of the headings of *page*."""
    titles = re.findall(r"^##? (.*)$", page, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def row(page: str, key: str, *, below: str) -> str:
    section = page.partition(f"\n## {below}\n")[2].partition("\n## ")[0]
    [found] = re.findall(rf"^\| `{key}` .*$", section, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("kind", ["floe", "platform"])
def test_the_page_in_the_repository_is_current(kind: Kind) -> None:
    file = DOCS / f"{kind}_yaml.md"
    command = f"floe schema {kind} --format markdown -o packages/floe-core/docs/{file.name}"

    assert file.read_text(encoding="utf-8") == schema_reference(kind), f"run '{command}'"


@both_documents
def test_every_field_has_a_row_in_the_section_of_its_model(kind: Kind, model: type[BaseModel]) -> None:
    sections = schema_reference(kind).split("\n## ")
    keys = [set(re.findall(r"^\| `(\w+)` ", section, re.MULTILINE)) for section in sections]
    fields = [{field.alias or name for name, field in each.model_fields.items()} for each in {*models_in(model)}]

    assert all(len(each) > 0 for each in fields)
    assert [each for each in fields if each not in keys] == []
    assert len(sections) == len(fields) > 20


@both_documents
def test_every_link_leads_to_one_heading(kind: Kind, model: type[BaseModel]) -> None:
    page = schema_reference(kind)
    anchors = headings(page)
    linked = set(re.findall(r"\]\(#([^)]+)\)", page))

    assert model.__name__
    assert len(anchors) == len(set(anchors))
    assert linked == set(anchors[1:])


@both_documents
def test_every_row_has_four_cells_and_a_meaning(kind: Kind, model: type[BaseModel]) -> None:
    rows = [line for line in schema_reference(kind).splitlines() if line.startswith("| `")]

    assert len(rows) > len(model.model_fields)
    for line in rows:
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        assert (line, len(cells), bool(cells[3].strip())) == (line, 4, True)


def test_a_row_tells_words_bounds_defaults_and_what_is_required() -> None:
    floe, platform = schema_reference("floe"), schema_reference("platform")

    assert row(floe, "trigger", below="orchestration.sensors.NAME of type asset_sensor") == (
        "| `trigger` | `any` or `all` | `any` | Whether any watched asset is enough, or each must be new since the "
        "last launch. |"
    )
    assert row(floe, "start", below="orchestration.backfills.NAME.partition_range") == (
        "| `start` | text | required | First partition key of the range. |"
    )
    assert row(floe, "kinds", below="orchestration.assets.PATTERN").startswith(
        "| `kinds` | list of text, at most 10 |  |"
    )
    assert row(platform, "port", below="instance.storage of type postgres") == (
        "| `port` | whole number from 1 to 65535 | `5432` | Port of the database. |"
    )
    assert row(platform, "password", below="instance.storage of type postgres") == (
        "| `password` | [`{secret_ref: NAME}`](#secrets) | required | Password of the user. |"
    )
    assert row(platform, "sampling", below="observability").startswith("| `sampling` | number from 0 to 1 | `1.0` |")


def test_a_section_names_the_other_places_of_the_same_mapping() -> None:
    retries = schema_reference("floe").partition("\n## orchestration.assets.PATTERN.retry_policy\n")[2]

    assert retries.partition("\n| ")[0].strip() == (
        "How often and after what time a failed step is tried again. "
        "The same stands at `orchestration.jobs.NAME.retry_policy`."
    )


def test_the_command_prints_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "platform.md"

    assert run_command_line(["schema", "platform", "--format", "markdown"]) == 0
    assert run_command_line(["schema", "platform", "--format", "markdown", "-o", str(file)]) == 0

    printed = capsys.readouterr()
    assert printed.out == file.read_text() == schema_reference("platform")
    assert "the reference of platform.yaml" in printed.err
