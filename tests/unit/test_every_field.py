"""Documents that use every field once: what holds for all fields alike."""

import copy
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from builders import refusals
from document_models import models_in
from floe_core.compiler.profile_checks import check_profiles
from floe_core.compiler.references import check_references
from floe_core.errors import YamlPath
from floe_core.interpolation import EnvText, Unset
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.platform_spec import PlatformSpec
from floe_core.yaml_source import YamlDocument, parse_yaml

NOT_BESIDE_OTHERS = {"DbtConfig.selector", "SqliteInstance.type"}
"""Fields in place of which the documents have another one."""
GOLDEN = Path(__file__).parents[1] / "golden"


def read(name: str) -> YamlDocument:
    path = GOLDEN / f"{name}.yaml"
    return parse_yaml(path.read_text(), file=path)


DOCUMENTS: list[tuple[type[BaseModel], YamlDocument]] = [
    (FloeSpec, read("every_field_floe")),
    (PlatformSpec, read("every_field_platform")),
]
both_documents = pytest.mark.parametrize(("model", "document"), DOCUMENTS, ids=["floe.yaml", "platform.yaml"])


def paths_of(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    if path and not str(path[0]).startswith("x-"):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


def value_at(value: Any, path: YamlPath) -> Any:
    for part in path:
        value = value[part]
    return value


def with_value(document: YamlDocument, path: YamlPath, value: object) -> object:
    changed = copy.deepcopy(document.value)
    value_at(changed, path[:-1])[path[-1]] = value
    return changed


def defined_in(kind: type[BaseModel], field: str) -> str:
    """The field with the class that first says it, so that one use stands for all kinds that inherit it."""
    owner = next(base for base in reversed(kind.__mro__) if field in inspect.get_annotations(base))
    return f"{owner.__name__}.{field}"


def model_paths(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    """Where the mappings of a document stand whose keys are fields."""
    if isinstance(value, BaseModel):
        yield path
        for name in value.model_fields_set:
            alias = type(value).model_fields[name].alias
            yield from model_paths(getattr(value, name), (*path, alias or name))
    elif isinstance(value, dict | tuple):
        items: Iterable[tuple[str | int, object]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from model_paths(item, (*path, key))


def set_fields(value: object) -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield type(value), name
            yield from set_fields(getattr(value, name))
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from set_fields(item)


@both_documents
def test_the_documents_use_every_field_that_there_is(model: type[BaseModel], document: YamlDocument) -> None:
    used = set(set_fields(model.model_validate(document.value)))

    there_are = {defined_in(kind, name) for kind in models_in(model) for name in kind.model_fields}
    assert there_are - {defined_in(kind, name) for kind, name in used} - NOT_BESIDE_OTHERS == set()


@both_documents
def test_any_value_may_wait_for_a_variable(model: type[BaseModel], document: YamlDocument) -> None:
    for path in paths_of(document.value):
        assert (path, refusals(model, with_value(document, path, Unset("${MISSING}")))) == (path, [])


@both_documents
def test_any_scalar_may_come_from_the_environment(model: type[BaseModel], document: YamlDocument) -> None:
    for path in paths_of(document.value):
        value = value_at(document.value, path)
        if isinstance(value, dict | list):
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)

        read_from_environment = model.model_validate(with_value(document, path, EnvText(text)))

        assert (path, read_from_environment) == (path, model.model_validate(document.value))


@both_documents
def test_no_mapping_with_fields_takes_an_unknown_key(model: type[BaseModel], document: YamlDocument) -> None:
    for path in model_paths(model.model_validate(document.value)):
        changed = copy.deepcopy(document.value)
        mapping = value_at(changed, path)
        if isinstance(mapping, dict):
            mapping["nonsense"] = 1

            assert (path, bool(refusals(model, changed))) == (path, True)


def test_checks_leave_alone_what_waits_for_a_variable() -> None:
    floe, platform = DOCUMENTS[0][1], DOCUMENTS[1][1]
    platform_spec = PlatformSpec.model_validate(platform.value)
    for path in paths_of(floe.value):
        spec = FloeSpec.model_validate(with_value(floe, path, Unset("${MISSING}")))

        found = [*check_references(spec, floe.source), *check_profiles(spec, platform_spec, floe.source)]

        assert [problem.what for problem in found if "MISSING" in problem.what] == []
