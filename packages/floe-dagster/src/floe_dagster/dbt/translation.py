"""A manifest → what dagster-dbt makes of it, as specs and as plain data. Imports dagster-dbt and dbt."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import Any, cast

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from dagster_dbt.asset_utils import DUPLICATE_ASSET_KEY_ERROR_MESSAGE, build_dbt_specs, get_upstream_unique_ids
from dagster_dbt.utils import select_unique_ids
from dagster_shared.check import CheckError
from dagster_shared.serdes import serialize_value
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager
from dbt_common.exceptions import DbtBaseException

from floe_core.errors import CompileError, Location, Problem, ProblemCollector
from floe_core.schemas.orchestration_config import DbtConfig
from floe_core.source_map import SourceMap
from floe_dagster.dbt.index import DbtCheck, DbtDep, DbtNode, DbtSource, DbtTest, KeyPath, RelationNames
from floe_dagster.dbt.microbatch import MICROBATCH
from floe_dagster.dbt.model_assets import EVERYTHING
from floe_dagster.dbt.node_vars import NodeVars
from floe_dagster.dbt.project import locate_setting
from floe_dagster.dbt.step_selection import SelectableNodes
from floe_dagster.dbt.translator import FloeDbtTranslator, build_translator, custom_schema, find_clashing_sources
from floe_dagster.user_code.modules import describe_user_error

_KIND_TAG = "dagster/kind/"
_SELECTION = {"select": EVERYTHING, "exclude": "", "selector": ""}
_NO_NAMES = RelationNames("", "", "")


@dataclass(frozen=True)
class Translation:
    """What dagster-dbt makes of a manifest; assets and checks in the order of their unique ids."""

    manifest: Mapping[str, Any]
    translator: FloeDbtTranslator
    project: DbtProject | None
    specs: Sequence[dg.AssetSpec]
    checks: Sequence[dg.AssetCheckSpec]


def check_selection(
    manifest: Mapping[str, Any], dbt: DbtConfig, *, project_dir: Path | None, source: SourceMap | None = None
) -> Iterator[Problem]:
    """What dbt does not understand of its selection in *dbt*: `select`, `exclude` and `selector` each by itself."""
    project = DbtProject(project_dir) if project_dir is not None else None
    written = _selection(dbt)
    with _quiet_dbt():
        if written == _SELECTION or not _refusal(written, manifest, project):
            return
        for name, text in written.items():
            if text != _SELECTION[name] and (refusal := _refusal({**_SELECTION, name: text}, manifest, project)):
                location = locate_setting(source, name)
                yield Problem("FLOE-329", "dbt does not understand the selection", location, detail=refusal)


def translate(
    manifest: Mapping[str, Any],
    dbt: DbtConfig,
    *,
    project_dir: Path | None,
    user_class: type[DagsterDbtTranslator] | None = None,
    source: SourceMap | None = None,
) -> Translation:
    """Let dagster-dbt translate what the project's settings select.

    Args:
        manifest: As JSON.
        dbt: With dbt's selection.
        project_dir: Folder of dbt_project.yml; None where there is only a manifest.
        user_class: The user's translator.
        source: Where floe.yaml stands, for the errors.

    Raises:
        CompileError: The selection is not understood or selects nothing; dagster-dbt refuses what it selects, as two
            models with one key; the user's translator raises.
    """
    ProblemCollector(check_selection(manifest, dbt, project_dir=project_dir, source=source)).raise_if_any(CompileError)
    plain = build_translator(user_class, source_keys={}, refers_to_code=False)
    project = DbtProject(project_dir) if project_dir is not None else None
    selection = _selection(dbt)
    with _quiet_dbt():
        try:
            source_keys = find_clashing_sources(manifest, plain)
            translator = build_translator(user_class, source_keys=source_keys, refers_to_code=project is not None)
            specs, checks = build_dbt_specs(
                translator=translator, manifest=manifest, io_manager_key=None, project=project, **selection
            )
        except (dg.DagsterError, CheckError) as error:
            raise CompileError(_refused_by_dagster_dbt(error, locate_setting(source))) from None
        except Exception as error:  # the user's translator may raise anything; without one it goes on up
            if user_class is None:
                raise
            raise CompileError(
                _raised_by_translator(user_class, error, locate_setting(source, "translator"))
            ) from error
    if not specs:
        raise CompileError(_selects_nothing(dbt, _locate_selection(dbt, source)))
    return Translation(
        manifest=manifest,
        translator=translator,
        project=project,
        specs=sorted(specs, key=_unique_id),
        checks=sorted(checks, key=_unique_id),
    )


def _selection(dbt: DbtConfig) -> dict[str, str]:
    given = {"select": " ".join(dbt.select), "exclude": " ".join(dbt.exclude), "selector": dbt.selector or ""}
    return {name: text or _SELECTION[name] for name, text in given.items()}


def _refusal(selection: Mapping[str, str], manifest: Mapping[str, Any], project: DbtProject | None) -> str:
    """What dbt says against *selection*; nothing where it understands it."""
    try:
        select_unique_ids(**selection, project=project, manifest_json=manifest)
    except (DbtBaseException, ValueError) as error:
        return str(error).strip()
    return ""


@contextmanager
def _quiet_dbt() -> Iterator[None]:
    """Let dbt print nothing: what it would say of a selection, an error says."""
    before = get_event_manager()
    ctx_set_event_manager(EventManager())
    try:
        yield
    finally:
        ctx_set_event_manager(before)


def _locate_selection(dbt: DbtConfig, source: SourceMap | None) -> Location | None:
    named = next((name for name in ("selector", "select", "exclude") if getattr(dbt, name)), None)
    return locate_setting(source, *([named] if named else []))


def _selects_nothing(dbt: DbtConfig, location: Location | None) -> Problem:
    narrowed = dbt.select or dbt.exclude or dbt.selector
    return Problem(
        code="FLOE-329",
        what="the dbt selection selects no model, seed or snapshot" if narrowed else "the dbt project has no models",
        location=location,
        why="disabled and ephemeral models are not assets",
        fix="`dbt list` with the same selection shows what it selects" if narrowed else "",
    )


def _refused_by_dagster_dbt(error: Exception, location: Location | None) -> Problem:
    said = str(error).removeprefix(DUPLICATE_ASSET_KEY_ERROR_MESSAGE).strip()
    return Problem(
        code="FLOE-322",
        what="dagster-dbt cannot make assets of the dbt project",
        location=location,
        detail="\n".join(line for line in said.splitlines() if line.strip()),
        fix="correct `meta.dagster` of what is named, or give it another name or schema in dbt",
    )


def _raised_by_translator(
    user_class: type[DagsterDbtTranslator], error: Exception, location: Location | None
) -> Problem:
    return Problem(
        code="FLOE-313",
        what=f"the dbt translator {user_class.__qualname__} raises {type(error).__name__}",
        location=location,
        detail=describe_user_error(error),
    )


class IndexWriter:
    """A translation as plain data, with the names of the profile blanked out."""

    def __init__(self, translation: Translation, names: RelationNames | None) -> None:
        self._translation = translation
        self._manifest = translation.manifest
        self._names = names or _NO_NAMES
        self._source_ids: set[str] = set()
        self._vars = NodeVars(translation.manifest)
        self.details: dict[str, dict[str, object]] = {}
        self.nodes = tuple(map(self._node, translation.specs))
        self.checks = tuple(map(self._check, translation.checks))
        self.sources = tuple(map(self._source, sorted(self._source_ids)))
        self.tests = tuple(starmap(self._test, SelectableNodes(self._manifest).tests_of_several()))

    def _node(self, spec: dg.AssetSpec) -> DbtNode:
        unique_id = _unique_id(spec)
        props = self._manifest["nodes"][unique_id]
        return DbtNode(
            **self._relation(unique_id, props, spec, alias=props["alias"]),
            resource_type=props["resource_type"],
            fqn=".".join(props["fqn"]),
            materialized=props["config"].get("materialized"),
            custom_schema=custom_schema(props),
            deps=tuple(self._deps(get_upstream_unique_ids(self._manifest, props))),
            automation_condition=_serialized(spec.automation_condition),
            vars=self._vars.of(props),
            batch_size=_batch_size(props["config"]),
        )

    def _source(self, unique_id: str) -> DbtSource:
        props = self._manifest["sources"][unique_id]
        spec = self._spec_of(unique_id)
        meta = props.get("config", {}).get("meta") or props.get("meta") or {}
        return DbtSource(
            **self._relation(unique_id, props, spec, alias=props.get("identifier") or props["name"]),
            has_own_key=bool(meta.get("dagster", {}).get("asset_key")),
        )

    def _check(self, check: dg.AssetCheckSpec) -> DbtCheck:
        unique_id = _unique_id(check)
        others = {dep.asset_key for dep in check.additional_deps}
        upstream = self._manifest["parent_map"].get(unique_id, [])
        return DbtCheck(
            unique_id=unique_id,
            name=check.name,
            key=_path(check.asset_key),
            description=check.description,
            additional_deps=tuple(dep for dep in self._deps(upstream) if dg.AssetKey(dep.key) in others),
            blocking=check.blocking,
            vars=self._vars.of(self._manifest["nodes"][unique_id]),
        )

    def _test(self, unique_id: str, reads: tuple[str, ...]) -> DbtTest:
        props = self._manifest["nodes"].get(unique_id) or self._manifest["unit_tests"][unique_id]
        path = str(props["original_file_path"]).replace("\\", "/")
        return DbtTest(unique_id=unique_id, path=path, reads=reads)

    def _relation(self, unique_id: str, props: Mapping[str, Any], spec: dg.AssetSpec, *, alias: str) -> dict[str, Any]:
        relation = {
            "unique_id": unique_id,
            "key": _path(spec.key),
            "path": str(props["original_file_path"]).replace("\\", "/"),
            "database": self._blank(props.get("database"), "{database}"),
            "schema": self._blank_schema(props),
            "alias": alias,
            "group": spec.group_name,
            "tags": {tag: value for tag, value in spec.tags.items() if not tag.startswith(_KIND_TAG)},
            "kinds": tuple(sorted(str(self._blank(kind, "{adapter}")) for kind in spec.kinds)),
            "owners": tuple(spec.owners),
            "code_version": spec.code_version,
        }
        self.details[unique_id] = dict(self._details_of(props, spec, alias))
        return relation

    def _details_of(self, props: Mapping[str, Any], spec: dg.AssetSpec, alias: str) -> Iterator[tuple[str, object]]:
        yield "description", spec.description
        schema = spec.metadata.get("dagster/column_schema")
        if isinstance(schema, dg.TableSchema):
            yield "columns", [[col.name, col.type, col.description, list(col.tags or ())] for col in schema.columns]
        table = spec.metadata.get("dagster/table_name")
        tail = props["name"] if props["resource_type"] == "source" else props["alias"]
        if table != _join(props.get("database"), props.get("schema"), tail):
            yield "table", table
        elif tail != alias:
            yield "table", _join(self._blank(props.get("database"), "{database}"), self._blank_schema(props), tail)

    def _blank(self, value: str | None, pattern: str) -> str | None:
        """*value*, or *pattern* where it is what the profile says."""
        return pattern if value and value == self._names.fill(pattern) else value

    def _blank_schema(self, props: Mapping[str, Any]) -> str | None:
        """The schema, with `{schema}` where dbt put the profile's."""
        schema = cast("str | None", props.get("schema"))
        own = self._names.schema
        if not schema or not own or _is_written_out(props):
            return schema
        if schema == own or schema.startswith(f"{own}_"):
            return "{schema}" + schema.removeprefix(own)
        return schema

    def _deps(self, unique_ids: Iterable[str]) -> Iterator[DbtDep]:
        for unique_id in sorted(unique_ids):
            is_source = unique_id.startswith("source.")
            if is_source:
                self._source_ids.add(unique_id)
            yield DbtDep(_path(self._spec_of(unique_id).key), unique_id if is_source else None)

    def _spec_of(self, unique_id: str) -> dg.AssetSpec:
        return self._translation.translator.get_asset_spec(self._manifest, unique_id, self._translation.project)

    def details_json(self) -> str:
        """The details of every node and source as text."""
        return json.dumps(self.details, ensure_ascii=False, separators=(",", ":"), default=str)


def _is_written_out(props: Mapping[str, Any]) -> bool:
    """Whether a source's schema is a name in the project, not one that the project takes from the target."""
    return props["resource_type"] == "source" and "target" not in str(props.get("unrendered_schema") or "")


def _serialized(condition: dg.AutomationCondition[dg.AssetKey] | None) -> str | None:
    """Dagster's serialisation; None for what has none, which only a user's translator makes."""
    return serialize_value(cast("Any", condition)) if condition is not None and condition.is_serializable else None


def _batch_size(config: Mapping[str, Any]) -> str | None:
    """How long the batches of a microbatch model are; None of another model."""
    return (
        str(config["batch_size"])
        if config.get("incremental_strategy") == MICROBATCH and config.get("batch_size")
        else None
    )


def _join(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)


def _unique_id(spec: dg.AssetSpec | dg.AssetCheckSpec) -> str:
    return str(spec.metadata["dagster_dbt/unique_id"])


def _path(key: dg.AssetKey) -> KeyPath:
    return tuple(key.path)
