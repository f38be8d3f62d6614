"""The parts of an automation condition: which there are, which are the same, and others in their place.

Dagster 1.13 compares conditions by their fields and not by what they are: to it `missing()` equals `newly_updated()`,
and its own `replace` and `without` change more than they are asked to.
"""

from collections.abc import Iterator

from dagster._record import as_dict, copy
from dagster._serdes import serialize_value

from floe_dagster.automation.presence import AssetCondition

_HOLD_ONE = {"operand", "trigger_condition", "reset_condition"}
_HOLD_SEVERAL = {"operands"}


def is_same(condition: AssetCondition, other: AssetCondition | str) -> bool:
    """Whether *condition* says the same as *other*, or has that name or label."""
    if isinstance(other, str):
        return other in (condition.name, condition.get_label())
    return type(condition) is type(other) and stored(condition) == stored(other)


def stored(condition: AssetCondition) -> str:
    """What Dagster stores of *condition*: equal for equal ones, and only for them."""
    return serialize_value(condition)  # type: ignore[arg-type]  # Dagster's conditions are made to be stored


def parts_of(condition: AssetCondition) -> Iterator[AssetCondition]:
    """*condition* and everything inside of it."""
    waiting = [condition]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(found.children)


def replace_part(condition: AssetCondition, old: AssetCondition | str, new: AssetCondition) -> AssetCondition:
    """*condition* with *new* wherever it has *old*."""
    if is_same(condition, old):
        return new
    fields = as_dict(condition)
    changed = {name: replace_part(fields[name], old, new) for name in _HOLD_ONE if name in fields}
    several = {name: [replace_part(part, old, new) for part in fields[name]] for name in _HOLD_SEVERAL & set(fields)}
    return copy(condition, **changed, **several)


def name_of(condition: AssetCondition) -> str:
    """The condition in the words of an expression, as far as it has a name."""
    label = condition.get_label()
    if label is not None:
        return label
    match condition.name, condition.children:
        case "NOT", [operand]:
            return f"~{name_of(operand)}"
        case "SINCE", [trigger, _]:
            return f"{name_of(trigger)}.since(…)"
        case "NEWLY_TRUE", [operand]:
            return f"{name_of(operand)}.newly_true()"
        case ("AND" | "OR") as name, operands:
            return f"({(' & ' if name == 'AND' else ' | ').join(map(name_of, operands))})"
        case _:
            return condition.name.lower()
