"""A document and the model that it is held against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from pydantic import BaseModel

from floe_core.errors import Problem, YamlPath
from floe_core.interpolation import Interpolation
from floe_core.source_map import SourceMap

Families: TypeAlias = Mapping[YamlPath, str]
Spec = TypeVar("Spec", bound=BaseModel)


@dataclass(frozen=True)
class ValidatedDocument(Generic[Spec]):
    """What is validated: against which model, where it stands, and what its entries are called.

    `families` says what the entries below a path are, such as `("orchestration", "jobs")` → `job`; `title` is the
    document's own name.
    """

    model: type[Spec]
    interpolation: Interpolation
    source: SourceMap
    families: Families
    title: str
    other_documents: Mapping[str, Callable[[], type[BaseModel]]]


@dataclass(frozen=True)
class Validated(Generic[Spec]):
    """What is known of a document, and everything that is wrong with it.

    In `spec` an `Unset` stands in for each value that was refused or is missing; there is none where nothing is known.
    `values` is what it was made of.
    """

    spec: Spec | None
    values: object
    problems: tuple[Problem, ...] = ()
