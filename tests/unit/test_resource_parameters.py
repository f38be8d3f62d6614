import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Optional, Union

import dagster as dg
import pytest

from floe_dagster.user_code.resource_parameters import classify_parameters, resolve_parameters, resolve_return

if TYPE_CHECKING:
    from somewhere import Unknown  # type: ignore[import-not-found] # a name that no run ever sees


class Clock(dg.ConfigurableResource[Any]):
    hour: int = 6


def nothing() -> None: ...
def by_name(context, catalog, api): ...  # type: ignore[no-untyped-def] # as users write
def by_class(clock: Clock, other: dg.ResourceParam[int], old: dg.ResourceDefinition) -> None: ...
def unions(a: Clock | None, b: Optional[Clock], c: Union[Clock, str], d: int | None) -> None: ...  # noqa: UP007, UP045 - users write all of them
def built_in(catalog: Any, dbt: object) -> None: ...
def annotated(rows: list[int], name: Annotated[str, "note"]) -> None: ...
def quoted(clock: "Clock", rows: "list[int]") -> None: ...
def not_there(catalog: "Unknown", api: "Unknown", context: "Unknown") -> "Unknown": ...
def defaults(limit=3, table: str = "t", catalog=None): ...  # type: ignore[no-untyped-def] # as users write
def config_and_more(context, config, catalog): ...  # type: ignore[no-untyped-def] # as users write
def any_number(*args, **kwargs): ...  # type: ignore[no-untyped-def] # as users write
def a_context_by_type(clock, ctx: dg.AssetExecutionContext): ...  # type: ignore[no-untyped-def] # as users write
def a_sensor(context: dg.SensorEvaluationContext, catalog): ...  # type: ignore[no-untyped-def] # as users write


def names(fn: Callable[..., object], *given: str) -> tuple[str | None, str | None, list[str], list[str], list[str]]:
    found = classify_parameters(fn, given=given)
    return (
        found.context.name if found.context else None,
        found.config.name if found.config else None,
        [parameter.name for parameter in found.resources],
        [parameter.name for parameter in found.others],
        [parameter.name for parameter in found.defaulted],
    )


@pytest.mark.parametrize(
    ("fn", "given", "expected"),
    [
        pytest.param(nothing, [], (None, None, [], [], []), id="nothing"),
        pytest.param(by_name, [], ("context", None, ["catalog", "api"], [], []), id="by name"),
        pytest.param(by_name, ["api"], ("context", None, ["catalog"], ["api"], []), id="given"),
        pytest.param(by_name, ["context"], (None, None, ["catalog", "api"], ["context"], []), id="a given context"),
        pytest.param(by_class, [], (None, None, ["clock", "other", "old"], [], []), id="by class"),
        pytest.param(unions, [], (None, None, ["a", "b", "c"], ["d"], []), id="unions"),
        pytest.param(built_in, [], (None, None, ["catalog", "dbt"], [], []), id="built in"),
        pytest.param(annotated, [], (None, None, [], ["rows", "name"], []), id="other annotations"),
        pytest.param(quoted, [], (None, None, ["clock"], ["rows"], []), id="annotations as text"),
        pytest.param(not_there, [], (None, None, ["catalog", "api", "context"], [], []), id="unknown annotations"),
        pytest.param(defaults, [], (None, None, ["catalog"], [], ["limit", "table"]), id="defaults"),
        pytest.param(defaults, ["table"], (None, None, ["catalog"], ["table"], ["limit"]), id="a given default"),
        pytest.param(config_and_more, [], ("context", "config", ["catalog"], [], []), id="config"),
        pytest.param(any_number, [], (None, None, [], ["args", "kwargs"], []), id="any number"),
        pytest.param(a_context_by_type, [], ("ctx", None, ["clock"], [], []), id="a context by type"),
        pytest.param(a_sensor, [], ("context", None, ["catalog"], [], []), id="a sensor"),
        pytest.param(functools.partial(by_name, api=1), [], ("context", None, ["catalog"], [], ["api"]), id="partial"),
    ],
)
def test_what_fills_in_each_parameter(
    fn: Callable[..., object],
    given: list[str],
    expected: tuple[str | None, str | None, list[str], list[str], list[str]],
) -> None:
    assert names(fn, *given) == expected


def test_annotations_are_resolved_or_left_out() -> None:
    assert [parameter.annotation for parameter in resolve_parameters(quoted)] == [Clock, list[int]]
    assert all(parameter.annotation is parameter.empty for parameter in resolve_parameters(not_there))
    assert resolve_return(nothing) is type(None)


def test_classes_of_an_enclosing_function_are_found() -> None:
    class Local(dg.ConfigurableResource[Any]):
        pass

    def uses(local: "Local") -> type:
        return Local

    assert names(uses) == (None, None, ["local"], [], [])
