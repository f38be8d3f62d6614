"""Python modules, functions and classes by their import paths."""

import keyword
import re
from typing import Annotated, TypeAlias

from floe_core.names.rules import Rule, RuleError


def check_module_reference(text: str) -> str:
    """*text*, if it is a dotted module path, absolute or with one leading dot, or all modules below one (`pkg.*`)."""
    path = text.removesuffix(".*").removeprefix(".")
    if not _is_dotted(path):
        raise RuleError(
            "a module is named by its import path: 'shop.bronze', or '.bronze' in the project folder, or 'shop.*'",
            fix=_dotted_like(text, of_a_module=True),
        )
    return text


def check_function_reference(text: str) -> str:
    """*text*, if it is the import path of something inside a module: `package.module.name`."""
    if not _is_dotted(text) or "." not in text:
        raise RuleError(
            "a function or class is named by its import path: module, dot and name, such as 'shop.ops.vacuum'",
            fix=_dotted_like(text),
        )
    return text


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))


def _dotted_like(text: str, *, of_a_module: bool = False) -> str:
    """The import path that a file path, a `module:name` or a call was meant to be."""
    guess = re.sub(r"\(.*\)\Z", "", text.strip())
    guess = re.sub(r"\.py\Z|\.py(?=[:/])", "", guess)
    guess = re.sub(r"[/\\:]+", ".", guess.removeprefix("./")).strip(".").replace("-", "_")
    if guess.isidentifier() and not of_a_module:
        return f"write its module before it, such as 'shop.{guess}'"
    is_close = guess != text and ("." in guess or of_a_module) and _is_dotted(guess)
    return f"write '{guess}'" if is_close else "write names joined by dots, as in an import statement"


ModuleReference: TypeAlias = Annotated[str, Rule(check_module_reference)]
FunctionReference: TypeAlias = Annotated[str, Rule(check_function_reference)]
