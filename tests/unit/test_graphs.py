"""Graphs: layers, places, and the pictures made of them."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from floe_cli.graphs.graph import Arrow, Box, Graph
from floe_cli.graphs.layers import arrange
from floe_cli.graphs.layout import Layout, lay_out
from floe_cli.graphs.mermaid import draw_mermaid
from floe_cli.graphs.page import graph_page
from floe_cli.graphs.svg import draw_svg
from floe_cli.graphs.text_width import fit_text, text_width

SVG = "{http://www.w3.org/2000/svg}"


def box(key: str, *, group: str = "silver", rows: Sequence[str] = ()) -> Box:
    return Box(key, key, f"{group} · table", "dbt", group, rows=tuple(rows), details={"group": group})


def graph_of(*pairs: str, rows: Mapping[str, Sequence[str]] | None = None) -> Graph:
    """A graph of arrows such as `a>b`; `c` alone is a box without one."""
    ends = [pair.split(">") for pair in pairs]
    keys = dict.fromkeys(key for pair in ends for key in pair)
    arrows = [Arrow(pair[0], pair[1]) for pair in ends if len(pair) > 1]
    return Graph("a graph", "asset", [box(key, rows=(rows or {}).get(key, ())) for key in keys], arrows)


def columns_of(layout: Layout) -> dict[float, list[str]]:
    """Boxes by their left edge, from top to bottom."""
    found: dict[float, list[str]] = {}
    for placed in sorted(layout.boxes, key=lambda placed: (placed.x, placed.y)):
        found.setdefault(placed.x, []).append(placed.box.key)
    return found


def assert_nothing_overlaps(layout: Layout) -> None:
    boxes = list(layout.boxes)
    for number, one in enumerate(boxes):
        assert 0 <= one.x <= one.x + one.width <= layout.width
        assert 0 <= one.y <= one.y + one.height <= layout.height
        for other in boxes[number + 1 :]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y
    for arrow in layout.arrows:
        for (x, y), (end_x, _) in list(pairwise(arrow.points))[1::2]:  # level, through a layer
            left, right = sorted((x, end_x))
            for one in boxes:
                assert one.x + one.width <= left or right <= one.x or not one.y < y < one.y + one.height


def test_layers_go_from_what_is_read_to_what_is_made_of_it() -> None:
    layout = lay_out(graph_of("a>b", "b>c", "a>c", "late>c"))

    assert list(columns_of(layout).values()) in ([["a"], ["b", "late"], ["c"]], [["a"], ["late", "b"], ["c"]])
    assert_nothing_overlaps(layout)


def test_an_arrow_that_skips_a_layer_goes_around_its_boxes() -> None:
    layout = lay_out(graph_of("a>b", "b>c", "a>c"))

    [straight, _, around] = sorted(layout.arrows, key=lambda arrow: (len(arrow.points), arrow.arrow.source))
    assert len(straight.points) == 2
    assert len(around.points) == 4
    assert_nothing_overlaps(layout)


def test_arrows_do_not_cross_where_they_need_not() -> None:
    layers = arrange(["a", "b", "c", "x", "y", "z"], [("a", "z"), ("b", "y"), ("c", "x")])

    first, second = layers.nodes
    assert [second.index({"a": "z", "b": "y", "c": "x"}[str(key)]) for key in first] == [0, 1, 2]


def test_a_circle_is_drawn_with_an_arrow_to_the_left() -> None:
    layout = lay_out(graph_of("a>b", "b>c", "c>a", "c>c"))

    ends = {
        (route.arrow.source, route.arrow.target): route.points[0][0] < route.points[-1][0] for route in layout.arrows
    }
    assert ends == {("a", "b"): True, ("b", "c"): True, ("c", "a"): False}
    assert_nothing_overlaps(layout)


def test_arrows_meet_the_rows_that_they_name() -> None:
    rows = {"a": ["id", "name"], "b": ["key"]}
    graph = graph_of("a>b", rows=rows)
    graph = Graph("columns", "table", graph.boxes, [Arrow("a", "b", "name", "key")])

    layout = lay_out(graph)

    [route], (one, other) = layout.arrows, layout.boxes
    assert route.points == ((one.x + one.width, one.row_y("name")), (other.x, other.row_y("key")))
    assert one.row_y("id") < one.row_y("name") < one.y + one.height


def test_the_empty_graph_and_boxes_without_arrows() -> None:
    assert lay_out(graph_of()).boxes == []
    ET.fromstring(draw_svg(graph_of(), lay_out(graph_of())))

    alone = lay_out(graph_of(*(f"box_{number}" for number in range(40))))
    assert_nothing_overlaps(alone)
    assert 0.5 < alone.width / alone.height < 4


keys = st.sampled_from("abcdefghij")


@settings(max_examples=settings().max_examples // 2)
@given(st.lists(st.tuples(keys, keys), max_size=25), st.dictionaries(keys, st.integers(0, 5)))
def test_whatever_depends_on_whatever_nothing_overlaps(pairs: list[tuple[str, str]], rows: dict[str, int]) -> None:
    named = {key: [f"column_{number}" for number in range(count)] for key, count in rows.items()}
    graph = graph_of(*(f"{source}>{target}" for source, target in pairs), rows=named)

    layout = lay_out(graph)

    assert {placed.box.key for placed in layout.boxes} == {key for pair in pairs for key in pair}
    assert len(layout.arrows) == sum(1 for source, target in pairs if source != target)
    assert_nothing_overlaps(layout)
    assert layout == lay_out(graph)


def test_two_hundred_assets_in_five_layers_are_placed() -> None:
    pairs = [
        f"{layer}_{number}>{layer + 1}_{(number * 7 + shift) % 40}"
        for layer in range(4)
        for number in range(40)
        for shift in (0, 1)
    ]

    layout = lay_out(graph_of(*pairs))

    assert [len(column) for column in columns_of(layout).values()] == [40] * 5
    assert_nothing_overlaps(layout)


def test_every_text_fits_into_its_box() -> None:
    long = "a_very_long_name_of_a_model_that_somebody_wrote_" * 3

    [placed] = lay_out(Graph("g", "asset", [Box(long, long, long, "dbt", "g", rows=(long, "短い" * 40))], [])).boxes

    texts = ((placed.name, 13), (placed.caption, 11), *((row, 11.5) for row in placed.rows))
    assert all(text_width(text, size) < placed.width - 24 for text, size in texts)
    assert all("…" in text for text, _ in texts)


def test_a_text_is_cut_in_its_middle() -> None:
    assert fit_text("customers", 10, 200) == "customers"
    assert fit_text("abcdefghijklmnopqrstuvwxyz", 10, 100) == snapshot("abcdef…uvwxyz")
    assert fit_text("abc", 10, 0) == "…"


HOSTILE = (
    "<script>alert(1)</script>",
    "a\"b'c",
    "a&amp;b",
    "]]>",
    "--><x",
    "\x00\x1b\ud800\ufffe",
    "#quot; `a` | [b] {c}",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_a_part_of_a_picture(name: str) -> None:
    def graph_called(name: str) -> Graph:
        source, target = (
            Box(key, name, name, "python", name, rows=(name,), details={name: name}) for key in (name, f"{name} too")
        )
        return Graph(name, "table", [source, target], [Arrow(source.key, target.key, name, name)])

    hostile, plain = graph_called(name), graph_called("plain")

    svg, expected = (
        [element.tag for element in ET.fromstring(draw_svg(graph, lay_out(graph))).iter()] for graph in (hostile, plain)
    )
    assert svg == expected
    page, plain_page = (graph_page(graph, lay_out(graph)) for graph in (hostile, plain))
    page.encode()
    assert re.findall(r"<[!/\w]+", page) == re.findall(r"<[!/\w]+", plain_page)
    assert not re.search(r"""(?:src|href)=["'](?!data:)|url\(|https?://(?!www\.w3\.org/2000/svg)|@import""", plain_page)
    lines = draw_mermaid(hostile).splitlines()
    assert len(lines) == len(draw_mermaid(plain).splitlines())
    labels = [re.fullmatch(r'\s+(?:subgraph )?\w+\["(.*)"\]', line) for line in lines]
    assert all(re.fullmatch(r"(?:[\w .,/()+=@-]|#\d+;)*", found[1]) for found in labels if found)
    assert sum(found is not None for found in labels) == 4


