"""A dbt project with a selector in it, for selections that are too long for a command line."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from floe_core.yaml_source import load_foreign_yaml

_SELECTORS_FILE = "selectors.yml"
_NOT_PROJECT = frozenset({_SELECTORS_FILE, "target", "logs"})
_SELECTOR = "floe_selection"


def overlay_project(project_dir: Path, folder: Path, *, select: Sequence[str], exclude: Sequence[str]) -> str:
    """Make *folder* the same project with one selector more; gives its name.

    Everything in the folder is a link into the project, which stays as it is.

    Args:
        project_dir: The project.
        folder: A folder that does not exist.
        select: What the selector selects, in dbt's syntax.
        exclude: What it leaves out of that.
    """
    folder.mkdir(parents=True)
    for entry in project_dir.iterdir():
        if entry.name not in _NOT_PROJECT and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry.resolve(), target_is_directory=entry.is_dir())
    ignored = project_dir / ".dbtignore"
    if ignored.is_file():
        shutil.copyfile(ignored, folder / ignored.name)
    own = load_foreign_yaml(project_dir / _SELECTORS_FILE)
    selectors = own.get("selectors") if isinstance(own, dict) else None
    definition = {"union": [*select, *([{"exclude": list(exclude)}] if exclude else [])]}
    added = {"name": _SELECTOR, "definition": definition}
    content = {"selectors": [*(selectors if isinstance(selectors, list) else []), added]}
    (folder / _SELECTORS_FILE).write_text(json.dumps(content, default=str), encoding="utf-8")  # JSON is YAML
    return _SELECTOR
