"""Run config of floe.yaml checked against the assets that it configures, without building their jobs."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import dagster as dg
from dagster._config import ConfigType
from dagster._config.validate import validate_config

from floe_core.errors import Problem, YamlPath
from floe_core.source_map import SourceMap
from floe_core.suggestions import did_you_mean, list_names

SECTIONS = ("ops", "resources", "execution", "loggers")
_SCALARS = {"Int": "a whole number", "Float": "a number", "Bool": "true or false", "String": "a text"}
_CHECK_JOB = "run_config_check"


@dataclass(frozen=True)
class RunConfigPlace:
    """Whose run config it is, as messages say it (`job 'nightly'`), and where it stands.

    The config of one op stands there under `config_key`.
    """

    subject: str
    source: SourceMap
    path: YamlPath
    config_key: str = "config"


@dataclass(frozen=True)
class RunConfigSchema:
    """What a run may be configured with.

    Args:
        ops: The definitions whose ops a run config may name.
        resources: The resources of the definitions; without them nothing below `resources` is checked.
        executor: What runs the steps; without it nothing below `execution` is checked.
    """

    ops: Mapping[str, dg.AssetsDefinition] = field(default_factory=dict)
    resources: Mapping[str, object] | None = None
    executor: dg.ExecutorDefinition | None = None


def check_run_config(
    config: Mapping[str, object], *, schema: RunConfigSchema, place: RunConfigPlace
) -> Iterator[Problem]:
    """What Dagster would refuse in *config* when a run starts.

    What is required but not there is a problem only inside of what *config* configures: the rest may still come from
    the Launchpad or from a schedule.
    """
    for name in config:
        if name not in SECTIONS:
            yield _unknown_key(place, (name,), SECTIONS)
    ops = config.get("ops", {})
    if not isinstance(ops, Mapping):
        yield _problem(place, ("ops",), "is not a mapping", why="it maps the names of ops to their config")
        return
    for name in ops:
        if name not in schema.ops:
            yield _unknown_key(place, ("ops", name), sorted(schema.ops), family="op")
    checked = {name: part for name, part in config.items() if name in SECTIONS and _is_known(name, schema)}
    checked["ops"] = {name: part for name, part in ops.items() if name in schema.ops}
    if any(checked.values()):
        yield from _check_by_dagster(checked, schema, place)


def check_job_run_config(
    config: Mapping[str, object], *, job: dg.JobDefinition, place: RunConfigPlace
) -> Iterator[Problem]:
    """The same for a job that is built already."""
    try:
        dg.validate_run_config(job, dict(config))
    except dg.DagsterInvalidConfigError as error:
        for evaluation_error in error.errors:
            yield from _translate(evaluation_error, place)


def check_op_config(
    config: Mapping[str, object], *, config_type: ConfigType, place: RunConfigPlace
) -> Iterator[Problem]:
    """The same for the config of one op, whose type is *config_type*.

    What is required is a problem only inside of what *config* configures.
    """
    key = place.config_key
    result = validate_config({key: dg.Field(config_type, is_required=False)}, {key: config})
    for error in result.errors or ():
        yield from _translate(error, place)


def _is_known(section: str, schema: RunConfigSchema) -> bool:
    if section == "resources":
        return schema.resources is not None
    return section != "execution" or schema.executor is not None


def _check_by_dagster(
    config: Mapping[str, object], schema: RunConfigSchema, place: RunConfigPlace
) -> Iterator[Problem]:
    """Dagster's verdict on a job of the configured ops alone, which is built in a few milliseconds."""
    configured = [schema.ops[name] for name in cast("Mapping[str, object]", config["ops"])]
    needed = {key for definition in configured for key in definition.required_resource_keys}
    stubs = dict.fromkeys(needed, dg.mem_io_manager)  # takes the place of resources and of I/O managers alike
    job = dg.GraphDefinition(_CHECK_JOB, node_defs=[definition.node_def for definition in configured]).to_job(
        resource_defs={**stubs, **(schema.resources or {})}, executor_def=schema.executor
    )
    yield from check_job_run_config(config, job=job, place=place)