def test_svg_stands_alone_and_names_groups_and_kinds() -> None:
    graph = Graph(
        "Assets of shop",
        "asset",
        [Box("raw/a", "a", "raw", "external", "default"), box("silver/b"), Box("c", "c", "ops", "python", "ops")],
        [Arrow("raw/a", "silver/b")],
    )

    root = ET.fromstring(draw_svg(graph, lay_out(graph)))

    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == snapshot(
        [
            "default",
            "ops",
            "silver",
            "py",
            "Python",
            "dbt",
            "dbt",
            "ext",
            "from elsewhere",
            "a",
            "raw",
            "ext",
            "silver/b",
            "silver · table",
            "dbt",
            "c",
            "ops",
            "py",
        ]
    )
    assert len([element for element in root.iter(f"{SVG}path") if element.get("class") == "line"]) == 1
    assert (root.findtext(f"{SVG}title"), root.get("role")) == ("Assets of shop", "img")


def test_thirty_groups_are_told_apart() -> None:
    boxes = [Box(str(number), str(number), "", "dbt", f"group {number}") for number in range(30)]
    graph = Graph("Assets", "asset", boxes, [])

    root = ET.fromstring(draw_svg(graph, lay_out(graph)))

    marks = Counter(element.get("class") for element in root.iter() if "stripe" in (element.get("class") or ""))
    assert list(marks.values()) == [2] * 30  # the legend's, and the box's


def test_mermaid_frames_groups_and_styles_kinds() -> None:
    graph = Graph(
        "Assets",
        "asset",
        [Box("raw/a", "a", "", "external", "default"), box("silver/b"), box("silver/c")],
        [Arrow("raw/a", "silver/b"), Arrow("silver/b", "silver/c")],
    )

    assert draw_mermaid(graph) == snapshot("""\
flowchart LR
  subgraph g0["default"]
    n0["raw/a"]
  end
  subgraph g1["silver"]
    n1["silver/b"]
    n2["silver/c"]
  end
  n0 --> n1
  n1 --> n2
  classDef dbt fill:#ffe4d9,stroke:#d9622f,color:#16202e
  class n1,n2 dbt
  classDef external fill:#f1f3f6,stroke:#a9b4c2,color:#16202e,stroke-dasharray:5 4
  class n0 external
""")


def test_mermaid_frames_tables_with_their_columns() -> None:
    graph = Graph(
        "Columns",
        "table",
        [box("a", rows=["id", "name"]), box("b", rows=["key"])],
        [Arrow("a", "b", "id", "key"), Arrow("a", "b")],
    )

    assert draw_mermaid(graph) == snapshot("""\
flowchart LR
  subgraph n0["a"]
    direction LR
    n0r0["id"]
    n0r1["name"]
  end
  subgraph n1["b"]
    direction LR
    n1r0["key"]
  end
  n0r0 --> n1r0
  n0 --> n1
  classDef dbt fill:#ffe4d9,stroke:#d9622f,color:#16202e
  class n0,n1 dbt
""")
