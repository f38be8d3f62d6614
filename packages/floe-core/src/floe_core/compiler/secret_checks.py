"""Whether the secrets that platform.yaml names are there, without reading them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from floe_core.documents import PlatformDocument
from floe_core.errors import Problem, Severity, YamlPath
from floe_core.interpolation import Unset, is_unset
from floe_core.schemas.compute_profile import DuckDBCompute
from floe_core.schemas.floe_spec import FloeSpec
from floe_core.schemas.platform_spec import PlatformSpec
from floe_core.schemas.secrets import SecretRef

SECRETS_DIR_VARIABLE = "FLOE_SECRETS_DIR"

_PICKED = {"storage": "storage", "catalogs": "catalog", "compute": "compute"}
_READ_WHEN_LOADING = ("resources", "execution")


def check_secrets(
    spec: FloeSpec, platform: PlatformDocument, *, environ: Mapping[str, str], severity: Severity
) -> Iterator[Problem]:
    """The secrets that are not set, but for those of profiles that *spec* does not pick; each once."""
    if platform.source is None:
        return
    folder = environ.get(SECRETS_DIR_VARIABLE)
    told: set[str] = set()
    for path, name in _secrets_in(platform.spec):
        if path[0] in _PICKED and path[1] != getattr(spec, _PICKED[str(path[0])]):
            continue
        if name in told or is_set(name, environ=environ):
            continue
        told.add(name)
        yield Problem(
            "FLOE-372",
            f"the secret '{name}' is not set",
            platform.source.locate(*_as_written(path, platform), "secret_ref"),
            why=f"there is neither an environment variable {name} nor "
            + (f"a file of that name in {SECRETS_DIR_VARIABLE}" if folder else f"a folder in {SECRETS_DIR_VARIABLE}"),
            fix=f"set {name}, or put the secret into a file {name} in the folder that {SECRETS_DIR_VARIABLE} names",
            severity=severity,
        )


def is_set(name: str, *, environ: Mapping[str, str]) -> bool:
    """Whether there is a secret of that name: an environment variable, or a file in FLOE_SECRETS_DIR."""
    folder = environ.get(SECRETS_DIR_VARIABLE)
    return name in environ or bool(folder and Path(folder, name).is_file())


def missing_when_loading(platform: PlatformSpec, *, environ: Mapping[str, str]) -> list[str]:
    """The secrets that are not set and that definitions cannot be loaded without."""
    sections = (_secrets_in(getattr(platform, section)) for section in _READ_WHEN_LOADING)
    names = (name for section in sections for _, name in section if not is_set(name, environ=environ))
    return list(dict.fromkeys(names))


def without_missing_secrets(platform: PlatformSpec, *, environ: Mapping[str, str]) -> PlatformSpec:
    """*platform*, with what is not known in place of the secrets that are not set and are read when loading."""
    changed = {name: _without_missing(getattr(platform, name), environ) for name in _READ_WHEN_LOADING}
    return platform.model_copy(update=changed)


def _as_written(path: YamlPath, platform: PlatformDocument) -> YamlPath:
    """*path*, with the word of dbt's for a field of a compute profile where that is what stands there."""
    if platform.source is None or path in platform.source or path[0] != "compute":
        return path
    *above, field = path
    profile = platform.spec.compute[str(path[1])]
    word = None if isinstance(profile, DuckDBCompute) else profile.other_word(str(field))
    return path if word is None else (*above, word)


def _without_missing(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, SecretRef):
        return (
            value
            if is_unset(value.secret_ref) or is_set(value.secret_ref, environ=environ)
            else Unset(value.secret_ref)
        )
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _without_missing(item, environ) for name, item in value})
    if isinstance(value, Mapping):
        return {key: _without_missing(item, environ) for key, item in value.items()}
    return [_without_missing(item, environ) for item in value] if isinstance(value, list | tuple) else value


def _secrets_in(value: object, path: YamlPath = ()) -> Iterator[tuple[YamlPath, str]]:
    """Where secrets are named, in the order of the document's sections, each with its name."""
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, SecretRef):
        if not is_unset(value.secret_ref):
            yield path, value.secret_ref
    elif isinstance(value, BaseModel):
        fields = type(value).model_fields
        items = (
            (fields[name].alias or name, getattr(value, name)) for name in fields if name in value.model_fields_set
        )
    elif isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    for key, item in items:
        yield from _secrets_in(item, (*path, key))
