"""`floe trace` and `floe graph` after a real run: what a browser makes of their pages."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from floe_cli.graphs.graph import Arrow, Box, Graph
from floe_cli.graphs.layout import lay_out
from floe_cli.graphs.page import graph_page
from floe_cli.graphs.svg import draw_svg
from floe_cli.trace_page import trace_page
from floe_cli.trace_report import report_trace
from floe_dagster.observability.local.files import RunFile
from floe_dagster.observability.local.trace_tree import build_tree
from floe_dagster.observability.local.traces import read_trace
from plugins.command_line import CommandLine
from screenshots.asset_graph import Page, find_chromium, open_page, wait_until
from written_traces import RUN, WrittenTrace, shop_trace

PROJECT = Path(__file__).parents[1] / "projects" / "observed_shop"
HOSTILE = "</script><script>window.wasHit = true</script><img src=x onerror='window.wasHit = true'>"
WATCH = """
window.troubles = [];
for (const kind of ["error", "unhandledrejection", "securitypolicyviolation"]) {
  const note = event => window.troubles.push(`${kind}: ${event.message || event.reason || event.blockedURI}`);
  window.addEventListener(kind, note, true);
}
for (const name of ["error", "warn"]) console[name] = (...said) => window.troubles.push(said.join(" "));
"""
# Texts that reach out of their boxes, and pairs of boxes that overlap, as the browser has drawn them.
OVERLAPS = """(() => {
  const found = [], boxes = [...document.querySelectorAll(".box")];
  const place = element => element.getBoundingClientRect();
  const edges = boxes.map(box => place(box.querySelector(".body")));
  boxes.forEach((box, number) => {
    const around = edges[number];
    for (const text of box.querySelectorAll("text")) {
      const one = place(text);
      const isInside = around.left <= one.left && one.right <= around.right && one.bottom <= around.bottom;
      if (!isInside) found.push(text.textContent);
    }
    edges.slice(number + 1).forEach((other, later) => {
      const beside = around.right <= other.left || other.right <= around.left;
      if (!beside && around.bottom > other.top && other.bottom > around.top) found.push([number, number + later + 1]);
    });
    const name = box.querySelector(".name");
    if (place(name).right > place(box.querySelector(".badge")).left) found.push(name.textContent);
  });
  return found;
})()"""

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after a run in which a model fails, and those that need it are skipped."""
    project = Path(shutil.copytree(PROJECT, tmp_path_factory.mktemp("pictures") / "shop"))
    assert floe(project, "run", "everything", FAILS="a model").returncode == 3
    return project


def floe(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OPENLINEAGE_"))}
    command = [str(Path(sys.executable).with_name("floe")), *arguments, "--project", str(project)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**kept, **variables})


