"""References to secrets: documents name them and never hold them."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag

from floe_core.interpolation import EnvText
from floe_core.names import DatabaseUri, SecretError, Text, VariableName
from floe_core.schemas.base import FloeModel, PlainValue


class SecretRef(FloeModel):
    """A secret that is read where it is used, from the environment or a file."""

    secret_ref: VariableName = Field(
        description="Environment variable that holds the secret, or file of that name in FLOE_SECRETS_DIR."
    )


def _refuse_plain(value: object) -> object:
    if isinstance(value, Mapping | BaseModel):
        return value
    if isinstance(value, EnvText):
        raise SecretError(
            "a secret is named and read only where it is used, so that it reaches no file and no log",
            fix="write {secret_ref: NAME} with the variable's name, in place of ${NAME}",
        )
    raise SecretError(
        "a secret never stands in a document",
        fix="put the value into an environment variable and write {secret_ref: NAME} with the variable's name",
    )


def _text_form(value: object) -> str:
    return "secret" if isinstance(value, Mapping | BaseModel) else "text"


def _read_references(value: object) -> object:
    if isinstance(value, Mapping):
        if set(value) == {"secret_ref"}:
            return SecretRef.model_validate(dict(value))
        return {key: _read_references(item) for key, item in value.items()}
    return [_read_references(item) for item in value] if isinstance(value, list) else value


Secret: TypeAlias = Annotated[SecretRef, BeforeValidator(_refuse_plain)]
TextOrSecret: TypeAlias = Annotated[
    Annotated[Text, Tag("text")] | Annotated[SecretRef, Tag("secret")], Discriminator(_text_form)
]
UriOrSecret: TypeAlias = Annotated[
    Annotated[DatabaseUri, Tag("text")] | Annotated[SecretRef, Tag("secret")], Discriminator(_text_form)
]
PlainOrSecret: TypeAlias = Annotated[PlainValue, BeforeValidator(_read_references)]
