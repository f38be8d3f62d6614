"""A graph as text that GitHub, GitLab and many editors draw: https://mermaid.js.org/syntax/flowchart.html."""

import re
from collections.abc import Iterator

from floe_cli.graphs.graph import Box, Graph, Kind

_CLASSES: dict[Kind, str] = {
    "python": "fill:#fdf0d5,stroke:#c9851a,color:#16202e",
    "dbt": "fill:#ffe4d9,stroke:#d9622f,color:#16202e",
    "external": "fill:#f1f3f6,stroke:#a9b4c2,color:#16202e,stroke-dasharray:5 4",
}
_MEANS_SOMETHING = re.compile(r"[^\w .,/()+=@-]")


def draw_mermaid(graph: Graph) -> str:
    """A flowchart from left to right; a group, or a table with its columns, is a frame around its boxes."""
    numbers = {box.key: number for number, box in enumerate(graph.boxes)}
    return (
        "\n".join(["flowchart LR", *_frames(graph, numbers), *_arrows(graph, numbers), *_styles(graph, numbers)]) + "\n"
    )


def _frames(graph: Graph, numbers: dict[str, int]) -> Iterator[str]:
    has_rows = any(box.rows for box in graph.boxes)
    for group, number in graph.groups.items():
        inside = [box for box in graph.boxes if box.group == group]
        indent = "  "
        if not has_rows and len(graph.groups) > 1:
            yield f'  subgraph g{number}["{_escaped(group) or " "}"]'
            indent = "    "
        for box in inside:
            name = box.key if graph.noun == "asset" else box.name  # the key of a table is a whole address
            yield from _box(box, name, numbers[box.key], indent)
        if not has_rows and len(graph.groups) > 1:
            yield "  end"


def _box(box: Box, name: str, number: int, indent: str) -> Iterator[str]:
    if not box.rows:
        yield f'{indent}n{number}["{_escaped(name)}"]'
        return
    yield f'{indent}subgraph n{number}["{_escaped(name)}"]'
    yield f"{indent}  direction LR"
    yield from (f'{indent}  n{number}r{place}["{_escaped(row)}"]' for place, row in enumerate(box.rows))
    yield f"{indent}end"


def _arrows(graph: Graph, numbers: dict[str, int]) -> Iterator[str]:
    rows = {box.key: {row: place for place, row in enumerate(box.rows)} for box in graph.boxes}

    def name(key: str, row: str | None) -> str:
        place = rows[key].get(row or "")
        return f"n{numbers[key]}" if place is None else f"n{numbers[key]}r{place}"

    for arrow in graph.arrows:
        yield f"  {name(arrow.source, arrow.source_row)} --> {name(arrow.target, arrow.target_row)}"


def _styles(graph: Graph, numbers: dict[str, int]) -> Iterator[str]:
    for kind, style in _CLASSES.items():
        named = [f"n{numbers[box.key]}" for box in graph.boxes if box.kind == kind]
        if named:
            yield f"  classDef {kind} {style}"
            yield f"  class {','.join(named)} {kind}"


def _escaped(text: str) -> str:
    """*text* with all that means something to Mermaid as the number of the character."""
    return _MEANS_SOMETHING.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))
