"""The JSON Schemas that an editor finds by the first line of a document."""

import json
from typing import Literal

from floe_core.json_schemas import json_schema
from floe_core.project import ProjectFolder, write_whole

Document = Literal["floe", "platform"]
_DOCUMENTS: tuple[Document, ...] = ("floe", "platform")


def schema_text(document: Document) -> str:
    """The JSON Schema of floe.yaml or platform.yaml."""
    return json.dumps(json_schema(document), indent=2, ensure_ascii=False) + "\n"


def write_editor_schemas(project: ProjectFolder) -> None:
    """Write `.floe/floe.schema.json` and `.floe/platform.schema.json`, as this version of floe reads the documents.

    Raises:
        OSError: They cannot be written.
    """
    for document in _DOCUMENTS:
        write_whole(project.make_floe_dir() / f"{document}.schema.json", schema_text(document).encode())
