"""`floe explain [CODE]`."""

import textwrap
from dataclasses import asdict

import click

from floe_cli.completions import complete_error_codes
from floe_cli.console import emit, emit_json
from floe_cli.options import reference_format_option, shared_options
from floe_core.error_codes.reference import error_reference, printable_example
from floe_core.error_codes.registry import ERROR_CODES
from floe_core.suggestions import did_you_mean

_WIDTH = 100


@click.command()
@click.argument("code", required=False, shell_complete=complete_error_codes)
@reference_format_option("text", "json", "markdown")
@shared_options
def command(code: str | None, output_format: str) -> None:
    """Say more about an error code.

    CODE is the one in brackets of a message, such as FLOE-203; the number alone does. Without it all codes are listed,
    in Markdown with what can be said about each.
    """
    name = None if code is None else _find_code(code)
    match output_format, name:
        case "json", None:
            emit_json([_row(each) for each in ERROR_CODES])
        case "json", str():
            emit_json(_row(name))
        case "markdown", _:
            emit(error_reference((name,) if name else ()).rstrip("\n"))
        case _, str():
            _show_code(name)
        case _:
            emit("\n".join(f"{each}  {entry.title}" for each, entry in ERROR_CODES.items()))


def _find_code(code: str) -> str:
    name = f"FLOE-{code}" if code.isdigit() else code.upper()
    if name not in ERROR_CODES:
        suggestion = did_you_mean(name, ERROR_CODES) or "'floe explain' lists them"
        raise click.UsageError(f"there is no error code '{code}'; {suggestion}")
    return name


def _row(code: str) -> dict[str, str]:
    return {"code": code, **asdict(ERROR_CODES[code])}


def _show_code(code: str) -> None:
    entry = ERROR_CODES[code]
    emit(f"{code}: {entry.title}\n\n{textwrap.fill(entry.explanation, _WIDTH)}")
    for title, text in (("wrong", entry.wrong), ("right", entry.right)):
        emit(f"\n{title}:\n{textwrap.indent(printable_example(text), '  ')}")