def _translate(error: object, place: RunConfigPlace) -> Iterator[Problem]:
    """One of Dagster's errors, at the line it is about and without the values that Dagster quotes."""
    path = tuple(_path_of(getattr(error, "stack", None)))
    data = getattr(error, "error_data", None)
    match getattr(getattr(error, "reason", None), "name", ""):
        case "FIELD_NOT_DEFINED" | "FIELDS_NOT_DEFINED":
            known = _expected_names(str(getattr(error, "message", "")))
            for name in _field_names(data):
                yield _unknown_key(place, (*path, name), known)
        case "MISSING_REQUIRED_FIELD" | "MISSING_REQUIRED_FIELDS":
            names = [name for name in _field_names(data) if name != "inputs"]
            if len(path) > 1 and names:
                lacking = list_names(f"'{name}'" for name in names)
                yield _problem(place, path, f"lacks {lacking}", why="it is required there", fix=f"add {lacking}")
        case "RUNTIME_TYPE_MISMATCH":
            expected = _expected_type(getattr(data, "config_type_snap", None))
            yield _problem(place, path, "has a value of the wrong type", why=f"{expected} is wanted there")
        case "FAILED_POST_PROCESSING":
            pass  # an environment variable, which the process of the run may have where this one has none
        case reason:
            yield _problem(place, path, "does not fit", why=f"Dagster calls it {reason.lower().replace('_', ' ')}")


def _field_names(data: object) -> list[str]:
    names = getattr(data, "field_names", None)
    return list(names) if names is not None else [getattr(data, "field_name", "")]


def _expected_names(message: str) -> list[str]:
    """The fields of the type that Dagster's message spells out as `Expected: "{ limit?: Int mode: { … } }"`."""
    names, depth = [], 0
    for piece in re.findall(r"[{}(\[]|[)\]]|\w+(?=\??: )", message.partition("Expected: ")[2]):
        depth += {**dict.fromkeys("{([", 1), **dict.fromkeys("})]", -1)}.get(piece, 0)
        if depth == 1 and piece not in "{}()[]":
            names.append(piece)
    return names


def _expected_type(config_type: object) -> str:
    key = str(next(iter(getattr(config_type, "type_param_keys", None) or ()), getattr(config_type, "key", "")))
    match getattr(getattr(config_type, "kind", None), "name", ""):
        case "SCALAR" | "SCALAR_UNION":
            return _SCALARS.get(key, key)
        case "ENUM":
            return f"one of {list_names(str(value.value) for value in getattr(config_type, 'enum_values', None) or ())}"
        case "ARRAY":
            return "a list"
        case "SELECTOR":
            return "a single value, or {env: NAME}"
        case _:
            return "a mapping"


def _path_of(stack: object) -> Iterator[str | int]:
    for entry in getattr(stack, "entries", ()):
        for attribute in ("field_name", "list_index", "map_key"):
            if hasattr(entry, attribute):
                yield getattr(entry, attribute)


def _unknown_key(place: RunConfigPlace, path: YamlPath, known: Collection[str], *, family: str = "key") -> Problem:
    name = str(path[-1])
    return Problem(
        "FLOE-353",
        f"run config of {place.subject} has {family} '{name}', which does not exist",
        place.source.locate(*place.path, *path, key=True),
        why=f"the {family}s there are {list_names(known)}" if known else "nothing can be configured there",
        fix=did_you_mean(name, known) or "delete it",
    )


def _problem(place: RunConfigPlace, path: YamlPath, what: str, *, why: str = "", fix: str = "") -> Problem:
    shown = ".".join(str(part) for part in path)
    return Problem(
        "FLOE-353",
        f"run config of {place.subject} {what} at {shown}" if shown else f"run config of {place.subject} {what}",
        place.source.locate(*place.path, *path),
        why=why,
        fix=fix,
    )
