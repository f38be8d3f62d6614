"""Draws a project's asset graph as people see it: Dagster's own web UI in headless Chromium.

python tests/screenshots/asset_graph.py FILE.png

runs the demo's full pipeline in a copy of the demo and draws the graph after it.
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from websockets.sync.client import ClientConnection, connect

DEMO = Path(__file__).parents[2] / "demo" / "data_engineering"
LAYERS = ("bronze", "silver", "gold")
ASSETS_AND_EDGES = 10, 9
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


def main(arguments: list[str]) -> None:
    """Run the demo in a folder of its own and write the picture."""
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        project = copy_demo(Path(folder))
        run_floe("run", "full_pipeline", "--project", str(project))
        with running_webserver(project) as url:
            Path(arguments[0]).write_bytes(draw_asset_graph(url, groups=LAYERS, expected=ASSETS_AND_EDGES))


def copy_demo(folder: Path) -> Path:
    """The demo without what earlier runs left in it."""
    return Path(shutil.copytree(DEMO, folder / "shop", ignore=shutil.ignore_patterns(".floe", "__pycache__", "target")))


def run_floe(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the floe command that belongs to this Python; what it says goes to the terminal."""
    command = [str(Path(sys.executable).with_name("floe")), *arguments]
    return subprocess.run(command, check=True, text=True, env={**os.environ, **(environ or {})})


def draw_asset_graph(url: str, *, groups: Sequence[str], expected: tuple[int, int]) -> bytes:
    """The PNG of the lineage page of some groups, once it shows *expected* (assets, edges).

    Raises:
        TimeoutError: The page does not get there within three minutes.
    """
    query(url, "mutation { setNuxSeen }")  # no welcome over the picture
    shown = quote(" or ".join(f'group:"{group}"' for group in groups))
    opened = quote(",".join(f"global@global:{group}" for group in groups))
    boxes = (
        "[...document.querySelectorAll('foreignObject')].filter(box => box.textContent.includes('Latest event')).length"
    )
    drawn = f"[{boxes}, document.querySelectorAll('path[marker-end]').length]"
    loading = "document.body.innerText.includes('Loading') || document.body.innerText.includes('fetching')"
    with open_page(f"{url}/asset-groups~{shown}?expanded={opened}", width=1500, height=860) as page:
        wait_until(lambda: page.evaluate(drawn) == list(expected), what="the graph")
        wait_until(lambda: not page.evaluate(loading), what="the statuses")
        time.sleep(1)  # the view glides into place
        return page.screenshot()


# ---------------------------------------------------------------- the web UI


@contextmanager
def running_webserver(project: Path) -> Iterator[str]:
    """Dagster's webserver, started in *project* as a user would, until the block is left; yields its address."""
    port = free_port()
    log = project / ".floe" / "webserver.log"
    environ = {"DAGSTER_HOME": str(project / ".floe" / "dagster_home")}
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)]
    with started(command, cwd=project, environ=environ, log=log):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url), what=f"the webserver (see {log})")
        yield url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the server is there and has loaded its code locations."""
    try:
        entries = query(url, "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    locations = entries["workspaceOrError"].get("locationEntries", [])
    return bool(locations) and all(entry["loadStatus"] == "LOADED" for entry in locations)


def query(url: str, text: str) -> dict[str, Any]:
    """The data of a GraphQL query.

    Raises:
        RuntimeError: The server refuses the query.
    """
    body = json.dumps({"query": text}).encode()
    request = urllib.request.Request(f"{url}/graphql", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    if answer.get("errors"):
        raise RuntimeError(str(answer["errors"]))
    data: dict[str, Any] = answer["data"]
    return data


# ---------------------------------------------------------------- the browser


class Page:
    """One page of a browser, driven by Chrome's DevTools protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._calls = 0

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._calls += 1
        self._connection.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=60))
            if answer.get("id") == self._calls:
                result: dict[str, Any] = answer["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression is on the page; None where it has no value, or not yet."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def open_page(url: str, *, width: int, height: int) -> Iterator[Page]:
    """A page of a new headless browser, with a profile of its own, until the block is left."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [find_chromium() or "chromium", *QUIET, f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        port_file = Path(profile) / "DevToolsActivePort"
        with started([*command, "about:blank"], cwd=Path(profile), environ={}, log=Path(profile) / "chromium.log"):
            wait_until(lambda: port_file.exists() and bool(port_file.read_text()), what="chromium")
            with connect(find_socket(int(port_file.read_text().split()[0])), max_size=None) as connection:
                page = Page(connection)
                page.call(
                    "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
                )
                page.call("Page.navigate", url=url)
                yield page


def find_socket(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as response:
        targets = json.load(response)
    return next(str(target["webSocketDebuggerUrl"]) for target in targets if target["type"] == "page")


# ---------------------------------------------------------------- processes


@contextmanager
def started(command: list[str], *, cwd: Path, environ: Mapping[str, str], log: Path) -> Iterator[None]:
    """A process and all it starts, ended when the block is left."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, so that ending it ends nothing else
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until(holds: Callable[[], bool], *, what: str, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} is not there after {seconds:.0f} s")
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1:])
