"""How messages name and show the values of a document."""

import re

from floe_core.errors import Location, YamlPath, format_yaml_path
from floe_core.schema_places import Place
from floe_core.validated_document import Spec, ValidatedDocument

_LONGEST_SHOWN = 60
_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)")
_SOURCE_TOKEN = re.compile(r"[^\s,\]}#]+")


class DocumentWords:
    """Says of places in a document what they are called there, what stands there, and where."""

    def __init__(self, document: ValidatedDocument[Spec]) -> None:
        self._document = document
        self._source = document.source
        self._raw = document.interpolation.raw

    def name(self, path: YamlPath) -> str:
        """What the value at *path* is called, such as `'cron' of schedule 'nightly'`."""
        owner, rest = self.owner(path)
        if not path:
            return self._document.title
        if not owner:
            return f"'{format_yaml_path(rest)}'"
        return f"'{format_yaml_path(rest)}' of {owner}" if rest else owner

    def owner(self, path: YamlPath) -> tuple[str, YamlPath]:
        """The entry that *path* leads into, such as `job 'load'`, and the rest of the path within it."""
        for length in range(len(path) - 1, 0, -1):
            family = self._document.families.get(path[:length])
            if family:
                name = path[length]
                shown = f"'{name}'" if isinstance(name, str) else str(name + 1)
                return f"{family} {shown}", path[length + 1 :]
        return "", path

    def shown(self, place: Place) -> str:
        """What stands there, as the document has it: `${NAME}`, not what the environment says."""
        raw = self._raw.get(place.path)
        value = place.value if raw is None else raw
        if isinstance(value, dict | list):
            return "a mapping" if isinstance(value, dict) else "a list"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str):
            return f"'{value}'" if len(value) <= _LONGEST_SHOWN else f"'{value[:_LONGEST_SHOWN]}…'"
        return self.source_text(place) or str(value)

    def source_text(self, place: Place) -> str:
        """The first word of the value as the document writes it, with every digit."""
        location = self._source.locate(*place.path)
        token = _SOURCE_TOKEN.match(location.source_line or "", (location.column or 1) - 1)
        return token[0] if token else ""

    def variable(self, place: Place) -> str:
        """The variable that the value comes from; empty where it stands in the document itself."""
        variable = _VARIABLE.search("" if place.is_key else self._raw.get(place.path, ""))
        return variable[1] if variable else ""

    def misnamed(self, place: Place) -> str:
        """That the key at *place* is no name for what it names."""
        family = self._document.families.get(place.path[:-1])
        if not family:
            return f"{self.name(place.path[:-1])} cannot have a key '{place.value}'"
        return f"{'an' if family[0] in 'aeiou' else 'a'} {family} cannot be named '{place.value}'"

    def locate(self, place: Place, offset: int | None = None) -> Location:
        """Where it stands; with *offset*, which character of the value."""
        if offset is not None and not place.is_key:
            return self._source.locate_within(place.path, str(place.value), offset=offset)
        is_container = isinstance(place.value, dict | list)
        return self._source.locate(*place.path, key=place.is_key or is_container or place.value is None)
