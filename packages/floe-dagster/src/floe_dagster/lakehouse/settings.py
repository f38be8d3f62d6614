"""Where the tables are: the catalog's properties as its client takes them, and the DuckDB file that dbt works in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_SQLITE = "sqlite:///"
SECONDS_FOR_A_LOCK = 60
_QUERY = re.compile(r"\?\w+=[^/]*$")


@dataclass(frozen=True)
class LakehouseSettings:
    """One lakehouse.

    `properties` are the catalog's, secrets included, by the names that pyiceberg gives them; an OAuth2 client may also
    be `client-id` and `client-secret`. `secrets` names those that are secret, each with the name of its secret.
    `warehouse_file` is where dbt on DuckDB builds, None where dbt works
    elsewhere. `dbt_schema` is the schema of the dbt target, with which dbt begins the name of every custom schema.
    `maintenance` is what platform.yaml says under that key, without its defaults.
    """

    properties: Mapping[str, str] = field(repr=False)
    warehouse_file: Path | None = None
    dbt_schema: str = "main"
    secrets: Mapping[str, str] = field(default_factory=dict)
    maintenance: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def embedded(cls, floe_dir: Path) -> Self:
        """The lakehouse in files below *floe_dir*, which needs nothing else installed."""
        folder = floe_dir.resolve()
        return cls(
            properties={
                "type": "sql",
                "uri": f"{_SQLITE}{folder / 'catalog.db'}",
                "warehouse": str(folder / "warehouse"),
            },
            warehouse_file=folder / "floe.duckdb",
        )

    @property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite catalog, None for any other catalog."""
        uri = self.properties.get("uri", "")
        if self.properties.get("type") != "sql" or not uri.startswith(_SQLITE):
            return None
        return Path(_QUERY.sub("", uri.removeprefix(_SQLITE)))

    @property
    def dbt_file(self) -> Path | None:
        """The DuckDB file, None where there is none or dbt has not made it yet."""
        file = self.warehouse_file
        return file if file is not None and file.exists() else None

    @property
    def client_properties(self) -> dict[str, str]:
        """`properties` in the form that pyiceberg's clients need them."""
        if self.sqlite_file is not None:
            return {**self.properties, "uri": _sqlite_uri(self.properties["uri"], self.sqlite_file)}
        return _with_login(self.properties) if self.properties.get("type") == "rest" else dict(self.properties)

    def hide_secrets(self, text: str) -> str:
        """*text* without the secrets, where a client put one into its error."""
        for name in self.secrets:
            text = text.replace(self.properties[name], "***") if self.properties.get(name) else text
        return text

    def without_secrets(self) -> dict[str, str]:
        """The properties that anybody may see."""
        return {name: value for name, value in self.properties.items() if name not in self.secrets}


def _sqlite_uri(uri: str, file: Path) -> str:
    """The client takes two characters in a path for something else, and waits five seconds for a file in use."""
    query = _QUERY.search(uri)
    path = str(file).replace("%", "%25").replace("?", "%3F")
    return f"{_SQLITE}{path}{query.group() if query else f'?timeout={SECONDS_FOR_A_LOCK}'}"


def _with_login(properties: Mapping[str, str]) -> dict[str, str]:
    """The client takes an OAuth2 client as one text, and deprecates that it knows where tokens are by itself."""
    changed = dict(properties)
    secret = changed.pop("client-secret", None)
    client = changed.pop("client-id", "")
    if secret is not None:
        changed["credential"] = f"{client}:{secret}" if client else secret
    if "credential" in changed:
        changed.setdefault("oauth2-server-uri", f"{changed.get('uri', '').rstrip('/')}/v1/oauth/tokens")
    return changed
