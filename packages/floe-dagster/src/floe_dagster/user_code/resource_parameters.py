"""Which parameters of a user's function are the context, the config and resources, and which are something else."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter

import dagster as dg
from dagster._core.definitions.resource_annotation import _is_resource_annotation

BUILT_IN_RESOURCES = frozenset({"catalog", "dbt"})

_CONTEXT_NAMES = frozenset({"context", "_context", "context_", "_"})
_CONTEXT_TYPES = (
    dg.AssetExecutionContext,
    dg.OpExecutionContext,
    dg.SensorEvaluationContext,
    dg.RunStatusSensorContext,
    dg.RunFailureSensorContext,
)
_UNRESOLVED = object()


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a function, sorted by what fills them in."""

    context: Parameter | None
    config: Parameter | None
    resources: tuple[Parameter, ...]
    others: tuple[Parameter, ...]
    defaulted: tuple[Parameter, ...]

    @property
    def resource_keys(self) -> frozenset[str]:
        """The resources that the function asks for."""
        return frozenset(parameter.name for parameter in self.resources)


def classify_parameters(fn: Callable[..., object], *, given: Collection[str] = ()) -> Parameters:
    """Sort the parameters of *fn*; their annotations are resolved, whatever `from __future__` made of them.

    A parameter is a resource when its annotation says so, as in Dagster; when it is named like a built-in resource
    (`catalog`, `dbt`); or when it has neither annotation nor default, and is then the resource of its name. An
    annotation that does not exist at run time, such as one imported under `TYPE_CHECKING`, counts as none. Any other
    parameter that has a default keeps it, unless *given* names it.

    Args:
        fn: Any callable.
        given: Names that something else fills in (an asset's inputs, a job's `args`): never resources.

    Returns:
        Parameters with their resolved annotation, or without one. The context is the first parameter, if it is named
        as Dagster names it, or the one annotated with a context class. `others` are left to the caller.
    """
    resolved = resolve_parameters(fn)
    context = next((p for p in resolved if p.name not in given and _is_context(p, first=p is resolved[0])), None)
    config = next((p for p in resolved if p.name == "config" and p.name not in given), None)
    rest = [p for p in resolved if p is not context and p is not config]
    resources = tuple(p for p in rest if p.name not in given and _is_resource(p))
    rest = [p for p in rest if p not in resources]
    defaulted = tuple(p for p in rest if p.name not in given and p.default is not Parameter.empty)
    others = tuple(p for p in rest if p not in defaulted)
    return Parameters(context=context, config=config, resources=resources, others=others, defaulted=defaulted)


def why_resource(key: str, fn: Callable[..., object] | None) -> str:
    """Why *fn* asks for the resource *key*, for messages; None is what Dagster asks for by keys."""
    parameter = next((p for p in resolve_parameters(fn) if p.name == key), None) if fn is not None else None
    if parameter is None:
        return "it is among the required resource keys"
    if parameter.annotation is Parameter.empty:
        return "a parameter without annotation is the resource of its name"
    return f"the parameter '{key}' is annotated as a resource"


def resolve_parameters(fn: Callable[..., object]) -> tuple[Parameter, ...]:
    """The parameters of *fn* with annotations that are objects, never text; what cannot be resolved is left out."""
    hints = _resolve_annotations(fn)
    return tuple(
        parameter.replace(annotation=hints.get(parameter.name, Parameter.empty))
        for parameter in inspect.signature(fn).parameters.values()
    )


def resolve_return(fn: Callable[..., object]) -> object:
    """The return annotation of *fn*, or `Signature.empty`."""
    return _resolve_annotations(fn).get("return", inspect.Signature.empty)


def _is_context(parameter: Parameter, *, first: bool) -> bool:
    return (first and parameter.name in _CONTEXT_NAMES) or parameter.annotation in _CONTEXT_TYPES


def _is_resource(parameter: Parameter) -> bool:
    if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
        return False
    if parameter.name in BUILT_IN_RESOURCES or any(_is_resource_annotation(a) for a in _arms(parameter.annotation)):
        return True
    return parameter.annotation is Parameter.empty and parameter.default is Parameter.empty


def _arms(annotation: object) -> Iterator[type]:
    """The alternatives of a union, or the annotation itself."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for arm in typing.get_args(annotation):
            yield from _arms(arm)
    else:
        yield typing.cast("type", annotation)


def _resolve_annotations(fn: Callable[..., object]) -> Mapping[str, object]:
    target = function_of(fn)
    scope = {**getattr(target, "__globals__", {}), **_closure_of(target)}
    raw = getattr(target, "__annotations__", {})
    resolved = {name: _resolve_annotation(annotation, scope) for name, annotation in raw.items()}
    return {name: annotation for name, annotation in resolved.items() if annotation is not _UNRESOLVED}


def _resolve_annotation(annotation: object, scope: dict[str, object]) -> object:
    def holder() -> None: ...

    holder.__annotations__ = {"it": annotation}
    try:
        return typing.get_type_hints(holder, globalns=scope, include_extras=True)["it"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return _UNRESOLVED


def function_of(fn: Callable[..., object]) -> object:
    """The function that the user wrote: below partials, decorators that keep `__wrapped__`, and callable objects."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    unwrapped = inspect.unwrap(fn)
    if inspect.isroutine(unwrapped) or inspect.isclass(unwrapped):
        return unwrapped
    return type(unwrapped).__call__


def _closure_of(target: object) -> dict[str, object]:
    if not inspect.isfunction(target):
        return {}
    cells = zip(target.__code__.co_freevars, target.__closure__ or (), strict=False)
    return {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - reading an empty cell raises
    except ValueError:
        return False
    return True
