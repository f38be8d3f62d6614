"""dbt's macros as they were parsed already. Imports dbt."""

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dbt.config.runtime import RuntimeConfig
from dbt.contracts.graph.manifest import MacroManifest
from dbt.contracts.graph.nodes import Macro
from dbt.parser.manifest import ManifestLoader

_LOAD = "load_macros"


@contextmanager
def parsed_macros(manifest: Mapping[str, Any]) -> Iterator[None]:
    """Have dbt take the macros of an adapter from *manifest*; parsing some 500 takes as long as starting dbt.

    Those of another version of dbt are parsed as ever.
    """
    if manifest["metadata"].get("dbt_version") != importlib.metadata.version("dbt-core"):
        yield
        return

    def load(config: RuntimeConfig, macro_hook: Callable[..., object], base_macros_only: bool = False) -> MacroManifest:
        del macro_hook  # called where a whole project is parsed
        packages = config.load_dependencies(base_only=base_macros_only)
        macros: Mapping[str, Mapping[str, Any]] = manifest["macros"]
        wanted = {unique_id: macro for unique_id, macro in macros.items() if macro["package_name"] in packages}
        return MacroManifest({unique_id: Macro.from_dict(macro) for unique_id, macro in wanted.items()})

    before = vars(ManifestLoader)[_LOAD]
    setattr(ManifestLoader, _LOAD, staticmethod(load))
    try:
        yield
    finally:
        setattr(ManifestLoader, _LOAD, before)
