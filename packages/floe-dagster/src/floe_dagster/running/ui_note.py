"""Where `floe dev` serves the UI of a project, as it noted it."""

import json
from contextlib import suppress
from pathlib import Path

UI_NOTE = "ui.json"


def noted_run_url(floe_dir: Path, run_id: str) -> str | None:
    """The page of a run in the UI that `floe dev` served last; None where it never served one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        url = str(json.loads((floe_dir / UI_NOTE).read_text(encoding="utf-8"))["url"])
        return f"{url}/runs/{run_id}"
    return None
