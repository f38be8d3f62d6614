"""From compute profiles of platform.yaml to the profile that dbt reads, with secrets as `env_var()`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from floe_core.schemas.compute_profile import ComputeProfile, DuckDBCompute
from floe_core.schemas.secrets import SecretRef

_PREFIX = "DBT_ENV_SECRET_"
_NOT_FOR_DBT = frozenset({"reads_catalog"})
_FILES = frozenset(
    "path sslrootcert sslcert sslkey private_key_path keyfile client_certificate client_private_key keytab krb5_config "
    "cert".split()
)
_NO_FILES = frozenset({"true", "false"})


@dataclass(frozen=True, slots=True)
class DuckDBPlugin:
    """A plugin of dbt-duckdb: its module, its name within dbt and what it is configured with."""

    module: str
    alias: str
    config: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DbtProfile:
    """The content of a profiles.yml, and the variables that must be set for dbt: {variable: name of the secret}."""

    content: dict[str, object]
    secret_variables: dict[str, str]


def build_dbt_profile(
    name: str,
    outputs: Mapping[str, ComputeProfile],
    *,
    target: str,
    base_dir: Path,
    duckdb_plugins: Sequence[DuckDBPlugin] = (),
) -> DbtProfile:
    """The profile that dbt reads.

    Args:
        name: Name of the profile, as dbt_project.yml has it.
        outputs: {dbt target: compute profile}.
        target: The target that dbt takes when none is named.
        base_dir: Folder to which relative paths in the compute profiles refer.
        duckdb_plugins: What every DuckDB output loads.

    Source:
        dbt masks the values of variables that begin with DBT_ENV_SECRET wherever it writes. It reads every text of a
        profile as a Jinja template.
    """
    secrets: dict[str, str] = {}
    built = {
        output: _build_output(compute, base_dir=base_dir, plugins=duckdb_plugins, secrets=secrets)
        for output, compute in outputs.items()
    }
    return DbtProfile({name: {"target": target, "outputs": built}}, secrets)


def secret_variable(secret: SecretRef) -> str:
    """The variable through which dbt gets the value of *secret*.

    >>> secret_variable(SecretRef(secret_ref="PG_PASSWORD"))
    'DBT_ENV_SECRET_PG_PASSWORD'
    """
    return f"{_PREFIX}{secret.secret_ref}"


def _build_output(
    compute: ComputeProfile, *, base_dir: Path, plugins: Sequence[DuckDBPlugin], secrets: dict[str, str]
) -> dict[str, object]:
    output: dict[str, object] = {}
    for field, info in type(compute).model_fields.items():
        value: object = getattr(compute, field)
        if value is None or value in ((), {}) or field in _NOT_FOR_DBT:
            continue
        if field in _FILES and isinstance(value, str) and value not in _NO_FILES:
            value = str(base_dir / Path(value).expanduser())
        output[info.alias or field] = _profile_value(value, secrets)
    if isinstance(compute, DuckDBCompute) and plugins:
        output["plugins"] = [
            {"module": plugin.module, "alias": plugin.alias, "config": _profile_value(plugin.config, secrets)}
            for plugin in plugins
        ]
    return output


def _profile_value(value: object, secrets: dict[str, str]) -> object:
    if isinstance(value, SecretRef):
        variable = secret_variable(value)
        secrets[variable] = value.secret_ref
        return f"{{{{ env_var('{variable}') }}}}"
    if isinstance(value, Mapping):
        return {key: _profile_value(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_profile_value(item, secrets) for item in value]
    return _escape(value) if isinstance(value, str) else value


def _escape(text: str) -> str:
    """*text* such that Jinja gives it back as it is."""
    is_template = any(mark in text for mark in ("{{", "{%", "{#"))
    return "{{ " + repr(text) + " }}" if is_template else text
