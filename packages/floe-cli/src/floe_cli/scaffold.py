"""The files of a new project."""

import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

TEMPLATES = ("dbt", "minimal", "partitioned")
_COMMON = "common"
_SUFFIX = ".in"  # keeps tools from taking templates for code
_TAKEN = frozenset({"data", "dbt"})


def project_files(name: str, template: str = TEMPLATES[0]) -> dict[Path, str]:
    """What a new project called *name* consists of: {path inside the project folder: text}.

    Args:
        name: Of the project.
        template: One of `TEMPLATES`.
    """
    package = package_name(name)
    written = {
        path: _fill(entry.read_text(encoding="utf-8"), name, package)
        for folder in (_COMMON, template)
        for path, entry in _walk(files("floe_cli") / "templates" / folder)
    }
    return {Path(_fill(str(path), name, package)): text for path, text in sorted(written.items())}


def package_name(name: str) -> str:
    """The Python package of a project: its name in letters that Python takes, and never that of another module.

    >>> package_name("My-Shop"), package_name("2nd-shop"), package_name("json"), package_name("data")
    ('my_shop', 'p_2nd_shop', 'json_pipeline', 'data_pipeline')
    """
    package = re.sub(r"\W+", "_", name, flags=re.ASCII).lower().strip("_")
    if not package or package[0].isdigit():
        package = f"p_{package}".rstrip("_")
    taken = iskeyword(package) or package in sys.stdlib_module_names or package in _TAKEN or find_spec(package)
    return f"{package}_pipeline" if taken else package


def _walk(folder: Traversable, below: Path = Path()) -> Iterator[tuple[Path, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, below / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield below / entry.name.removesuffix(_SUFFIX), entry


def _fill(text: str, name: str, package: str) -> str:
    return text.replace("__NAME__", name).replace("__PACKAGE__", package)
