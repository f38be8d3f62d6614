"""A user's function in a shape that Dagster reads: its real annotations, its resources, what it returns."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, Protocol, get_args, get_origin

import dagster as dg

from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.resource_parameters import Parameters, classify_parameters, function_of, resolve_return
from floe_dagster.user_code.tracebacks import UsersTraceback

_RESOURCE: object = dg.ResourceParam[Any]  # type: ignore[misc] # Dagster's alias has no type parameter for mypy
_CONTEXT_TYPES = (dg.AssetExecutionContext, dg.OpExecutionContext)


class Conversion(Protocol):
    """Turns what a function returns or yields into what Dagster takes."""

    def to_result(self, value: object, /) -> object:
        """What Dagster gets for one value."""

    def to_results(self, values: Generator[object, None, object], /) -> Iterator[object]:
        """What Dagster gets for the values of a generator."""


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A callable of any shape and what fills in its parameters."""

    fn: Callable[..., Any]
    parameters: Parameters

    @classmethod
    def of(cls, fn: Callable[..., Any], *, given: Collection[str] = ()) -> "UserFunction":
        """The function *fn*; *given* are the parameters that are no resources whatever they look like.

        Raises:
            dagster.DagsterInvalidDefinitionError: The class that `config` is annotated with cannot be found.
        """
        parameters = classify_parameters(fn, given=given)
        config = parameters.config
        if config is not None and config.annotation is Parameter.empty:
            written = inspect.signature(fn).parameters[config.name].annotation
            if written is not Parameter.empty:
                raise dg.DagsterInvalidDefinitionError(
                    f"class {written!r} of 'config' does not exist at import: define it, or import it "
                    "outside `if TYPE_CHECKING:`"
                )
        return cls(fn, parameters)

    @property
    def source(self) -> FunctionSource:
        """The function as it stands in its file."""
        return FunctionSource.of(self.fn)

    @property
    def returns(self) -> object:
        """The return annotation, or `Signature.empty`; a function that yields is annotated with what it yields in."""
        return resolve_return(self.fn)

    def compute(
        self, *, required: Collection[str] = (), conversion: Callable[[], Conversion] | None = None
    ) -> Callable[..., Any]:
        """A function that calls this one, for a decorator of Dagster.

        Args:
            required: Further resources that Dagster is to provide; they are not passed on.
            conversion: Called in the run, for what turns the results. Without one they are passed on as they are.
        """
        compute = self._call(conversion)
        named = function_of(self.fn)
        functools.update_wrapper(compute, named if callable(named) else self.fn)
        compute.__name__ = self.source.name
        signature = self._signature(required, converted=conversion is not None)
        compute.__signature__ = signature  # type: ignore[attr-defined] # what inspect.signature reads
        compute.__annotations__ = {
            **{p.name: p.annotation for p in signature.parameters.values() if p.annotation is not Parameter.empty},
            **({} if signature.return_annotation is Signature.empty else {"return": signature.return_annotation}),
        }
        return compute

    def _call(self, conversion: Callable[[], Conversion] | None) -> Callable[..., Any]:
        """A function of the same shape, since Dagster looks whether it is a generator, a coroutine or both."""
        convert = conversion or _AsItIs
        if inspect.isasyncgenfunction(self.fn):
            return self._async_generator(convert)
        if inspect.iscoroutinefunction(self.fn):
            return self._coroutine(convert)
        if inspect.isgeneratorfunction(self.fn):
            return self._generator(convert)
        return self._function(convert)

    def _function(self, convert: Callable[[], Conversion]) -> Callable[..., Any]:
        def compute(*args: object, **kwargs: object) -> object:
            with UsersTraceback():
                positional, named = self._bind(args, kwargs)
                value = self.fn(*positional, **named)
                if not inspect.isgenerator(value):
                    return convert().to_result(value)
            return _users_results(convert().to_results(value))

        return compute

    def _generator(self, convert: Callable[[], Conversion]) -> Callable[..., Any]:
        def compute(*args: object, **kwargs: object) -> Generator[object, None, None]:
            with UsersTraceback():
                positional, named = self._bind(args, kwargs)
                yield from convert().to_results(self.fn(*positional, **named))

        return compute

    def _coroutine(self, convert: Callable[[], Conversion]) -> Callable[..., Any]:
        async def compute(*args: object, **kwargs: object) -> object:
            with UsersTraceback():
                positional, named = self._bind(args, kwargs)
                return convert().to_result(await self.fn(*positional, **named))

        return compute

    def _async_generator(self, convert: Callable[[], Conversion]) -> Callable[..., Any]:
        async def compute(*args: object, **kwargs: object) -> AsyncGenerator[object, None]:
            with UsersTraceback():
                positional, named = self._bind(args, kwargs)
                converted = convert()
                async for value in self.fn(*positional, **named):
                    yield converted.to_result(value)

        return compute

    def _bind(self, args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[list[object], dict[str, object]]:
        """The arguments of the function, out of what Dagster passes: its context first, all else by name."""
        known = inspect.signature(self.fn).parameters
        takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known.values())
        named = {name: value for name, value in kwargs.items() if takes_any or name in known}
        if self.parameters.context is not None:
            named[self.parameters.context.name] = args[0]
        positional = [
            named.pop(name) for name, p in known.items() if p.kind is Parameter.POSITIONAL_ONLY and name in named
        ]
        return positional, named

    def _signature(self, required: Collection[str], *, converted: bool) -> Signature:
        parameters = self.parameters
        ordinary = [*([parameters.config] if parameters.config else []), *parameters.resources, *parameters.others]
        order = list(inspect.signature(self.fn).parameters)
        ordinary.sort(
            key=lambda p: (p.kind is Parameter.VAR_KEYWORD, p.default is not Parameter.empty, order.index(p.name))
        )
        shaped = [self._shaped(p) for p in ordinary if p.kind is not Parameter.VAR_POSITIONAL]
        if parameters.context is not None:
            annotation = parameters.context.annotation
            known = annotation if annotation in _CONTEXT_TYPES else Parameter.empty
            shaped.insert(0, Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=known))
        if parameters.resources:
            hidden = sorted(set(required) - parameters.resource_keys)
            position = len(shaped) - sum(p.kind is Parameter.VAR_KEYWORD for p in shaped)
            shaped[position:position] = [Parameter(key, Parameter.KEYWORD_ONLY, annotation=_RESOURCE) for key in hidden]
        return Signature(shaped, return_annotation=self._return_annotation() if converted else Signature.empty)

    def _shaped(self, parameter: Parameter) -> Parameter:
        if parameter.kind is Parameter.VAR_KEYWORD:
            return parameter
        shaped = parameter.replace(kind=Parameter.POSITIONAL_OR_KEYWORD)
        if parameter in self.parameters.resources:
            return shaped.replace(annotation=_RESOURCE, default=Parameter.empty)
        return shaped

    def _return_annotation(self) -> object:
        """What says to Dagster that there is no value to store, unless the function's own annotation names one."""
        annotation = resolve_return(self.fn)
        has_value = get_origin(annotation) is dg.MaterializeResult and not {Any, type(None)} & set(get_args(annotation))
        return annotation if has_value else dg.MaterializeResult


def _users_results(results: Iterator[object]) -> Iterator[object]:
    with UsersTraceback():
        yield from results


class _AsItIs:
    """The conversion that changes nothing."""

    def to_result(self, value: object) -> object:
        return value

    def to_results(self, values: Generator[object, None, object]) -> Iterator[object]:
        return values
