"""`floe explain`: every code has an explanation with an example, and the examples of documents are what they claim."""

from pathlib import Path

import pytest

from floe_cli.main import run_command_line
from floe_core.compiler.checks import read_documents
from floe_core.error_codes.registry import ERROR_CODES
from floe_core.errors import FloeError
from floe_core.project import ProjectFolder

OF_PLATFORM_YAML = {"FLOE-126"}
OF_FLOE_YAML = {
    *("FLOE-101", "FLOE-102", "FLOE-103", "FLOE-104", "FLOE-105", "FLOE-106", "FLOE-107", "FLOE-108", "FLOE-109"),
    *("FLOE-110", "FLOE-111", "FLOE-112", "FLOE-113", "FLOE-120", "FLOE-121", "FLOE-122", "FLOE-123", "FLOE-124"),
    *("FLOE-125", "FLOE-203", "FLOE-204", "FLOE-210", "FLOE-211", "FLOE-231", "FLOE-330", "FLOE-346", "FLOE-358"),
    *("FLOE-392", "FLOE-393"),
}


def codes_in(text: str, folder: Path, *, file: str) -> set[str]:
    """The codes of what is told of a project with *text* in one of its documents."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "floe.yaml").write_text("orchestration: {}\n")
    is_part = file == "floe.yaml" and "orchestration:" not in text and text[0].isalpha()
    (folder / file).write_text(f"{text}\norchestration: {{}}\n" if is_part else text)
    try:
        documents = read_documents(ProjectFolder(folder), environ={"NAME": "shop"})
    except FloeError as error:
        return {problem.code for problem in error.problems}
    return {problem.code for problem in (*documents.errors, *documents.warnings)}


def test_every_code_has_an_explanation_and_an_example() -> None:
    for code, entry in ERROR_CODES.items():
        assert (code, entry.explanation.endswith(".")) == (code, True)
        assert (code, "" != entry.wrong.strip() != entry.right.strip() != "") == (code, True)


@pytest.mark.parametrize("code", sorted(OF_FLOE_YAML | OF_PLATFORM_YAML))
def test_the_wrong_document_has_the_code_and_the_right_one_has_not(code: str, tmp_path: Path) -> None:
    file = "platform.yaml" if code in OF_PLATFORM_YAML else "floe.yaml"
    entry = ERROR_CODES[code]

    assert code in codes_in(entry.wrong, tmp_path, file=file)
    assert codes_in(entry.right, tmp_path, file=file) <= {"FLOE-372"}


def test_a_code_is_explained_with_wrong_and_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["explain", "123"]) == 0

    assert capsys.readouterr().out.endswith(
        "\n\nwrong:\n  orchestration:\n    dbt: {observability_level: per_modle}\n"
        "\nright:\n  orchestration:\n    dbt: {observability_level: per_model}\n"
    )
