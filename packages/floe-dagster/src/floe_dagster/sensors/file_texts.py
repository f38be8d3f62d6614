"""What a file becomes in its run: the texts of `config`, `tags` and `partition_key` with their places filled in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from floe_core.names.partition_keys import check_partition_key
from floe_core.names.rules import RuleError
from floe_core.schemas.sensor_definition import FileWatcherSensor, file_placeholders
from floe_core.templates import Placeholder, Template, parse_template, texts_in
from floe_dagster.sensors.file_listing import show_path

FILE_TAG = "floe/file"
FILES_TAG = "floe/files"
MOST_TAG_BYTES = 2000
"""Of a tag's value in UTF-8. Dagster has an index over tags, and PostgreSQL takes at most 2,704 bytes into one."""
_FILES = "files"


class RefusedFileError(Exception):
    """A file that no run can be made for; the text is the reason."""


@dataclass(frozen=True)
class FileTexts:
    """The texts of a file watcher over *folder*.

    A path is filled in whole, so that an op can open it. Bytes that are no UTF-8 are Python's surrogates in `config`,
    which `open` takes; in tags, which the instance stores as UTF-8, each is shown as `\\xff`.
    """

    sensor: FileWatcherSensor
    folder: Path
    _templates: dict[str, Template] = field(default_factory=dict)

    def partition_key(self, path: str) -> str | None:
        """The partition that the file at *path* below the folder is for; None where floe.yaml names none.

        Raises:
            RefusedFileError: The name does not match, or gives no partition key.
        """
        groups = self._groups(path)
        if self.sensor.partition_key is None:
            return None
        key = self._fill(self.sensor.partition_key, _Values(self, (path,), groups))
        try:
            key.encode()
            return check_partition_key(key)
        except UnicodeEncodeError as error:
            raise RefusedFileError(f"'{show_path(key)}' is no UTF-8 and so no partition key") from error
        except RuleError as error:
            raise RefusedFileError(f"{key!r} is no partition key: {error}") from error

    def config_of(self, paths: Sequence[str]) -> Mapping[str, object]:
        """The run config of a run for the files at *paths*, which are one where each file has its run."""
        return self._fill_config(self._values_of(paths))

    def sample_config(self) -> Mapping[str, object]:
        """The run config with some text in each place, by which it can be checked."""
        return self._fill_config(_Values(self, ("file",), _AnyGroup()))

    def tags_of(self, paths: Sequence[str]) -> dict[str, str]:
        """The tags of such a run; the paths are among them where no text of floe.yaml names the files."""
        values = self._values_of(paths)
        tags = {key: shorten_tag(show_path(self._fill(text, values))) for key, text in self.sensor.tags.items()}
        if self._names_files:
            return tags
        shown = [show_path(self.whole(path)) for path in paths]
        if self.sensor.batch == "per_file":
            return {FILE_TAG: shorten_tag(shown[0]), **tags}
        return {**spread_tag(FILES_TAG, shown), **tags}

    @cached_property
    def _names_files(self) -> bool:
        """Whether any text of floe.yaml says what the files are."""
        sensor = self.sensor
        texts = texts_in({"config": sensor.config, "tags": sensor.tags, "partition_key": sensor.partition_key})
        return any(isinstance(part, Placeholder) for _, text in texts for part in self._template(text))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return re.compile(self.sensor.partition_pattern) if self.sensor.partition_pattern else None

    def _groups(self, path: str) -> Mapping[str, str]:
        if self._pattern is None:
            return {}
        found = self._pattern.search(path)
        if found is None:
            raise RefusedFileError(f"its path does not match partition_pattern '{self.sensor.partition_pattern}'")
        return found.groupdict(default="")

    def _values_of(self, paths: Sequence[str]) -> "_Values":
        if self.sensor.batch == "per_file":
            return _Values(self, paths, self._groups(paths[0]))
        return _Values(self, paths)

    def whole(self, path: str) -> str:
        """The absolute path of what is at *path* below the folder."""
        return str(self.folder / path)

    def _fill_config(self, values: "_Values") -> Mapping[str, object]:
        def fill(value: object) -> object:
            match value:
                case str() if self._template(value) == (Placeholder(_FILES),):
                    return [self.whole(path) for path in values.paths]
                case str():
                    return self._fill(value, values)
                case Mapping():
                    return {key: fill(item) for key, item in value.items()}
                case list() | tuple():
                    return [fill(item) for item in value]
                case _:
                    return value

        return {key: fill(value) for key, value in self.sensor.config.items()}

    def _fill(self, text: str, values: "_Values") -> str:
        return "".join(part if isinstance(part, str) else values[part.name] for part in self._template(text))

    def _template(self, text: str) -> Template:
        if text not in self._templates:
            self._templates[text] = parse_template(text, file_placeholders(self.sensor))
        return self._templates[text]


class _AnyGroup(dict[str, str]):
    """Some text for every named group."""

    def __missing__(self, name: str) -> str:
        return name


@dataclass(frozen=True, slots=True)
class _Values:
    """What is filled in for the files at *paths*, which are one but for `{files}`."""

    texts: FileTexts
    paths: Sequence[str]
    groups: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        match name:
            case "files":
                return json.dumps([self.texts.whole(path) for path in self.paths], ensure_ascii=False)
            case "file.path":
                return self.texts.whole(self.paths[0])
            case "file.name":
                return PurePosixPath(self.paths[0]).name
            case "file.stem":
                return PurePosixPath(self.paths[0]).stem
            case group:
                return self.groups[group]


def shorten_tag(value: str, *, most: int = MOST_TAG_BYTES) -> str:
    """*value*, without its middle where it has more than *most* bytes."""
    data = value.encode()
    if len(data) <= most:
        return value
    half = most // 2 - 4
    return f"{data[:half].decode(errors='ignore')} … {data[-half:].decode(errors='ignore')}"


def spread_tag(key: str, items: Sequence[str]) -> dict[str, str]:
    """Texts as JSON lists in as many tags as they need: `key`, `key.2`, `key.3`."""
    lists = [json.dumps(part, ensure_ascii=False) for part in _parts(items)]
    return {key if number == 1 else f"{key}.{number}": text for number, text in enumerate(lists, start=1)}


def spread_items(key: str, tags: Mapping[str, str]) -> Iterator[str]:
    """The texts that `spread_tag` wrote into *tags*."""
    for name, text in tags.items():
        if name == key or name.startswith(f"{key}."):
            yield from json.loads(text)


def _parts(items: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for item in items:
        short = item if _length(item) <= MOST_TAG_BYTES else shorten_tag(item, most=MOST_TAG_BYTES // 7)
        length = _length(short)
        if part and size + length > MOST_TAG_BYTES:
            yield part
            part, size = [], 0
        part.append(short)
        size += length
    if part:
        yield part


def _length(item: str) -> int:
    """Bytes that *item* has in a list; a control character is written as six."""
    return len(json.dumps(item, ensure_ascii=False).encode()) + 2
