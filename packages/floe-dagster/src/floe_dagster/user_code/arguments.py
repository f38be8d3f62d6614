"""The arguments that a document gives to a user's function, held against its parameters."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter

import dagster as dg

from floe_core.errors import Location, Problem, YamlPath
from floe_core.source_map import SourceMap
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.user_code.argument_values import IN_QUOTES, Argument, ArgumentError, is_config_class, show_annotation
from floe_dagster.user_code.function_source import FunctionSource
from floe_dagster.user_code.resource_parameters import BUILT_IN_RESOURCES, Parameters, classify_parameters

CODE = "FLOE-314"
_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class FunctionArguments:
    """What a function takes from a document, and what is filled in.

    Args:
        reference: The function as the document names it.
        fn: The function.
        parameters: All of its parameters, sorted by what fills them in.
        config_class: The class of its parameter `config`, where the arguments are the fields of that.
        takes_any: Whether it takes arguments of any name.
    """

    reference: str
    fn: Callable[..., object]
    parameters: Parameters
    config_class: type[dg.Config] | None = None
    takes_any: bool = False

    @classmethod
    def of(
        cls, reference: str, fn: Callable[..., object], *, given: Collection[str], resources: Collection[str] | None
    ) -> "FunctionArguments":
        """What *fn* takes when a document gives it the arguments *given*.

        A parameter without annotation that is neither given nor the name of one of the *resources* is an argument.
        """
        filled = classify_parameters(fn)
        fixed = {p.name for p in filled.resources if p.annotation is not Parameter.empty} | BUILT_IN_RESOURCES
        fixed |= {filled.context.name} if filled.context else set()
        asked = {p.name for p in filled.resources} - fixed
        arguments = (set(given) | (asked - set(resources) if resources is not None else set())) - fixed
        parameters = classify_parameters(fn, given=arguments)
        config = parameters.config
        is_class = config is not None and is_config_class(config.annotation)
        return cls(
            reference,
            fn,
            parameters,
            config.annotation if config is not None and is_class else None,
            any(p.kind is Parameter.VAR_KEYWORD for p in inspect.signature(fn).parameters.values()),
        )

    @cached_property
    def arguments(self) -> Mapping[str, Argument]:
        """By name, in the order of the function, those that the document may fill in."""
        config = self.parameters.config if self.config_class is None else None
        mine = {p.name: p for p in (config, *self.parameters.others, *self.parameters.defaulted) if p is not None}
        return {
            name: Argument(name, mine[name].annotation, mine[name].default)
            for name, parameter in inspect.signature(self.fn).parameters.items()
            if name in mine and parameter.kind not in _VARIADIC
        }

    @property
    def source(self) -> FunctionSource:
        """The function as it stands in its file."""
        return FunctionSource.of(self.fn)

    def bind(self, values: Mapping[str, object], *, is_processed: bool = False) -> dict[str, object]:
        """The arguments of a call by parameter name, those that nobody gives left out.

        Args:
            values: By the names that the document uses.
            is_processed: Whether they come out of the run config.

        Raises:
            ArgumentError: A value does not fit; its path begins with the name of the argument.
        """
        if self.config_class is not None:
            own = {name: value for name, value in values.items() if name not in self.arguments}
            assert self.parameters.config is not None
            config = {
                self.parameters.config.name: Argument("config", self.config_class).convert(
                    own, is_processed=is_processed
                )
            }
            rest = {name: value for name, value in values.items() if name not in own}
            return {**config, **self._bind(rest, is_processed=is_processed)}
        return self._bind(values, is_processed=is_processed)

    def call(self, bound: Mapping[str, object], *, context: object, resources: Mapping[str, object]) -> object:
        """What the function returns for arguments that `bind` gave."""
        named = {**bound, **{key: resources[key] for key in self.parameters.resource_keys}}
        if self.parameters.context is not None:
            named[self.parameters.context.name] = context
        known = inspect.signature(self.fn).parameters
        positional = [
            named.pop(name) for name, p in known.items() if p.kind is Parameter.POSITIONAL_ONLY and name in named
        ]
        return self.fn(*positional, **named)

    def check(
        self, values: Mapping[str, object], *, subject: str, source: SourceMap, path: YamlPath
    ) -> Iterator[Problem]:
        """What is wrong with the arguments that a document gives.

        Args:
            values: The arguments.
            subject: Who gives them, as messages say it: `job 'vacuum'`.
            source: The document.
            path: Where it has them.
        """
        known = [*(self.config_class.model_fields if self.config_class else ()), *self.arguments]
        for name in values:
            if name not in known and not self.takes_any:
                yield self._unknown(name, known, subject, source.locate(*path, name, key=True))
        unknown = [name for name in values if name not in known]
        for name, argument in self.arguments.items():
            is_misspelt = any(closest_names(other, [name]) for other in unknown)
            if argument.is_required and name not in values and not is_misspelt:
                location = source.locate(*path)
                is_object = name == "self" and self._is_method
                yield self._method(subject, location) if is_object else self._missing(name, subject, location)
        for error in self._refused({name: value for name, value in values.items() if name in known or self.takes_any}):
            what = f"a value for '{error.path[0]}' that it does not take" if error.path else "arguments that do not fit"
            location = source.locate(*path, *error.path)
            is_of_environment = error.fix.startswith(IN_QUOTES) and "${" in (location.source_line or "")
            yield Problem(
                CODE,
                f"{subject} gives '{self.reference}' {what}",
                location,
                why=f"{self._annotated(str(error.path[0]) if error.path else '')}{error}",
                fix="a variable that looks like a number is one: annotate the parameter `int | str`"
                if is_of_environment
                else error.fix,
            )

    def _annotated(self, name: str) -> str:
        argument = self.arguments.get(name)
        if argument is None or argument.annotation is Parameter.empty:
            return ""
        return f"the parameter is `{name}: {show_annotation(argument.annotation)}`: "

    def _refused(self, values: Mapping[str, object]) -> Iterator[ArgumentError]:
        """One error for each argument that does not fit."""
        own = {name: value for name, value in values.items() if name not in self.arguments}
        if self.config_class is not None:
            try:
                Argument("config", self.config_class).convert(own)
            except ArgumentError as error:
                yield error
        for name, value in values.items():
            if name not in self.arguments:
                continue
            try:
                self._bind({name: value})
            except ArgumentError as error:
                yield error

    def _bind(self, values: Mapping[str, object], *, is_processed: bool = False) -> dict[str, object]:
        bound: dict[str, object] = {}
        for name, value in values.items():
            try:
                bound[name] = self.arguments.get(name, Argument(name)).convert(value, is_processed=is_processed)
            except ArgumentError as error:
                raise ArgumentError((name, *error.path), str(error), error.fix) from None
        return bound

    def _unknown(self, name: str, known: Collection[str], subject: str, location: Location) -> Problem:
        filled_in = {p.name for p in (self.parameters.context, *self.parameters.resources) if p is not None}
        if name in filled_in:
            is_context = self.parameters.context is not None and name == self.parameters.context.name
            what = "the context of the run or tick" if is_context else f"the resource '{name}'"
            return Problem(
                CODE,
                f"{subject} gives '{self.reference}' the argument '{name}', which is filled in",
                location,
                why=f"the parameter takes {what}",
                fix="delete it here",
            )
        return Problem(
            CODE,
            f"{subject} gives '{self.reference}' the argument '{name}', which it does not take",
            location,
            why=f"the function takes {list_names(known) if known else 'no arguments'}{self._place}",
            fix=did_you_mean(name, known) or "delete it, or add the parameter to the function",
        )

    def _missing(self, name: str, subject: str, location: Location) -> Problem:
        annotation = self.arguments[name].annotation
        shown = "" if annotation is Parameter.empty else f" ({show_annotation(annotation)})"
        return Problem(
            CODE,
            f"{subject} does not give '{self.reference}' the argument '{name}'",
            location,
            why=f"the parameter{shown} has no default, and no resource has its name{self._place}",
            fix=f"add it: args: {{{name}: …}}"
            + ("" if shown else f", or define the resource '{name}' in platform.yaml, if one is meant"),
        )

    def _method(self, subject: str, location: Location) -> Problem:
        return Problem(
            CODE,
            f"{subject} calls '{self.reference}', which is a method",
            location,
            why=f"it is called on an object, and there is none{self._place}",
            fix="name a function, or put @staticmethod above the method and take 'self' out of it",
        )

    @property
    def _is_method(self) -> bool:
        """Whether it is a function in a class that takes an object of that first."""
        first = next(iter(inspect.signature(self.fn).parameters), "")
        return first == "self" and "." in getattr(self.fn, "__qualname__", "").rpartition("<locals>.")[2]

    @property
    def _place(self) -> str:
        location = self.source.location
        return f" ({location})" if location else ""
