"""Statements of dbt nodes as their files have them: those of snapshots, of which dbt writes no compiled file."""

import ast
import re

from floe_dagster.observability.datasets import Node
from floe_dagster.observability.lineage.dbt_graph import DbtGraph

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_CALL = re.compile(r"\{\{-?\s*(ref|source|config)\s*\((.*?)\)\s*-?\}\}", re.DOTALL)
_JINJA = re.compile(r"\{[{%#]")


def read_plain_sql(node: Node, graph: DbtGraph) -> str | None:
    """The statement with the relations that `ref` and `source` stand for; None where it has other Jinja.

    Source:
        dbt puts `relation_name` of a node in the place of `ref` and `source`, and nothing in that of `config`.
    """

    def relation(call: re.Match[str]) -> str:
        kind, arguments = call.groups()
        return "" if kind == "config" else _find_relation(node, graph, kind, arguments) or call[0]

    rendered = _CALL.sub(relation, _COMMENT.sub("", str(node.get("raw_code") or ""))).strip()
    return rendered if rendered and _JINJA.search(rendered) is None else None


def _find_relation(node: Node, graph: DbtGraph, kind: str, arguments: str) -> str | None:
    try:
        names = ast.literal_eval(f"({arguments},)")
    except (SyntaxError, ValueError):
        return None
    parents = (graph.find(str(parent)) for parent in (node.get("depends_on") or {}).get("nodes") or ())
    found = [parent for parent in parents if parent is not None and names in _names_of(parent, kind)]
    return str(found[0].get("relation_name") or "") if len(found) == 1 else None


def _names_of(parent: Node, kind: str) -> tuple[tuple[object, ...], ...]:
    """What `ref` or `source` can be given for *parent*; an ephemeral model has no relation."""
    if (parent["resource_type"] == "source") is not (kind == "source"):
        return ()
    if kind == "source":
        return ((parent.get("source_name"), parent["name"]),)
    return ((parent["name"],), (parent.get("package_name"), parent["name"]))
