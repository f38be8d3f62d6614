"""The arguments of one use of `@floe_asset`: read as far as they can be, and everything that is wrong with them."""

import functools
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._annotations import get_deprecated_params
from dagster._check import CheckError

from floe_core.errors import AssetModuleError, Problem, ProblemCollector
from floe_core.suggestions import did_you_mean
from floe_dagster.lakehouse.tables import check_table_name
from floe_dagster.user_code.function_source import FunctionSource

_CODE = "FLOE-307"
_LONGEST_SHOWN = 60


class DecoratorArguments:
    """Reads the arguments of the decorator above a function, and notes what cannot be used."""

    def __init__(self, source: FunctionSource) -> None:
        self._source = source
        self._problems = ProblemCollector()

    def raise_problems(self) -> None:
        """Raise everything that was noted.

        Raises:
            AssetModuleError: Something was.
        """
        self._problems.raise_if_any(AssetModuleError)

    def read_tables(self, argument: str, value: object, *, needs_namespace: bool) -> tuple[str, ...]:
        """The table names in *value*, which may be a single one, each once."""
        listed = self.read_list(argument, [value] if isinstance(value, str) else value, like="['bronze.orders']")
        for name in listed:
            if not isinstance(name, str):
                self._refuse_entry(argument, name)
                continue
            problem = check_table_name(name, needs_namespace=needs_namespace)
            if problem is not None:
                what = f"names '{name}' in {argument}, which is no table name"
                self._add(what, problem.why, problem.fix, f"'{name}'", f'"{name}"', f"{argument}=")
        return tuple(dict.fromkeys(name for name in listed if isinstance(name, str)))

    def read_list(self, argument: str, value: object, *, like: str) -> list[Any]:
        """The entries of *value*; *like* shows how a list is written."""
        if value is None:
            return []
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            fix = f"write {argument}={[value]}" if isinstance(value, str) else f"write {argument}={like}"
            self._add(f"has {argument}={_shown(value)}", "it takes a list", fix, f"{argument}=")
            return []
        return list(value)

    def check_known(self, arguments: Collection[str], *, own: Collection[str]) -> None:
        """Note the *arguments* that `dagster.asset` does not take; *own* are those that only `@floe_asset` takes."""
        for name in arguments:
            if name not in _dagsters_arguments():
                why = f"it takes {', '.join(own)} and what dagster.asset takes"
                fix = did_you_mean(name, [*own, *_dagsters_arguments()]) or "delete it"
                self._add(f"takes no argument '{name}'", why, fix, f"{name}=")

    def check_type(self, argument: str, value: object, *types: type) -> None:
        """Note that *value* is of none of the *types*, of which text or a mapping may be one; None is left out."""
        if value is not None and not isinstance(value, types):
            wanted = " or ".join("a text" if kind is str else "a mapping" for kind in types)
            self._add(f"has {argument}={_shown(value)}", f"it is {wanted}", f"write {wanted}", f"{argument}=")

    @contextmanager
    def told_by_dagster(self, arguments: Collection[str]) -> Iterator[None]:
        """Turn what Dagster refuses in the block into a problem of this decorator.

        Raises:
            AssetModuleError: Dagster refused something.
        """
        try:
            yield
        except (dg.DagsterError, CheckError) as error:
            reason = str(error)
            said = reason.lower().replace("_", " ")
            named = [f"{name}=" for name in arguments if name.removesuffix("s").replace("_", " ") in said]
            location = self._source.locate_decorator(*sorted(named, key=len, reverse=True), "floe_asset")
            what = f"Dagster makes no asset of function '{self._source.name}'"
            why, fix = "it refuses an argument of @floe_asset, or of the function itself", "correct what Dagster names"
            raise AssetModuleError(Problem(_CODE, what, location, why, fix, detail=reason)) from error

    def _refuse_entry(self, argument: str, entry: object) -> None:
        is_asset = isinstance(entry, dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset | dg.AssetKey)
        fix = "name its table here, or the asset in deps" if is_asset else "write a name such as 'bronze.orders'"
        self._add(f"has {_shown(entry)} in {argument}", "it is a list of table names", fix, f"{argument}=")

    def _add(self, what: str, why: str, fix: str, *texts: str) -> None:
        what = f"@floe_asset of function '{self._source.name}' {what}"
        location = self._source.locate_decorator(*texts, "floe_asset")
        self._problems.add(Problem(_CODE, what, location, why, fix))


@functools.cache
def _dagsters_arguments() -> tuple[str, ...]:
    named = [name for name, p in inspect.signature(dg.asset).parameters.items() if p.kind is p.KEYWORD_ONLY]
    return (*named, *get_deprecated_params(dg.asset))


def _shown(value: object) -> str:
    if isinstance(value, dg.AssetsDefinition):
        return "an asset"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
