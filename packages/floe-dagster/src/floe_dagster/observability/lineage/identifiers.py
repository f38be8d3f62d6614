"""Names in SQL as a database has them, and when it takes two for one."""

from dataclasses import dataclass

_UPPER = frozenset({"snowflake", "oracle"})
_LOWER = frozenset({"postgres", "redshift", "materialize", "risingwave", "trino", "presto", "athena"})
_EXACT = frozenset({"snowflake", "oracle", "postgres", "materialize", "risingwave"})
"""Those to which `"Id"` and `id` are two."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The names of one database, in sqlglot's word for it.

    >>> Identifiers("snowflake").name("id", is_quoted=False), Identifiers("snowflake").name("id", is_quoted=True)
    ('ID', 'id')
    """

    dialect: str

    def name(self, text: str, *, is_quoted: bool) -> str:
        """The name that the database makes of *text*."""
        if is_quoted and self.dialect in _EXACT:
            return text
        return text.upper() if self.dialect in _UPPER else text.lower() if self.dialect in _LOWER else text

    def key(self, name: str) -> str:
        """The same for all names that the database takes for one."""
        return name if self.dialect in _EXACT else name.lower()
