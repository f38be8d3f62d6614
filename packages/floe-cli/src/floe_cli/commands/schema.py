"""`floe schema [floe|platform]`."""

from pathlib import Path

import click

from floe_cli.console import emit, say
from floe_cli.editor_schemas import Document, schema_text
from floe_cli.options import reference_format_option, shared_options
from floe_cli.output_files import check_folder, write_output
from floe_core.errors import shown_path


@click.command()
@click.argument("document", type=click.Choice(["floe", "platform"]), default="floe")
@reference_format_option("json", "markdown")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write into FILE instead of printing.",
)
@shared_options
def command(document: Document, output_format: str, output: Path | None) -> None:
    """Print the schema or a reference of floe.yaml or platform.yaml.

    It is the JSON Schema, or with --format markdown a page that tells of every key its values, its default and what it
    means.

    \b
    Editors complete and check the file when its first line names the schema,
    which `floe init` and `floe compile` keep in .floe:
    # yaml-language-server: $schema=.floe/floe.schema.json
    """
    if output is not None:
        check_folder(output, "--output")
    text = schema_text(document) if output_format == "json" else _reference(document)
    if output is None:
        emit(text.rstrip("\n"))
        return
    write_output(output, text, "--output")
    what = "the JSON Schema" if output_format == "json" else "the reference"
    say(f"{shown_path(output)}: {what} of {document}.yaml")


def _reference(document: Document) -> str:
    from floe_core.schema_reference import schema_reference  # noqa: PLC0415 - the schema alone is wanted more often

    return schema_reference(document)
