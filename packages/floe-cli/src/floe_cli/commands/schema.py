"""`floe schema [floe|platform]`."""

from pathlib import Path

import click

from floe_cli.console import emit, say
from floe_cli.editor_schemas import Document, schema_text
from floe_cli.options import shared_options
from floe_core.errors import shown_path


@click.command()
@click.argument("document", type=click.Choice(["floe", "platform"]), default="floe")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the schema into FILE instead of printing it.",
)
@shared_options
def command(document: Document, output: Path | None) -> None:
    """Print the JSON Schema of floe.yaml or platform.yaml.

    \b
    Editors complete and check the file when its first line names the schema,
    which `floe init` and `floe compile` keep in .floe:
    # yaml-language-server: $schema=.floe/floe.schema.json
    """
    text = schema_text(document)
    if output is None:
        emit(text.rstrip("\n"))
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    say(f"{shown_path(output)}: the JSON Schema of {document}.yaml")
