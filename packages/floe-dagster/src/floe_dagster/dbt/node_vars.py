"""The vars that each dbt node names, wherever dbt renders them. Imports dbt."""

from collections.abc import Mapping
from typing import Any

from floe_core.templates import texts_in
from floe_dagster.dbt.var_uses import ANY_VAR, Names, names_in

_RENDERED_PARTS = ("raw_code", "config", "unrendered_config", "test_metadata")


class NodeVars:
    """Reads the nodes of one manifest, its macros once."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._macros: Mapping[str, Mapping[str, Any]] = manifest.get("macros", {})
        self._own: dict[str, Names] = {}
        self._found: dict[str, Names] = {}

    def of(self, node: Mapping[str, Any]) -> tuple[str, ...]:
        """The vars that *node* names, in its code, its config and the macros it calls, sorted."""
        written = " ".join(text for part in _RENDERED_PARTS for _, text in texts_in(node.get(part)))
        names = set(names_in(written)) if "var" in written else set()
        for macro in node.get("depends_on", {}).get("macros", ()):
            names |= self._of_macro(macro)
        return tuple(sorted(names - {ANY_VAR}))

    def _of_macro(self, unique_id: str) -> Names:
        """Of a macro and of all that it calls; macros may call each other."""
        if unique_id in self._found:
            return self._found[unique_id]
        seen: set[str] = set()
        pending = [unique_id]
        while pending:
            macro = pending.pop()
            if macro not in seen:
                seen.add(macro)
                pending += self._macros.get(macro, {}).get("depends_on", {}).get("macros", ())
        found = frozenset[str]().union(*map(self._written_in, seen))
        self._found[unique_id] = found
        return found

    def _written_in(self, unique_id: str) -> Names:
        if unique_id not in self._own:
            code = str(self._macros.get(unique_id, {}).get("macro_sql", ""))
            self._own[unique_id] = names_in(code) if "var" in code else frozenset()
        return self._own[unique_id]
