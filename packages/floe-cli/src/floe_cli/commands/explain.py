"""`floe explain CODE`."""

import textwrap

import click

from floe_cli.console import emit
from floe_cli.options import shared_options
from floe_core.error_codes import ERROR_CODES
from floe_core.error_examples import ERROR_EXAMPLES
from floe_core.suggestions import did_you_mean

_WIDTH = 100


@click.command()
@click.argument("code")
@shared_options
def command(code: str) -> None:
    """Say more about an error code.

    CODE is the one in brackets of a message, such as FLOE-203; the number alone does.
    """
    name = f"FLOE-{code}" if code.isdigit() else code.upper()
    entry = ERROR_CODES.get(name)
    if entry is None:
        suggestion = did_you_mean(name, ERROR_CODES) or "the codes are those that messages show in brackets"
        raise click.UsageError(f"there is no error code '{code}'; {suggestion}")
    example = ERROR_EXAMPLES[name]
    emit(f"{name}: {entry.title}\n\n{textwrap.fill(entry.explanation, _WIDTH)}")
    for title, text in (("wrong", example.wrong), ("right", example.right)):
        emit(f"\n{title}:\n{textwrap.indent(_printable(text), '  ')}")


def _printable(text: str) -> str:
    """*text* with what a terminal would not show, or act upon, as an escape."""
    return "".join(c if c.isprintable() or c == "\n" else "→   " if c == "\t" else f"\\x{ord(c):02x}" for c in text)
