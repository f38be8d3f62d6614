"""A document held against its model."""

import re
from collections.abc import Iterator
from dataclasses import replace

from pydantic import ValidationError

from floe_core.errors import Problem, YamlPath, format_yaml_path
from floe_core.validated_document import Spec, Validated, ValidatedDocument

_OF_A_KEY = re.compile(" cannot (be named|have a key) ")


def validate_document(document: ValidatedDocument[Spec]) -> Validated[Spec]:
    """Validate *document*, to the end also where it has mistakes."""
    value = document.interpolation.value
    try:
        validated = Validated(document.model.model_validate(value), value)
    except ValidationError:
        # What describes mistakes is imported where there are some: it is a part of what `--schema-only` takes.
        from floe_core.stand_ins import validate_with_stand_ins  # noqa: PLC0415

        validated = validate_with_stand_ins(document)
    left_out = tuple(_problems_left_out(document)) if document.interpolation.left_out else ()
    return replace(validated, problems=(*validated.problems, *left_out))


def _problems_left_out(document: ValidatedDocument[Spec]) -> Iterator[Problem]:
    """What is wrong below keys with an expression, which the document is validated without."""
    from floe_core.stand_ins import validate_with_stand_ins  # noqa: PLC0415 - see `validate_document`

    interpolation = document.interpolation
    value, raw = interpolation.value, dict(interpolation.raw)
    for path, left_out in reversed(tuple(interpolation.left_out.items())):
        value = _with(value, path, left_out.value)
        raw |= left_out.raw
    whole = replace(document, interpolation=replace(interpolation, value=value, raw=raw))
    places = tuple(map(format_yaml_path, interpolation.left_out))
    for problem in validate_with_stand_ins(whole).problems:
        place = (problem.location and problem.location.yaml_path) or ""
        if place in places:
            is_known = problem.code == "FLOE-120" or _OF_A_KEY.search(problem.what) is not None
        else:
            is_known = not any(place.startswith((f"{other}.", f"{other}[")) for other in places)
        if not is_known:
            yield problem


def _with(tree: object, path: YamlPath, value: object) -> object:
    """*tree* with *value* at *path*."""
    if not path:
        return value
    first, *rest = path
    if isinstance(tree, list):
        return [_with(item, tuple(rest), value) if index == first else item for index, item in enumerate(tree)]
    assert isinstance(tree, dict)
    return {**tree, first: _with(tree.get(first), tuple(rest), value)}
