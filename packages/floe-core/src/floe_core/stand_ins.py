"""A document with mistakes, held against its model to the end: what is refused is left out and hides nothing else."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from floe_core.errors import Problem, YamlPath
from floe_core.validated_document import Spec, Validated, ValidatedDocument
from floe_core.validation_pass import ABSENT, unknown
from floe_core.validation_problems import Described, ErrorDescriber


def validate_with_stand_ins(document: ValidatedDocument[Spec]) -> Validated[Spec]:
    """Validate *document* as often as it takes to find everything that is wrong with it.

    Validating once does not: pydantic checks no model as a whole in which a field is wrong, and a rule tells of the
    first value that breaks it.
    """
    describer = ErrorDescriber(document)
    stand_ins: dict[YamlPath, object] = {}
    problems: list[Problem] = []
    spec: Spec | None = None
    value = document.interpolation.value
    while spec is None and () not in stand_ins:
        try:
            spec = document.model.model_validate(value)
        except ValidationError as error:
            described = describer.describe(error, value)
            new = [mistake for mistake in described if not mistake.stand_ins.keys() <= stand_ins.keys()]
            problems += [mistake.problem for mistake in new if mistake.problem is not None]
            stand_ins |= dict(_stand_ins_of(new) if new else _wider_stand_ins(described))
            value = _with_stand_ins(document.interpolation.value, stand_ins, ())
    return Validated(spec, value, describer.without_secrets(problems))


def _stand_ins_of(described: list[Described]) -> Iterator[tuple[YamlPath, object]]:
    for mistake in described:
        yield from mistake.stand_ins.items()


def _wider_stand_ins(described: list[Described]) -> Iterator[tuple[YamlPath, object]]:
    """What stands in for more than before, since the mistakes stayed."""
    for mistake in described:
        for path in mistake.stand_ins or {(): ABSENT}:
            yield path[:-1], unknown(path[:-1])


def _with_stand_ins(value: object, stand_ins: Mapping[YamlPath, object], path: YamlPath) -> object:
    """*value*, which stands at *path*, with the stand-ins at and below it."""
    if path in stand_ins:
        return stand_ins[path]
    if isinstance(value, dict):
        added = [where[-1] for where in stand_ins if where[:-1] == path and where[-1] not in value]
        items = {key: _with_stand_ins(value.get(key), stand_ins, (*path, key)) for key in (*value, *added)}
        return {key: item for key, item in items.items() if item is not ABSENT}
    if isinstance(value, list):
        return [_with_stand_ins(item, stand_ins, (*path, index)) for index, item in enumerate(value)]
    return value
