"""References to secrets: documents name them and never hold them."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag

from floe_core.errors import YamlPath
from floe_core.interpolation import EnvText, Unset
from floe_core.names.addresses import DatabaseUri, Host
from floe_core.names.identifiers import VariableName, check_variable_name
from floe_core.names.rules import RuleError, SecretError
from floe_core.names.scalars import Text
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


def _read_all_references(value: object) -> object:
    return _read_references(value, ())


def _read_references(value: object, path: YamlPath) -> object:
    if isinstance(value, Mapping):
        if "secret_ref" in value:
            return _read_reference(value, path)
        return {key: _read_references(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_read_references(item, (*path, index)) for index, item in enumerate(value)]
    return value


def _read_reference(value: Mapping[str, object], path: YamlPath) -> object:
    name = value["secret_ref"]
    if len(value) > 1:
        raise RuleError("a reference to a secret has no other keys", fix="delete the others", at=path)
    if isinstance(name, Unset):
        return name
    try:
        return SecretRef(secret_ref=check_variable_name(str(name)))
    except RuleError as error:
        raise SecretError(str(error), fix=error.fix, at=(*path, "secret_ref")) from error


Secret: TypeAlias = Annotated[SecretRef, BeforeValidator(_refuse_plain)]
TextOrSecret: TypeAlias = Annotated[
    Annotated[Text, Tag("text")] | Annotated[SecretRef, Tag("secret")], Discriminator(_text_form)
]
HostOrSecret: TypeAlias = Annotated[
    Annotated[Host, Tag("text")] | Annotated[SecretRef, Tag("secret")], Discriminator(_text_form)
]
UriOrSecret: TypeAlias = Annotated[
    Annotated[DatabaseUri, Tag("text")] | Annotated[SecretRef, Tag("secret")], Discriminator(_text_form)
]
PlainOrSecret: TypeAlias = Annotated[PlainValue, BeforeValidator(_read_all_references)]
