"""`floe schema [floe|platform]`."""

import json
from pathlib import Path
from typing import Literal

import click

from floe_cli.console import emit, say
from floe_cli.options import shared_options
from floe_core.errors import shown_path
from floe_core.json_schemas import json_schema


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
def command(document: Literal["floe", "platform"], output: Path | None) -> None:
    """Print the JSON Schema of floe.yaml or platform.yaml.

    \b
    Editors complete and check the file when its first line names the schema:
    # yaml-language-server: $schema=floe.schema.json
    """
    text = json.dumps(json_schema(document), indent=2, ensure_ascii=False)
    if output is None:
        emit(text)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text + "\n", encoding="utf-8")
    say(f"{shown_path(output)}: the JSON Schema of {document}.yaml")
