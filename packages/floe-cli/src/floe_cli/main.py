"""The `floe` command: which commands there are, and how their failures leave the process."""

import gc
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

import click
from click.shell_completion import CompletionItem

from floe_cli.console import EXIT_NOT_READ, say, show_problems
from floe_cli.options import Settings, shared_options
from floe_core.errors import FloeError, escape_controls
from floe_core.secrets.yaml_lines import mask_text
from floe_core.suggestions import did_you_mean, list_names

EXIT_FINDINGS = 1
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command that is imported when it is called; one that `is_brief` ends before a search for garbage pays."""

    module: str
    summary: str
    is_brief: bool = False


COMMANDS: Mapping[str, CommandEntry] = MappingProxyType(
    {
        "init": CommandEntry("floe_cli.commands.init", "Write a project that runs at once."),
        "validate": CommandEntry(
            "floe_cli.commands.validate", "Check floe.yaml and everything it refers to.", is_brief=True
        ),
        "compile": CommandEntry("floe_cli.commands.compile", "Write the compiled artifacts that Dagster loads."),
        "list": CommandEntry("floe_cli.commands.list", "Show assets, jobs, schedules and what else is defined."),
        "run": CommandEntry("floe_cli.commands.run", "Run a job and show what it built."),
        "backfill": CommandEntry("floe_cli.commands.backfill", "Launch a job for many partitions, batch by batch."),
        "sensor": CommandEntry("floe_cli.commands.sensor", "Evaluate a sensor once and show what it would do."),
        "graph": CommandEntry("floe_cli.commands.graph", "Draw what depends on what: assets, tables or columns."),
        "trace": CommandEntry("floe_cli.commands.trace", "Show where the time of a run went."),
        "dev": CommandEntry("floe_cli.commands.dev", "Start Dagster's UI and daemon for the project."),
        "lineage": CommandEntry("floe_cli.commands.lineage", "Send lineage events that have not been sent."),
        "schema": CommandEntry(
            "floe_cli.commands.schema",
            "Print the schema or a reference of floe.yaml or platform.yaml.",
            is_brief=True,
        ),
        "explain": CommandEntry("floe_cli.commands.explain", "Say more about an error code.", is_brief=True),
        "completion": CommandEntry(
            "floe_cli.commands.completion", "Print what completes commands and names in a shell.", is_brief=True
        ),
    }
)


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        if not entry.is_brief:
            gc.enable()
        command = import_module(entry.module).command
        assert isinstance(command, click.Command)
        command.short_help = entry.summary
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin with *incomplete*, without importing a command."""
        commands = [
            CompletionItem(name, help=entry.summary) for name, entry in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write what each command does, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with; an unknown one is answered with the closest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            suggestion = did_you_mean(name, COMMANDS) or f"the commands are {list_names(COMMANDS, limit=20)}"
            ctx.fail(f"there is no command '{name}'; {suggestion}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "obj": None}
)
@click.version_option(package_name="floe-cli", message="floe %(version)s")
@shared_options
def cli() -> None:
    """floe turns one floe.yaml into a Dagster code location.

    \b
    Exit codes: 0 fine, 1 something is wrong with the project, 2 wrong usage, 3 a run failed, 130 interrupted,
    141 nobody reads the output to its end.
    """


def main() -> None:
    """Run the command line of this process and leave it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the same as Ctrl-C, in one sentence too
    gc.disable()  # a fifth of what `floe validate --schema-only` takes; commands that go on enable it
    code = run_command_line(sys.argv[1:])
    gc.freeze()  # spares the search as Python ends, which takes seconds after a run of dbt
    sys.exit(code)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command line.

    Args:
        arguments: The words after `floe`.

    Returns:
        The exit code. A user's mistake is shown as the report of its problems, never as a traceback.
    """
    settings = Settings()
    try:
        result = cli.main(list(arguments), prog_name="floe", standalone_mode=False, obj=settings)
    except FloeError as error:
        show_problems(error.problems)
        return getattr(error, "exit_code", EXIT_FINDINGS)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return EXIT_INTERRUPTED
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # nobody reads the output to its end
            return EXIT_NOT_READ
        raise
    except Exception as error:  # noqa: BLE001 - the border of the process: nothing but this sees the failure
        show_unexpected(error, with_traceback=settings.traceback)
        return EXIT_FINDINGS
    return result if isinstance(result, int) else 0


def show_unexpected(error: BaseException, *, with_traceback: bool) -> None:
    """An exception that is nobody's known mistake, in one sentence unless the traceback is asked for."""
    if with_traceback:
        say("".join(traceback.format_exception(error)).rstrip())
        return
    from importlib.metadata import version  # noqa: PLC0415 - a tenth of what `floe validate --schema-only` takes

    text = str(error).strip().splitlines()
    what = escape_controls(mask_text(text[0], with_assignments=False)) if text else ""
    message = f"{type(error).__name__}: {what}" if what else type(error).__name__
    say(f"floe {version('floe-cli')} stopped on an unexpected error: {message}{_place_of(error)}")
    say("Add --traceback to the command to see where it comes from.")


def _place_of(error: BaseException) -> str:
    """Where *error* was raised, as the tail of a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
