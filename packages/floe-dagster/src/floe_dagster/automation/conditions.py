"""Automation conditions of floe.yaml as Dagster has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import and_, or_
from typing import Any, Protocol, assert_never, cast

import dagster as dg
from dagster._core.definitions.partitions.utils import get_time_partitions_def
from dagster._record import copy
from dagster._utils.warnings import disable_dagster_warnings

from floe_core.automation.parser import parse_expression
from floe_core.automation.tree import And, Argument, Condition, Expression, Method, Not, Or, expressions_in
from floe_core.errors import LoadError, Location, Problem
from floe_core.schemas.asset_config import AutomationCondition, ConditionFunction
from floe_core.suggestions import did_you_mean, list_names
from floe_dagster.automation import presence
from floe_dagster.automation.functions import call_condition_function
from floe_dagster.automation.parts import is_same, name_of, parts_of, replace_part
from floe_dagster.automation.presence import AssetCondition

_MOST_PARTS = 1000
_FEWEST_PARTS = 2
_LISTED = 4
_NAME_ASSETS = ("allow", "ignore", "asset_matches")
_METHOD_NEEDS = {
    "without": "it takes a part away from conditions that are joined by '&'",
    "allow": "it says which upstreams or checks count, and this condition asks about none",
    "ignore": "it says which upstreams or checks do not count, and this condition asks about none",
    "resolve_through_virtual": "it is for conditions that ask about upstreams",
}
_OWN: Mapping[str, Callable[..., AssetCondition]] = {
    "eager": presence.eager,
    "on_missing": presence.on_missing,
    "on_cron": presence.on_cron,
    "any_deps_missing": presence.any_deps_missing,
    "all_deps_updated_since_cron": presence.all_deps_updated_since_cron,
}


class KnownAssets(Protocol):
    """What an expression may say of other assets."""

    def select(self, items: tuple[str, ...], location: Location) -> dg.AssetSelection:
        """The assets that selection items mean, external ones too."""

    def find(self, name: str, location: Location) -> dg.AssetKey:
        """The one asset of that key or name."""


def build_condition(
    setting: AutomationCondition,
    *,
    partitions_def: dg.PartitionsDefinition | None,
    location: Location,
    assets: KnownAssets | None = None,
) -> AssetCondition:
    """Build what *setting* says for an asset; equal settings of equal partitions may share what is built.

    Args:
        setting: An expression, or a function that returns a condition.
        partitions_def: The partitions of the asset, whose cron a bare `on_cron` takes.
        location: Where the setting stands.
        assets: All assets; not needed where the expression names none.

    Raises:
        LoadError: There is no cron to take, a method does not fit what it is called on, or the function returns
            something else.
        TargetError: The function does not exist, asks for arguments, or raises an error.
    """
    with disable_dagster_warnings():  # conditions that are in beta were chosen by name
        if isinstance(setting, ConditionFunction):
            return call_condition_function(setting, location=location)
        return _Builder(setting, partitions_def, location, assets).build(parse_expression(setting))


def names_assets(setting: AutomationCondition) -> bool:
    """Whether *setting* names other assets, so that it can only be built when all of them are known."""
    if isinstance(setting, ConditionFunction):
        return False
    parts = expressions_in(parse_expression(setting))
    return any(isinstance(part, Method | Condition) and part.name in _NAME_ASSETS for part in parts)


@dataclass(frozen=True)
class _Builder:
    text: str
    partitions_def: dg.PartitionsDefinition | None
    location: Location
    assets: KnownAssets | None

    def build(self, expression: Expression) -> AssetCondition:
        match expression:
            case Condition():
                return self.build_named(expression)
            case Method():
                return self.build_method(expression)
            case Not(operand):
                return ~self.build(operand)
            case And(operands):
                return reduce(and_, map(self.build, operands))
            case Or(operands):
                return reduce(or_, map(self.build, operands))
            case _:
                assert_never(expression)

    def build_named(self, condition: Condition) -> AssetCondition:
        if condition.name == "on_cron" and condition.is_word:
            return presence.on_cron(*self.own_cron(condition))
        build = _OWN.get(condition.name) or getattr(dg.AutomationCondition, condition.name)
        return cast("AssetCondition", build(**self.arguments(condition.arguments)))

    def arguments(self, arguments: tuple[Argument, ...]) -> dict[str, Any]:
        return {argument.parameter: self.value(argument) for argument in arguments}

    def value(self, argument: Argument) -> object:
        match argument:
            case Argument("selection", tuple() as items):
                location = self.location.within(self.text, offset=argument.offset)
                return self.known_assets().select(cast("tuple[str, ...]", items), location)
            case Argument("tag_keys", tuple() as keys):
                return frozenset(keys)
            case Argument("tag_values", tuple() as pairs):
                return dict(cast("tuple[tuple[str, str], ...]", pairs))
            case Argument("key", str() as name):
                return self.known_assets().find(name, self.location.within(self.text, offset=argument.offset))
            case Argument(value=value) if isinstance(value, Expression):
                return self.build(value)
            case _:
                return argument.value

    def known_assets(self) -> KnownAssets:
        assert self.assets is not None, "names mean nothing before all assets are known"
        return self.assets

    def own_cron(self, condition: Condition) -> tuple[str, str]:
        window = get_time_partitions_def(self.partitions_def)
        if window is None:
            raise self.refused(
                "has no cron to take",
                offset=condition.offset,
                why="'on_cron' alone means the cron of the asset's time window, and the asset has "
                + ("no partitions" if self.partitions_def is None else "partitions without one"),
                fix="write 'on_cron('0 6 * * *')', or set 'partitions' to a time window",
            )
        return window.cron_schedule, window.timezone

    def build_method(self, method: Method) -> AssetCondition:
        condition = self.build(method.operand)
        if not hasattr(condition, method.name):
            raise self.refused(
                f"calls '{method.name}' on '{name_of(condition)}'",
                offset=method.offset,
                why=_METHOD_NEEDS.get(method.name, "that condition has no such method"),
                fix="call it on another part, or delete it",
            )
        arguments = self.arguments(method.arguments)
        if method.name == "without":
            return self.without(condition, method, **arguments)
        if method.name == "replace":
            return self.replace(condition, method, **arguments)
        return cast("AssetCondition", getattr(condition, method.name)(**arguments))

    def without(self, whole: AssetCondition, method: Method, condition: AssetCondition) -> AssetCondition:
        rest = [part for part in whole.children if not is_same(part, condition)]
        if len(rest) == len(whole.children):
            raise self.refused(
                f"takes away '{name_of(condition)}', which it lacks",
                offset=method.offset,
                why=f"the parts of '{name_of(whole)}' are {list_names(map(name_of, whole.children), limit=_LISTED)}",
                fix="name one of these",
            )
        if len(rest) < _FEWEST_PARTS:
            raise self.refused(
                f"leaves less than {_FEWEST_PARTS} parts",
                offset=method.offset,
                why="what is joined by '&' has at least that many",
                fix="write the part that is left alone",
            )
        return copy(whole, operands=rest)

    def replace(
        self, whole: AssetCondition, method: Method, old: AssetCondition | str, new: AssetCondition
    ) -> AssetCondition:
        parts = list(parts_of(whole))
        if not any(is_same(part, old) for part in parts):
            names = [name for name in dict.fromkeys(map(name_of, parts)) if name.isidentifier()]
            shown = old if isinstance(old, str) else name_of(old)
            raise self.refused(
                f"replaces '{shown}', which it lacks",
                offset=method.offset,
                why=f"the parts of '{name_of(whole)}' are {list_names(names, limit=_LISTED)}",
                fix=did_you_mean(shown, names) or "name one of these",
            )
        replaced = replace_part(whole, old, new)
        if len(list(islice(parts_of(replaced), _MOST_PARTS))) == _MOST_PARTS:
            raise self.refused(f"grows to more than {_MOST_PARTS} parts", offset=method.offset, fix="replace less")
        return replaced

    def refused(self, message: str, *, offset: int, why: str = "", fix: str = "") -> LoadError:
        is_written_so = self.text in (self.location.source_line or "")
        what = f"automation condition '{self.text}'" if is_written_so else "automation condition"
        return LoadError(
            Problem("FLOE-347", f"{what} {message}", self.location.within(self.text, offset=offset), why=why, fix=fix)
        )
