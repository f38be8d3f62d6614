"""The models that a document is made of."""

import inspect
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Every model in *annotation* and in the fields of each."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in get_args(annotation):
        yield from models_in(argument)
