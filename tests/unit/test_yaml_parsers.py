"""libyaml and PyYAML's own parser give the same document, the same places and the same problems."""

from pathlib import Path
from random import Random

import pytest
import yaml

from floe_core.errors import YamlSyntaxError
from floe_core.yaml_text import values
from floe_core.yaml_text.values import read_document
from mutations import mutate_text

PROJECTS = Path(__file__).parents[1] / "projects"
DOCUMENTS = [(PROJECTS / name / "floe.yaml").read_text() for name in ("daily_sales", "ecommerce", "observed_shop")]
DAMAGED_DOCUMENTS = 250


def everything_in(text: str) -> object:
    builder, built = read_document(text, "floe.yaml")
    problems = builder.raise_problems(keep_duplicates=True)
    return built, problems, builder.find_comments(), builder.lines_with_values


def outcome(text: str) -> object:
    """Everything in a document, or all that is wrong with it."""
    try:
        return everything_in(text)
    except YamlSyntaxError as error:
        return error.problems


def damaged_documents() -> list[str]:
    random = Random(11)
    documents = []
    for number in range(DAMAGED_DOCUMENTS):
        text = random.choice(DOCUMENTS)
        for _ in range(number % 3 + 1):
            text = mutate_text(text, random) or text
        documents.append(text.removeprefix("\ufeff"))
    return documents


def test_both_parsers_give_the_same_of_damaged_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [*DOCUMENTS, *damaged_documents()]
    by_libyaml = [outcome(text) for text in documents]
    monkeypatch.setattr(values, "_IN_C", None)

    assert sum(isinstance(each, tuple) and len(each) == 4 for each in by_libyaml) > DAMAGED_DOCUMENTS / 10
    for text, each in zip(documents, by_libyaml, strict=True):
        assert each == outcome(text), text


@pytest.mark.parametrize(
    "text",
    [
        "a: [x?y, z]\n",  # libyaml takes it
        "a: b\tc\td:\t1\n",
        "a: {b: , c: 1}\n",  # its empty value stands elsewhere for libyaml
        "a: >#\n  text\n",
        "a: 1\n\ufeffb: 2\n",
        'a: "\\ud800"\n',  # libyaml refuses it
        'a: "\\U00110000"\n',
        "a: 'not closed\n",
    ],
)
def test_what_the_parsers_read_differently_is_left_to_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of_both = outcome(text)
    monkeypatch.setattr(values, "_IN_C", None)

    assert outcome(text) == of_both


def test_libyaml_reads_an_ordinary_document_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []

    class Watched(values.DocumentBuilder):
        def __init__(self, text: str, file: str, *, loader: type = yaml.SafeLoader) -> None:
            used.append(loader)
            super().__init__(text, file, loader=loader)

    monkeypatch.setattr(values, "DocumentBuilder", Watched)

    for text in DOCUMENTS:
        everything_in(text)

    assert used == [yaml.CSafeLoader] * len(DOCUMENTS)
