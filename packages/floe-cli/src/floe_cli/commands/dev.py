"""`floe dev`."""

import os
import sys
from contextlib import suppress

import click

from floe_cli.console import say, stdout_for_machines, work_in_progress
from floe_cli.options import current_project, shared_options
from floe_cli.ui_address import DEFAULT_HOST, free_port, remember_ui
from floe_core.documents import load_platform_document
from floe_core.errors import FloeError, shown_path

_SUPERSEDED = "ignore:Function `dev_command` is superseded"  # Dagster's advice to use its other command line


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address that the UI listens at.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the UI; the first free one from 3000 on otherwise."
)
@shared_options
def command(host: str, port: int | None) -> None:
    """Start Dagster's UI and daemon for the project.

    Compiles what is stale, then hands over to `dagster dev`: the UI shows the runs of `floe run` as well, and the
    daemon runs schedules, sensors and automation. Ctrl-C ends them all.
    """
    from floe_cli.running import tell_abandoned_runs, tell_ends  # noqa: PLC0415 - imports Dagster
    from floe_dagster.compilation import ensure_compiled  # noqa: PLC0415
    from floe_dagster.running.code_locations import load_code_location  # noqa: PLC0415
    from floe_dagster.running.code_pointer import PROJECT_DIR_VARIABLE, find_code_pointer  # noqa: PLC0415 - imports Dagster
    from floe_dagster.running.instance import HOME_VARIABLE, open_instance, prepare_dagster_home  # noqa: PLC0415
    from floe_dagster.running.launches import LAUNCHES_DIR  # noqa: PLC0415
    from floe_dagster.running.untold_ends import has_untold_ends  # noqa: PLC0415

    project = current_project()
    with stdout_for_machines(), work_in_progress() as progress:
        ensure_compiled(project, environ=os.environ, progress=progress)
    platform = load_platform_document(project.path, environ=os.environ)
    home = prepare_dagster_home(project, platform.spec)
    with open_instance(project, platform.spec) as instance:
        tell_abandoned_runs(project.floe_dir / LAUNCHES_DIR, instance)
        pointer = find_code_pointer(project)
        if has_untold_ends(instance):  # else the definitions are not loaded in this process
            with suppress(FloeError), stdout_for_machines():  # `dagster dev` says what is wrong with them
                location = load_code_location(pointer, project_dir=project.path)
                tell_ends(location, instance, floe_dir=project.floe_dir)
    port = port or free_port(host)
    url = remember_ui(project.floe_dir, host=host, port=port, home=str(home.path))
    say(f"Dagster's UI: {url}    runs are kept in {shown_path(home.path)}    Ctrl-C ends it")
    os.chdir(pointer.working_directory)
    environ = {
        **os.environ,
        HOME_VARIABLE: str(home.path),
        PROJECT_DIR_VARIABLE: str(project.path),
        "PYTHONWARNINGS": ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), _SUPERSEDED])),
    }
    # What pyproject.toml names, Dagster reads itself: switches and cursors belong to the code location's name in there.
    target = ("--module-name", pointer.module_name, "--working-directory", str(pointer.working_directory))
    arguments = [
        *(sys.executable, "-m", "dagster", "dev"),
        *(() if pointer.in_pyproject else target),
        *("--host", host, "--port", str(port)),
    ]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, arguments, environ)  # noqa: S606 - Dagster takes over this process, and with it Ctrl-C
