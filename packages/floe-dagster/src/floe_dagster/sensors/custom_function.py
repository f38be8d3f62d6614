"""The function of a custom sensor: what it names, and whether it takes its arguments."""

from collections.abc import Collection, Mapping

from floe_core.errors import LoadError, Location, Problem, ProblemCollector, TargetError, YamlPath
from floe_core.source_map import SourceMap
from floe_dagster.launching.called_function import kind_of_object
from floe_dagster.launching.launchable import check_asked_resources
from floe_dagster.targets import load_callable, load_target
from floe_dagster.user_code.arguments import FunctionArguments


def load_custom_function(
    reference: str,
    *,
    args: Mapping[str, object],
    subject: str,
    source: SourceMap,
    path: YamlPath,
    resources: Collection[str] | None,
) -> FunctionArguments:
    """The function that *reference* names; nothing of it runs.

    Args:
        reference: `package.module.function`.
        args: Its arguments.
        subject: The sensor, as messages say it.
        source: The document.
        path: Where the sensor stands in it.
        resources: Keys of all resources; None where they are not known.

    Raises:
        LoadError: There is no such function, it does not take the arguments, or asks for resources that do not
            exist.
    """
    location = source.locate(*path, "target_function")
    fn = load_target(reference, location=location)
    kind = kind_of_object(fn)
    if kind is not None:
        raise TargetError(_no_function(subject, reference, kind, location))
    fn = load_callable(reference, location=location)
    function = FunctionArguments.of(reference, fn, given=args, resources=resources)
    problems = ProblemCollector(function.check(args, subject=subject, source=source, path=(*path, "args")))
    asked = function.parameters.resource_keys
    problems.extend(check_asked_resources(asked, who=f"'{reference}'", resources=resources, location=location, fn=fn))
    problems.raise_if_any(LoadError)
    return function


def _no_function(subject: str, reference: str, kind: str, location: Location) -> Problem:
    module = reference.rpartition(".")[0]
    is_loaded = kind in ("a sensor of its own", "a schedule")
    return Problem(
        "FLOE-312",
        f"{subject} calls '{reference}', which is {kind}",
        location,
        why="the function takes the tick's context, its args and resources, and returns what to launch",
        fix=f"list '{module}' under orchestration.asset_modules, where it is loaded as it is, and delete this sensor"
        if is_loaded
        else "name a plain function",
    )