@contextmanager
def opened(file: Path, *, width: int = 1300, height: int = 800) -> Iterator[Page]:
    """The file in a browser, which may say nothing of trouble until the block is left."""
    with open_page("about:blank", width=width, height=height) as page:
        page.call("Page.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        page.call("Page.navigate", url=file.as_uri())
        wait_until(lambda: page.evaluate("document.readyState") == "complete", what="the page", seconds=30)
        yield page
        assert page.evaluate("window.troubles") == []
        assert page.evaluate("window.wasHit") is None


def press(page: Page, *keys: str) -> None:
    for key in keys:
        for kind in ("keyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", type=kind, key=key)


def type_text(page: Page, text: str) -> None:
    page.call("Input.insertText", text=text)


def pages_on_paper(page: Page) -> int:
    pdf = base64.b64decode(str(page.call("Page.printToPDF", printBackground=True)["data"]))
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def shown_rows(page: Page) -> list[str]:
    found = page.evaluate("[...document.querySelectorAll('.row')].filter(row => !row.hidden).map(row => row.ariaLabel)")
    return [str(label).partition(",")[0] for label in found]


def test_the_trace_of_a_run_opens_at_what_failed(shop: Path, tmp_path: Path, command_line: CommandLine) -> None:
    of_shop = ("--project", str(shop))
    assert command_line("trace", "--html", str(tmp_path / "run.html"), *of_shop).returncode == 0
    told = json.loads(command_line("trace", "--format", "json", *of_shop).stdout)

    names = {span["name"]: span["status"] for span in told["spans"]}
    assert (names["model refunds"], names["model refunds_per_day"]) == ("failed", "skipped")
    assert sum(part["seconds"] for part in told["critical_path"]) == pytest.approx(told["seconds"], abs=0.001)
    with opened(tmp_path / "run.html") as page:
        assert len(shown_rows(page)) == len(told["spans"])
        assert page.evaluate("document.querySelectorAll('.row .bar').length") == len(told["spans"])
        assert page.evaluate("document.querySelectorAll('.row .on').length") > 3
        assert page.evaluate("document.querySelector('#status').textContent") == "failed"
        details = page.evaluate("document.querySelector('#details').innerText")
        assert "model refunds" in details
        assert "DatabaseError" in details or "Error" in details

        page.evaluate("document.querySelector('[data-status=skipped]').click()")
        assert "model refunds_per_day" in shown_rows(page)
        assert "model stg_orders" not in shown_rows(page)


def test_the_graphs_of_a_project_are_drawn(shop: Path, tmp_path: Path, command_line: CommandLine) -> None:
    for what, least in (("--columns", 3), ("--tables", 10)):
        drawn = command_line("graph", what, "-o", str(tmp_path / "graph.html"), "--project", str(shop))
        assert drawn.returncode == 0, drawn.stderr
        with opened(tmp_path / "graph.html") as page:
            assert page.evaluate("document.querySelectorAll('.box').length") >= least
            assert page.evaluate("document.querySelectorAll('.arrow').length") >= least - 1
            assert page.evaluate(OVERLAPS) == []
            assert page.screenshot().startswith(b"\x89PNG")


def test_a_click_shows_what_a_box_is_made_of_and_what_is_made_from_it(tmp_path: Path) -> None:
    boxes = [Box(key, key, "silver", "dbt", "silver", details={"owners": f"team:{key}"}) for key in "abcde"]
    graph = Graph("Assets", "asset", boxes, [Arrow("a", "b"), Arrow("b", "c"), Arrow("c", "d"), Arrow("e", "d")])
    (tmp_path / "graph.html").write_text(graph_page(graph, lay_out(graph)), encoding="utf-8")

    def marked(page: Page, name: str) -> list[str]:
        found = page.evaluate(f"[...document.querySelectorAll('.box.{name}')].map(box => box.ariaLabel)")
        return [str(label).partition(",")[0] for label in found]

    with opened(tmp_path / "graph.html") as page:
        place = page.evaluate(
            "(box => [box.x + box.width / 2, box.y + 10])(document.querySelectorAll('.box')[1].getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            page.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
        assert (marked(page, "up"), marked(page, "down"), marked(page, "faded")) == (["a"], ["c", "d"], ["e"])
        assert "team:b" in page.evaluate("document.querySelector('#details').innerText")

        press(page, "ArrowRight", "ArrowRight")
        assert (marked(page, "chosen"), marked(page, "up"), marked(page, "faded")) == (["d"], ["a", "b", "c", "e"], [])
        press(page, "Escape")
        assert (marked(page, "chosen"), page.evaluate("document.querySelector('#details').hidden")) == ([], True)

        before = page.evaluate("picture.getAttribute('viewBox')")
        press(page, "+")
        assert page.evaluate("picture.getAttribute('viewBox')") != before
        press(page, "/")
        type_text(page, "team:e")
        assert marked(page, "faded") == ["a", "b", "c", "d"]


def test_a_trace_of_five_hundred_spans_is_drawn_and_driven_by_keys(tmp_path: Path) -> None:
    trace = shop_trace(tests=500)
    report = report_trace(
        build_tree(read_trace(RunFile(RUN, trace.write(tmp_path), 0.0))), written_at=datetime.now(UTC)
    )
    (tmp_path / "run.html").write_text(trace_page(report), encoding="utf-8")
    begun = time.monotonic()

    with opened(tmp_path / "run.html") as page:
        assert len(shown_rows(page)) == len(report.rows) > 500
        assert time.monotonic() - begun < 20
        assert pages_on_paper(page) > 10

        page.evaluate("document.querySelector('#fold').click()")
        assert len(shown_rows(page)) == len(report.rows) - 499
        page.evaluate("document.querySelector('.row').focus()")
        press(page, "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft")
        assert page.evaluate("document.activeElement.ariaLabel").startswith("step bronze_customers")
        assert "asset bronze/customers" not in shown_rows(page)
        press(page, "Escape", "/")
        type_text(page, "stg_orders_499")
        assert shown_rows(page)[-1] == "test not_null_stg_orders_499"
        press(page, "Escape", "Escape", "c")
        assert "step bronze_products" not in shown_rows(page)
        assert "step bronze_orders" in shown_rows(page)


def test_names_from_elsewhere_stay_text(tmp_path: Path) -> None:
    trace = WrittenTrace(job=HOSTILE)
    trace.span(1, HOSTILE, 0, 1, trace.run_key, error=f"ValueError: {HOSTILE}", attributes={HOSTILE: HOSTILE})
    trace.run(1, error=f"ValueError: {HOSTILE}")
    read = read_trace(RunFile(RUN, trace.write(tmp_path), 0.0))
    (tmp_path / "run.html").write_text(
        trace_page(report_trace(build_tree(read), written_at=datetime.now(UTC))), encoding="utf-8"
    )
    box = Box(HOSTILE, HOSTILE, HOSTILE, "python", HOSTILE, rows=(HOSTILE,), details={HOSTILE: HOSTILE})
    other = Box("other", "other", "", "dbt", "")
    graph = Graph(HOSTILE, "asset", [box, other], [Arrow(HOSTILE, "other", HOSTILE)])
    (tmp_path / "graph.html").write_text(graph_page(graph, lay_out(graph)), encoding="utf-8")
    (tmp_path / "graph.svg").write_text(draw_svg(graph, lay_out(graph)), encoding="utf-8")

    with opened(tmp_path / "run.html") as page:
        assert HOSTILE in page.evaluate("document.querySelector('#details').innerText")
    with opened(tmp_path / "graph.html") as page:
        page.evaluate("boxes[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        assert HOSTILE in page.evaluate("document.querySelector('#details').innerText")
        assert page.evaluate(OVERLAPS) == []
    with opened(tmp_path / "graph.svg") as page:
        assert page.evaluate("document.querySelectorAll('.box').length") == 2
        assert page.evaluate("document.querySelector('parsererror')") is None


def test_a_large_graph_is_readable(tmp_path: Path) -> None:
    names = (
        "stg_customers",
        "fct_orders_with_a_rather_long_name_that_goes_on_and_on",
        "Ünïcödé_表",
        "WWWWWWWWMMMMMM@@@@%%%%",
    )
    boxes = [
        Box(
            f"{layer}/{number}",
            names[number % 4] + str(number),
            "silver · incremental · partitioned",
            "dbt",
            str(layer),
        )
        for layer in range(5)
        for number in range(40)
    ]
    arrows = [
        Arrow(f"{layer}/{number}", f"{layer + 1}/{(number * 3 + shift) % 40}")
        for layer in range(4)
        for number in range(40)
        for shift in (0, 7)
    ]
    graph = Graph("Assets", "asset", boxes, arrows)
    (tmp_path / "graph.html").write_text(graph_page(graph, lay_out(graph)), encoding="utf-8")

    with opened(tmp_path / "graph.html") as page:
        assert page.evaluate("document.querySelectorAll('.box').length") == 200
        assert page.evaluate(OVERLAPS) == []
        looked_at = page.evaluate("picture.getAttribute('viewBox')")
        page.evaluate("addEventListener('beforeprint', () => { window.printed = picture.getAttribute('viewBox'); })")
        assert pages_on_paper(page) == 1
        assert page.evaluate("window.printed === `0 0 ${graph.width} ${graph.height}`")
        assert page.evaluate("picture.getAttribute('viewBox')") == looked_at
