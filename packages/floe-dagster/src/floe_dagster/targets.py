"""What a reference such as `package.module.function` in a document leads to."""

import inspect
import sys
from collections.abc import Callable
from types import ModuleType

from floe_core.errors import Location, Problem, TargetError
from floe_core.suggestions import closest_names, did_you_mean, list_names
from floe_dagster.user_code.modules import (
    describe_user_error,
    import_user_module,
    list_modules_in,
    missing_module,
    module_exists,
)

_UNSET = object()


def load_target(reference: str, *, location: Location | None = None) -> object:
    """The object that *reference* names, its module imported now if it was not before.

    Args:
        reference: `package.module.name`; attributes of a class follow with further dots.
        location: Where the document says it.

    Raises:
        TargetError: The module does not exist or cannot be imported, it has no such name, or the reference names the
            module itself.
    """
    module, attributes = _load_module_of(reference, location)
    if not attributes:
        raise TargetError(_names_a_module(reference, module, location))
    found: object = module
    for depth, attribute in enumerate(attributes):
        value = _attribute(found, attribute, reference, location)
        if value is _UNSET:
            raise TargetError(_missing_attribute(reference, found, attributes[: depth + 1], module, location))
        found = value
    return found


def load_callable(reference: str, *, location: Location | None = None) -> Callable[..., object]:
    """The function, class or other callable that *reference* names.

    Raises:
        TargetError: As `load_target`, or what it names cannot be called.
    """
    target = load_target(reference, location=location)
    if not callable(target):
        raise TargetError(
            Problem(
                code="FLOE-312",
                what=f"'{reference}' is of type {type(target).__name__}, which cannot be called",
                location=location,
                why="a function is wanted here",
            )
        )
    return target


def _load_module_of(reference: str, location: Location | None) -> tuple[ModuleType, list[str]]:
    parts = reference.split(".")
    depth = 1
    wanted = ".".join(parts[:-1]) or reference
    module = import_user_module(parts[0], location=location, error_class=TargetError, wanted=wanted)
    while depth < len(parts) and not _is_defined_in(module, parts[depth]):
        name = ".".join(parts[: depth + 1])
        if not module_exists(name):
            break
        module = import_user_module(name, location=location, error_class=TargetError)
        depth += 1
    return module, parts[depth:]


def _is_defined_in(module: ModuleType, name: str) -> bool:
    """Whether *name* is there and is no submodule: a package may define a function named like one of its modules."""
    value = vars(module).get(name, _UNSET)
    return value is not _UNSET and not isinstance(value, ModuleType)


def _attribute(owner: object, name: str, reference: str, location: Location | None) -> object:
    try:
        return getattr(owner, name)
    except AttributeError:
        return _UNSET
    except Exception as error:  # a module's own __getattr__ is the user's code
        raise TargetError(
            Problem(
                code="FLOE-303",
                what=f"'{reference}' raises {type(error).__name__} when it is looked up",
                location=location,
                detail=describe_user_error(error),
            )
        ) from error


def _names_a_module(reference: str, module: ModuleType, location: Location | None) -> Problem:
    own = _own_names(module)
    last = reference.rpartition(".")[2]
    close = [last] if last in own else list(closest_names(last, own))
    return Problem(
        code="FLOE-311",
        what=f"'{reference}' names a module, not something in it",
        location=location,
        why=f"the module defines {list_names(own)}",
        fix=f"did you mean '{reference}.{close[0]}'?" if close else "add a dot and the name of the function",
    )


def _missing_attribute(
    reference: str, owner: object, attributes: list[str], module: ModuleType, location: Location | None
) -> Problem:
    path = [module.__name__, *attributes]
    prefix, last = ".".join(path[:-1]), path[-1]
    own = _own_names(owner)
    if isinstance(owner, ModuleType) and hasattr(owner, "__path__") and not reference.endswith(f".{last}"):
        return missing_module(reference.rpartition(".")[0], f"{owner.__name__}.{last}", location)
    if isinstance(owner, ModuleType) and hasattr(owner, "__path__"):
        return _missing_in_package(reference, owner, own, location)
    kind = "module" if isinstance(owner, ModuleType) else "class" if inspect.isclass(owner) else type(owner).__name__
    return Problem(
        code="FLOE-311",
        what=f"{kind} '{prefix}' has no '{last}'",
        location=location,
        why=f"it defines {list_names(own)}",
        fix=did_you_mean(f"{prefix}.{last}", [f"{prefix}.{name}" for name in closest_names(last, own)]),
    )


def _missing_in_package(reference: str, package: ModuleType, own: list[str], location: Location | None) -> Problem:
    """A name that is neither defined in a package's own file nor one of its modules."""
    modules = list_modules_in(package)
    prefix, _, last = reference.rpartition(".")
    elsewhere = [f"{name}.{last}" for name in _imported_below(package) if _is_defined_in(sys.modules[name], last)]
    close = [f"{prefix}.{name}" for name in closest_names(last, [*own, *modules])]
    meant = [quoted for quoted in (*elsewhere, *close) if quoted != reference]
    return Problem(
        code="FLOE-311",
        what=f"package '{package.__name__}' has no '{last}'",
        location=location,
        why=f"it defines {list_names(own)}, and its modules are {list_names(modules)}",
        fix=f"did you mean {' or '.join(map(repr, dict.fromkeys(meant[:2])))}?"
        if meant
        else "write package.module.function",
    )


def _imported_below(package: ModuleType) -> list[str]:
    prefix = f"{package.__name__}."
    return sorted(name for name, module in sys.modules.items() if name.startswith(prefix) and module is not None)


def _own_names(owner: object) -> list[str]:
    """The public names that *owner* itself defines, in its order; of a module what can be called, if there is such."""
    names = [name for name, value in vars(owner).items() if not name.startswith("_") and not inspect.ismodule(value)]
    if not isinstance(owner, ModuleType):
        return names
    own = [name for name in names if getattr(vars(owner)[name], "__module__", owner.__name__) == owner.__name__]
    return [name for name in own if callable(vars(owner)[name])] or own
