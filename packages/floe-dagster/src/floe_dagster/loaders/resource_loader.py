"""`resources` of platform.yaml as Dagster resources."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import dagster as dg

from floe_core.compiler.known_part import is_partly_unset
from floe_core.errors import LoadError, Problem, ProblemCollector
from floe_core.interpolation import is_unset
from floe_core.schemas.platform_spec import ResourceProfile
from floe_core.source_map import SourceMap
from floe_dagster.secrets import read_secrets_in, secret_values_in, without_secrets
from floe_dagster.targets import load_callable
from floe_dagster.user_code.modules import describe_user_error
from floe_dagster.user_code.resource_arguments import (
    WrongArgument,
    find_wrong_arguments,
    find_wrong_config,
    find_wrong_known,
)

STAND_IN = dg.mem_io_manager
"""In the place of a resource that is not known, which may be an I/O manager: nothing runs on it."""

_IO_MANAGER = "io_manager"
_IO_MANAGERS = (dg.IOManager, dg.IOManagerDefinition, dg.ConfigurableIOManagerFactory)
_GIVE_ARGUMENTS = "give it the arguments that it takes, under `args`"


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
        with problems.collecting():
            built[key] = _build_resource(key, profile, source)
            if key == _IO_MANAGER and not isinstance(built[key], _IO_MANAGERS):
                raise LoadError(_no_io_manager(profile, source))
    problems.raise_if_any(LoadError)
    return built


def check_built_in_keys(
    resources: Mapping[str, ResourceProfile], *, built_in: Iterable[str], source: SourceMap | None
) -> Iterator[Problem]:
    """Warnings for resources of platform.yaml that nothing asks for, since floe's own have their keys."""
    for key in built_in:
        if key in resources:
            yield Problem(
                "FLOE-373",
                f"resource '{key}' is not used: floe's own has that key",
                source.locate("resources", key, key=True) if source else None,
                why="what asks for a resource of a built-in key is given the built-in one",
                fix="give it another key; a test passes its own as "
                f"FloeDefinitions.from_compiled_artifacts(resources={{'{key}': …}})",
                severity="warning",
            )


def _build_resource(key: str, profile: ResourceProfile, source: SourceMap | None) -> object:
    problems = ProblemCollector()
    if is_unset(profile) or is_unset(profile.target) or is_unset(profile.args):
        return STAND_IN
    target: Callable[..., object] = dict
    args: dict[str, object] = {}
    secrets: list[str] = []
    refused = partial(_refused, key, profile, source=source, secrets=secrets)
    with problems.collecting():
        target = load_callable(profile.target, location=source.locate("resources", key, "target") if source else None)
    for name, value in profile.args.items():
        if is_partly_unset(value):
            continue
        with problems.collecting():
            args[name] = read_secrets_in(
                value, location=source.locate("resources", key, "args", name) if source else None
            )
    unknown = profile.args.keys() - args.keys()
    secrets += secret_values_in({name: value for name, value in profile.args.items() if name in args})
    if unknown and target is not dict:
        problems.extend(refused(wrong) for wrong in find_wrong_known(target, args, unknown=unknown))
    problems.raise_if_any(LoadError)
    if unknown:
        return STAND_IN
    if isinstance(target, dg.ResourceDefinition):
        problems.extend(refused(wrong) for wrong in find_wrong_config(target, args))
        problems.raise_if_any(LoadError)
        return target.configured(args)
    try:
        return target(**args)
    except Exception as error:  # noqa: BLE001 - the user's own class may raise anything
        detail = describe_user_error(error)
        found = find_wrong_arguments(target, profile.args, error) or [WrongArgument((), "", _GIVE_ARGUMENTS)]
        # The error's own text may show a secret among the arguments, and so it is not what this one is raised from.
        raise LoadError(*(refused(wrong, detail="" if wrong.says_all else detail) for wrong in found)) from None


def _refused(
    key: str,
    profile: ResourceProfile,
    wrong: WrongArgument,
    *,
    source: SourceMap | None,
    secrets: list[str],
    detail: str = "",
) -> Problem:
    location = source.locate("resources", key, "args", *wrong.path, key=True) if source else None
    if source is not None and not wrong.path:
        location = source.locate("resources", key, key=True)
    return Problem(
        "FLOE-373",
        f"resource '{key}' cannot be built from '{profile.target}'",
        location,
        detail=without_secrets(detail, secrets),
        why=without_secrets(wrong.why, secrets),
        fix=without_secrets(wrong.fix, secrets),
    )


def _no_io_manager(profile: ResourceProfile, source: SourceMap | None) -> Problem:
    return Problem(
        "FLOE-373",
        f"resource '{_IO_MANAGER}' is built from '{profile.target}', which makes no I/O manager",
        source.locate("resources", _IO_MANAGER, "target") if source else None,
        why="Dagster hands it what every asset and op returns that names no other I/O manager",
        fix="derive the class from dagster.ConfigurableIOManager or dagster.IOManager, or give it another key",
    )
