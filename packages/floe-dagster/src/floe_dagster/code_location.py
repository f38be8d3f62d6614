"""Definitions made of floe.yaml alone, for a project that has no definitions file of its own."""

import os
from pathlib import Path

from floe_core.project import ARTIFACTS_FILE, FLOE_DIR
from floe_dagster.definitions import FloeDefinitions
from floe_dagster.running.code_pointer import PROJECT_DIR_VARIABLE
from floe_dagster.user_code.tracebacks import UsersTraceback

_project_dir = Path(os.environ.get(PROJECT_DIR_VARIABLE, "."))  # noqa: TID251 - how a process is told which project to load

with UsersTraceback():
    defs = FloeDefinitions.from_compiled_artifacts(_project_dir / FLOE_DIR / ARTIFACTS_FILE)
