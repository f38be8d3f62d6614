"""JSON Schema of the documents, for editors."""

from pydantic import BaseModel


def build_json_schema(model: type[BaseModel], *, title: str) -> dict[str, object]:
    """x."""
    return model.model_json_schema()
