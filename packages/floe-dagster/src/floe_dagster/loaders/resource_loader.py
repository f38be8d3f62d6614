"""`resources` of platform.yaml as Dagster resources."""

from collections.abc import Callable, Mapping

import dagster as dg

from floe_core.compiler.known_part import is_partly_unset
from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.schemas.platform_spec import ResourceProfile
from floe_core.source_map import SourceMap
from floe_dagster.secrets import read_secrets_in, secret_values_in, without_secrets
from floe_dagster.targets import load_callable
from floe_dagster.user_code.modules import describe_user_error


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
        raise LoadError(
            Problem(
                code="FLOE-373",
                what=f"resource '{key}' cannot be built from '{profile.target}'",
                location=location,
                detail=without_secrets(describe_user_error(error), secret_values_in(profile.args)),
                fix="give it the arguments that it takes, under `args`",
            )
        ) from None  # the error's own text may show a secret among the arguments
