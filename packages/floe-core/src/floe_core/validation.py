"""A document held against its model."""

from pydantic import ValidationError

from floe_core.validated_document import Spec, Validated, ValidatedDocument


def validate_document(document: ValidatedDocument[Spec]) -> Validated[Spec]:
    """Validate *document*, to the end also where it has mistakes."""
    value = document.interpolation.value
    try:
        return Validated(document.model.model_validate(value), value)
    except ValidationError:
        # What describes mistakes is imported where there are some: it is a part of what `--schema-only` takes.
        from floe_core.stand_ins import validate_with_stand_ins  # noqa: PLC0415

        return validate_with_stand_ins(document)
