"""`resources` of platform.yaml as Dagster resources."""

import inspect
from collections.abc import Callable, Iterator, Mapping

import dagster as dg
from pydantic import BaseModel

from floe_core.compiler.known_part import is_partly_unset
from floe_core.errors import LoadError, Problem, ProblemCollector, YamlPath
from floe_core.schemas.platform_spec import ResourceProfile
from floe_core.source_map import SourceMap
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.secrets import read_secrets_in, secret_values_in, without_secrets
from floe_dagster.targets import load_callable
from floe_dagster.user_code.modules import describe_user_error

_REFERENCE = "secret_ref"


def load_resources(resources: Mapping[str, ResourceProfile], *, source: SourceMap | None) -> dict[str, object]:
    """Build the resources that platform.yaml names, by key.

    Args:
        resources: `resources` of platform.yaml. A target is called with its `args`; what `@dagster.resource` made is
            configured with them.
        source: Where platform.yaml stands.

    Raises:
        LoadError: A target does not exist or refuses its arguments, or a secret is not set; all of them at once.
    """
    problems = ProblemCollector()
    built: dict[str, object] = {}
    for key, profile in resources.items():
        if is_partly_unset(profile):
            built[key] = dg.ResourceDefinition.none_resource()  # a stand-in: nothing runs on what is not known
            continue
        with problems.collecting():
            built[key] = _build_resource(key, profile, source)
    problems.raise_if_any(LoadError)
    return built


def _build_resource(key: str, profile: ResourceProfile, source: SourceMap | None) -> object:
    location = source.locate("resources", key, key=True) if source else None
    problems = ProblemCollector()
    target: Callable[..., object] = dict
    args: dict[str, object] = {}
    with problems.collecting():
        target = load_callable(profile.target, location=source.locate("resources", key, "target") if source else None)
    for name, value in profile.args.items():
        with problems.collecting():
            args[name] = read_secrets_in(
                value, location=source.locate("resources", key, "args", name) if source else None
            )
    problems.raise_if_any(LoadError)
    try:
        return target.configured(args) if isinstance(target, dg.ResourceDefinition) else target(**args)
    except Exception as error:  # noqa: BLE001 - the user's own class may raise anything
        path, why, fix = _misspelt(target, profile.args) or (
            (),
            "",
            "give it the arguments that it takes, under `args`",
        )
        if path and source is not None:
            location = source.locate("resources", key, "args", *path, key=True)
        raise LoadError(
            Problem(
                code="FLOE-373",
                what=f"resource '{key}' cannot be built from '{profile.target}'",
                location=location,
                detail=without_secrets(describe_user_error(error), secret_values_in(profile.args)),
                why=why,
                fix=fix,
            )
        ) from None  # the error's own text may show a secret among the arguments


def _misspelt(target: Callable[..., object], args: Mapping[str, object]) -> tuple[YamlPath, str, str] | None:
    """The first key of *args* that *target* does not know or that was meant for `secret_ref`; why, and what to do."""
    for path in _keys_like_secret_ref(args):
        return path, "a secret is named by {secret_ref: NAME}", f"did you mean '{_REFERENCE}'?"
    known = _arguments_of(target)
    for name in args:
        if known is not None and name not in known:
            fix = did_you_mean(name, [other for other in known if other not in args])
            return (name,), f"there is no argument '{name}'; it takes {list_names(known)}", fix or "delete it"
    return None


def _keys_like_secret_ref(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if path and len(value) == 1 and closest_names(str(key), [_REFERENCE]):
                yield (*path, key)
            yield from _keys_like_secret_ref(item, (*path, key))


def _arguments_of(target: Callable[..., object]) -> list[str] | None:
    """The names of the arguments that *target* takes; None where that may be any."""
    if isinstance(target, dg.ResourceDefinition):
        return None
    if inspect.isclass(target) and issubclass(target, BaseModel):
        fields = target.model_fields.items()
        return None if target.model_config.get("extra") == "allow" else [field.alias or name for name, field in fields]
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None  # of a class that is written in C, for one
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters]
