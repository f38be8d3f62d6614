"""What dbt keeps of a parsed project, and how another environment gets dbt to take it as it is.

dbt parses a project again, all of it, when the vars, the target or the connection are not those it was parsed with.
Three differences change nothing in the result, and floe knows them: another place of the same database and schemas,
another place of the project, and vars that only one run is about, such as its partition. For those the hashes that dbt
compares are replaced in a copy; files whose parsing reads such a var get another checksum there, so that dbt parses
these and no others. Everywhere else dbt decides.
"""

import hashlib
import importlib.metadata
import json
import pprint
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # has no type hints

from floe_dagster.dbt.files import replace_file, replace_text
from floe_dagster.dbt.index import RelationNames

PARSED_STATE = "partial_parse.msgpack"

_CIRCUMSTANCES = "parsed_for.json"
_NO_CHECKSUM = b"0" * 64


def load_parsed_state(file: Path) -> Mapping[str, Any]:
    """The state in *file*; empty where there is nothing that can be read."""
    try:
        state = msgpack.unpackb(file.read_bytes(), strict_map_key=False)
    except (OSError, ValueError, msgpack.UnpackException):
        return {}
    return state if isinstance(state, dict) else {}


@dataclass(frozen=True)
class Circumstances:
    """What a project was parsed with."""

    project_dir: str
    profile: str
    """Digest of profiles.yml."""
    names: tuple[str, ...] | None
    """Database, schema and adapter of a generated profile."""
    vars: Mapping[str, str]
    """Name → digest of the value."""

    @classmethod
    def of(
        cls, *, project_dir: Path, profiles_file: Path, names: RelationNames | None, cli_vars: Mapping[str, object]
    ) -> "Circumstances":
        """Those of a call of dbt."""
        content = profiles_file.read_bytes() if profiles_file.is_file() else b""
        return cls(
            project_dir=str(project_dir.resolve()),
            profile=hashlib.sha256(content).hexdigest(),
            names=(names.database, names.schema, names.adapter) if names is not None else None,
            vars={name: hashlib.sha256(repr(value).encode()).hexdigest() for name, value in cli_vars.items()},
        )

    @classmethod
    def load(cls, state_file: Path) -> "Circumstances | None":
        """Those of the state in *state_file*; None where they are not known."""
        try:
            content = json.loads(state_file.with_name(_CIRCUMSTANCES).read_bytes())
            return cls(**{**content, "names": tuple(content["names"]) if content["names"] else None})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, state_file: Path) -> None:
        """Note them beside *state_file*."""
        replace_text(state_file.with_name(_CIRCUMSTANCES), json.dumps(asdict(self)))

    def differ_only_in_place(self, other: "Circumstances") -> bool:
        """Whether nothing differs that could change what parsing gives."""
        return self.names is not None and self.names == other.names and self.vars == other.vars


def vars_hash(cli_vars: Mapping[str, object], *, profile: str | None, target: str | None) -> str:
    """What dbt compares to tell whether a project was parsed with these vars, profile and target.

    Source:
        dbt.parser.manifest.ManifestLoader.build_manifest_state_check of dbt 1.10 and 1.11. Where another version
        counts otherwise, hashes differ and dbt parses again.
    """
    parts = [pprint.pformat(dict(cli_vars)), profile or "", target or "", importlib.metadata.version("dbt-core")]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def profile_hash(connection: Mapping[str, object]) -> str:
    """What dbt compares to tell whether a project was parsed with this connection; source as for `vars_hash`."""
    return hashlib.sha256(pprint.pformat(sorted(connection.items())).encode()).hexdigest()


def adopt_parsed_state(
    state_file: Path,
    destination: Path,
    *,
    hashes: Mapping[str, str],
    project_dir: Path,
    changed: Collection[str] = (),
) -> None:
    """Copy a state so that dbt takes it as it is.

    Args:
        state_file: What dbt wrote.
        destination: The copy.
        hashes: `vars_hash`, `profile_hash` → what dbt will compare with.
        project_dir: Where the project is now: seeds are read from there.
        changed: Checksums of the files that dbt is to parse again.
    """
    content = _moved(state_file.read_bytes(), project_dir)
    for name, value in hashes.items():
        content = _hash_pattern(name).sub(rb"\g<1>" + value.encode(), content, count=1)
    for checksum in changed:
        content = content.replace(checksum.encode(), _NO_CHECKSUM)
    replace_file(destination, lambda unfinished: unfinished.write_bytes(content))


def _moved(content: bytes, project_dir: Path) -> bytes:
    if b"root_path" not in content:
        return content
    state = msgpack.unpackb(content, strict_map_key=False)
    root, old = str(project_dir), state.get("metadata", {}).get("project_name")
    seeds = [node for node in state["nodes"].values() if node.get("root_path") and node.get("package_name") == old]
    if all(node["root_path"] == root for node in seeds):
        return content
    for node in seeds:
        node["root_path"] = root
    packed: bytes = msgpack.packb(state)
    return packed


def _hash_pattern(name: str) -> re.Pattern[bytes]:
    """A hash in the state, in the form in which dbt packs it: a map of its name and 64 digits."""
    key = name.encode()
    head = bytes([0xA0 + len(key)]) + key + b"\x82\xa4name\xa6sha256\xa8checksum\xd9\x40"
    return re.compile(b"(" + re.escape(head) + b")[0-9a-f]{64}")
