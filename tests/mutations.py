"""Damage done to documents: what people, editors and merges do to them, and what nobody would."""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import TypeAlias

YamlPath: TypeAlias = tuple[str | int, ...]

ODD_SCALARS: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, -(2**70), 0.1, 1e308, float("inf"), float("nan")),
    *("", " ", "null", "~", "yes", "0", "-", "*", "**", "[", "{", "}", "${", "${}", "${A:${B}}", "$${x}", "{{ x }}"),
    *("2024-01-01", "2024-02-30", "12:30:00", "1e9", "0x10", "010", ".", "..", "/", "a.b", "a b", "a\nb", "a\tb"),
    *(
        "🙂",
        "ä",
        "\u202e",
        "\u0000",
        "\ufeff",
        "é" * 300,
        "a" * 5000,
        "@daily",
        "last:3",
        "group:",
        "+x+",
        "!x",
        "|",
        "%Y",
    ),
)
ODD_TEXT = (
    *(
        "\t",
        "\x00",
        "\x07",
        "\u202e",
        "\ufeff",
        "🙂",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        "#",
        "&a ",
        "*a ",
        "!x ",
    ),
    *("|", ">", "%", "@", "`", "${", "}", "---\n", "...\n", "<<: ", "? ", "\r", "\n", "\u2028", "\u0085", "\\", "  "),
)
ODD_LINES = (
    "---",
    "<<: *x",
    "  - a",
    "orchestration:",
    "\t",
    "x-a: &x {a: *x}",
    "? a",
    "!!python/none x",
    "name: ${",
    ":",
)


def mutate_text(text: str, random: Random) -> str:
    """*text* with one thing in it damaged."""
    return random.choice(_ON_TEXT)(text, random)


def mutate_value(value: object, random: Random) -> object:
    """A copy of the parsed document *value* with one thing in it damaged."""
    changed = copy.deepcopy(value)
    paths = [path for path in _paths_of(changed) if path]
    if not paths:
        return random.choice(ODD_SCALARS)
    random.choice(_ON_VALUES)(changed, paths, random)
    return changed


def as_yaml(value: object) -> str:
    """*value* as a document in which every mapping stands on lines of its own, and all else in one."""
    return "\n".join(_lines_of(value, ""))


def _lines_of(value: object, indent: str) -> Iterator[str]:
    if not isinstance(value, dict) or not value:
        yield f"{indent}{json.dumps(value, ensure_ascii=False)}"
        return
    for key, item in value.items():
        shown = json.dumps(key, ensure_ascii=False)
        if isinstance(item, dict) and item:
            yield f"{indent}{shown}:"
            yield from _lines_of(item, f"{indent}  ")
        else:
            yield f"{indent}{shown}: {json.dumps(item, ensure_ascii=False)}"


# ---- text


def _delete_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    del lines[random.randrange(len(lines))]
    return "\n".join(lines)


def _repeat_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    lines.insert(random.randrange(len(lines)), random.choice(lines))
    return "\n".join(lines)


def _insert_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    lines.insert(random.randrange(len(lines)), random.choice(ODD_LINES))
    return "\n".join(lines)


def _swap_lines(text: str, random: Random) -> str:
    lines = text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _indent_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    number = random.randrange(len(lines))
    lines[number] = random.choice([" ", "  ", "\t", "    "]) + lines[number]
    return "\n".join(lines)


def _unindent_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    number = random.randrange(len(lines))
    lines[number] = lines[number][random.choice([1, 2]) :]
    return "\n".join(lines)


def _truncate(text: str, random: Random) -> str:
    return text[: random.randrange(len(text) + 1)]


def _delete_some(text: str, random: Random) -> str:
    start = random.randrange(len(text) + 1)
    return text[:start] + text[start + random.choice([1, 1, 1, 2, 5, 40]) :]


def _insert_some(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(ODD_TEXT) + text[at:]


def _windows_ends(text: str, random: Random) -> str:
    return text.replace("\n", "\r\n", random.choice([-1, 1]))


_ON_TEXT: tuple[Callable[[str, Random], str], ...] = (
    *(_delete_line, _repeat_line, _insert_line, _swap_lines, _indent_line, _unindent_line),
    *(_truncate, _delete_some, _insert_some, _windows_ends),
)

# ---- values


def _delete(value: object, paths: list[YamlPath], random: Random) -> None:
    path = random.choice(paths)
    del _at(value, path[:-1])[path[-1]]  # type: ignore[attr-defined]  # the path comes from the value


def _retype(value: object, paths: list[YamlPath], random: Random) -> None:
    path = random.choice(paths)
    old = _at(value, path)
    others = [[old], {"a": old}, {"type": old}, [], {}, [[]], {"": old}, str(old), [old, old], {"secret_ref": old}]
    _set(value, path, random.choice(others))


def _replace(value: object, paths: list[YamlPath], random: Random) -> None:
    _set(value, random.choice(paths), random.choice(ODD_SCALARS))


def _exchange(value: object, paths: list[YamlPath], random: Random) -> None:
    one, other = random.choice(paths), random.choice(paths)
    _set(value, one, copy.deepcopy(_at(value, other)))


def _rename(value: object, paths: list[YamlPath], random: Random) -> None:
    path, other = random.choice(paths), random.choice(paths)
    owner = _at(value, path[:-1])
    if isinstance(owner, dict):
        owner[random.choice([str(other[-1]), f"{path[-1]}x", "", "a b", "${A}"])] = owner.pop(path[-1])


def _add(value: object, paths: list[YamlPath], random: Random) -> None:
    path, other = random.choice(paths), random.choice(paths)
    owner, new = _at(value, path), copy.deepcopy(_at(value, other))
    if isinstance(owner, dict):
        owner[str(other[-1])] = new
    elif isinstance(owner, list):
        owner.insert(0, new)
    else:
        _set(value, path, new)


def _edit_text(value: object, paths: list[YamlPath], random: Random) -> None:
    texts = [path for path in paths if isinstance(_at(value, path), str)]
    if texts:
        path = random.choice(texts)
        _set(value, path, random.choice([_delete_some, _insert_some])(str(_at(value, path)), random))


_ON_VALUES: tuple[Callable[[object, list[YamlPath], Random], None], ...] = (
    *(_delete, _retype, _replace, _replace, _exchange, _rename, _add, _edit_text),
)


def _paths_of(value: object, path: YamlPath = ()) -> Iterator[YamlPath]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths_of(item, (*path, key))


def _at(value: object, path: YamlPath) -> object:
    for part in path:
        value = value[part]  # type: ignore[index]  # the path comes from the value
    return value


def _set(value: object, path: YamlPath, new: object) -> None:
    _at(value, path[:-1])[path[-1]] = new  # type: ignore[index]  # see above
