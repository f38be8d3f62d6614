"""One validation of a document: where it stands, what its values are called, what is to stand in for them."""

from collections.abc import Mapping

from floe_core.document_words import DocumentWords
from floe_core.errors import Problem, YamlPath, format_yaml_path
from floe_core.interpolation import Unset
from floe_core.masking import Masking
from floe_core.schema_places import CoreSchema, Place, SchemaWalker, is_required_key, keys_of
from floe_core.validated_document import Spec, ValidatedDocument

ABSENT = object()
"""What stands in for a value whose key counts as not written."""


def unknown(path: YamlPath) -> Unset:
    """What stands in for the value at *path*, which is not known; no two paths have the same."""
    return Unset(f"<{format_yaml_path(path)}>")


class ValidationPass:
    """What describing a mistake needs, and the stand-ins that it leaves behind."""

    def __init__(self, document: ValidatedDocument[Spec]) -> None:
        self.families = document.families
        self.other_documents = document.other_documents
        self.model = document.model
        self.source = document.source
        self.raw: Mapping[YamlPath, str] = document.interpolation.raw
        self.walker = SchemaWalker(document.model, document.interpolation.value)
        self.words = DocumentWords(document)
        self.masking = Masking(document.interpolation)
        self.stand_ins: dict[YamlPath, object] = {}
        self.beside: list[Problem] = []  # what else is told where a mistake is

    def begin(self, value: object) -> None:
        """Look at *value*, which is the document, or the document with stand-ins in it."""
        self.walker = SchemaWalker(self.model, value)

    def leave_out(self, place: Place) -> None:
        """Go on without the value at *place*; an entry whose name is refused cannot stay, and others can."""
        if place.is_key and place.path[:-1] in self.families:
            self.stand_ins[place.path] = ABSENT
        else:
            path = place.path[:-1] if place.is_key else place.path
            self.stand_ins[path] = unknown(path)

    def expect(self, path: YamlPath, *, anyhow: bool = False) -> None:
        """Take the value at *path* for known to be written, though not there; *anyhow*, in place of what is there."""
        if anyhow or path not in self.source:
            self.stand_ins[path] = unknown(path)

    def keys_of(self, schema: CoreSchema, *, only_required: bool = False) -> set[str]:
        """The keys that the mapping of *schema* takes."""
        _, model = self.walker.unwrap(schema)
        return {key for key in keys_of(model) if not only_required or is_required_key(model, key)}
