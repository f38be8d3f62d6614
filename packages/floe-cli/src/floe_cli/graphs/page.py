"""A graph as a page of its own, to move about in and to ask what depends on what."""

from floe_cli.graphs.graph import Graph
from floe_cli.graphs.layout import Layout
from floe_cli.graphs.svg import draw_inside
from floe_cli.pages import build_page


def graph_page(graph: Graph, layout: Layout) -> str:
    """*graph* in HTML, with what is known of each box."""
    picture = f'<svg class="picture" id="picture" role="group" aria-label="Graph">{draw_inside(graph, layout)}</svg>'
    data = {
        **graph_as_json(graph),
        "width": layout.width,
        "height": layout.height,
        "places": [[box.x, box.y, box.width, box.height] for box in layout.boxes],
    }
    return build_page("graph", title=f"{graph.title} · floe graph", data=data, body=picture)


def graph_as_json(graph: Graph) -> dict[str, object]:
    """Boxes and arrows as values of JSON."""
    return {
        "title": graph.title,
        "noun": graph.noun,
        "nodes": [
            {
                "key": box.key,
                "name": box.name,
                "kind": box.kind,
                "group": box.group,
                **({"columns": list(box.rows)} if box.rows else {}),
                "details": dict(box.details),
            }
            for box in graph.boxes
        ],
        "edges": [
            {
                "from": arrow.source,
                "to": arrow.target,
                **({"from_column": arrow.source_row} if arrow.source_row is not None else {}),
                **({"to_column": arrow.target_row} if arrow.target_row is not None else {}),
            }
            for arrow in graph.arrows
        ],
    }
