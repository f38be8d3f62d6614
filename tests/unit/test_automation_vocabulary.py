"""The conditions that floe.yaml may name, held against those of the Dagster that is installed."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta

import dagster as dg
import pytest
from dagster._annotations import is_public
from dagster._core.definitions.declarative_automation.automation_condition import BuiltinAutomationCondition

from floe_core.automation.vocabulary import CONDITIONS, METHODS, Kind, Signature

OF_JOBS = {"any_job_root_assets_match", "all_job_root_assets_match"}
SCOPES = {
    "AssetKey": "asset",
    "AssetCheckKey": "check",
    "AssetOrCheckKey": "both",
    "T_EntityKey": "both",
    "ChecksAutomationCondition": "asset",
}
ANNOTATIONS: dict[Kind, tuple[object, ...]] = {
    Kind.ASSET_CONDITION: ("AutomationCondition", "AssetScopedAutomationCondition"),
    Kind.CHECK_CONDITION: ("CheckScopedAutomationCondition",),
    Kind.CRON: (str,),
    Kind.TIME_ZONE: (str,),
    Kind.DURATION: (timedelta | None,),
    Kind.FLAG: (bool,),
    Kind.ASSET_KEY: ("CoercibleToAssetKey",),
    Kind.TAG_KEYS: (AbstractSet[str] | None,),
    Kind.TAG_VALUES: (Mapping[str, str] | None,),
}


def constructors() -> dict[str, Callable[..., object]]:
    found = {name: value for name, value in vars(dg.AutomationCondition).items() if isinstance(value, staticmethod)}
    return {name: value.__func__ for name, value in found.items() if not name.startswith("_")}


def condition_classes() -> Iterator[type]:
    waiting: list[type] = [BuiltinAutomationCondition]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        yield found


def methods(name: str) -> set[Callable[..., object]]:
    found = (getattr(owner, name, None) for owner in (dg.AutomationCondition, *condition_classes()))
    return {function for function in found if inspect.isfunction(function)}


def test_every_condition_of_dagster_has_its_name_here() -> None:
    assert set(CONDITIONS) == set(constructors()) - OF_JOBS


def test_every_method_of_dagsters_conditions_has_its_name_here() -> None:
    named = {
        name
        for owner in condition_classes()
        for name, function in inspect.getmembers(owner, inspect.isfunction)
        if is_public(function) and name not in constructors()
    }

    assert named <= set(METHODS)
    assert {name: bool(methods(name)) for name in METHODS} == dict.fromkeys(METHODS, True)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_takes_what_dagster_takes(name: str) -> None:
    function = constructors()[name]

    assert parameters_of(CONDITIONS[name]) == [*dagster_parameters(function)]
    returned = re.sub(r"^.*\[|\]$", "", str(function.__annotations__["return"]))
    assert CONDITIONS[name].scope == SCOPES[returned]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_what_dagster_takes(name: str) -> None:
    for function in methods(name):
        assert parameters_of(METHODS[name]) == [*dagster_parameters(function)]


@pytest.mark.parametrize("name", CONDITIONS)
def test_an_argument_is_what_dagster_annotates(name: str) -> None:
    annotations = constructors()[name].__annotations__

    for parameter in CONDITIONS[name].parameters:
        assert annotations[parameter.name] in ANNOTATIONS[parameter.kind]


def parameters_of(signature: Signature) -> list[tuple[str, bool, bool]]:
    return [(item.name, item.required, item.by_name_only) for item in signature.parameters]


def dagster_parameters(function: Callable[..., object]) -> Iterator[tuple[str, bool, bool]]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name != "self":
            is_required = parameter.default is inspect.Parameter.empty
            yield parameter.name, is_required, parameter.kind is inspect.Parameter.KEYWORD_ONLY
