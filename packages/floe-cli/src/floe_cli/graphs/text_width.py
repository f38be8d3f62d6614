"""How wide a text will be, without asking the font: never less than a usual font makes it."""

from unicodedata import combining, east_asian_width

# Of DejaVu Sans Bold, the widest that browsers fall back to: characters by their width in hundredths of the size.
_WIDTHS = {
    34: "'ijl", 38: ' /IJ\\|,.', 42: ":;-", 46: "f!()[]", 49: "tr", 52: '_`"*', 60: "?zcs", 65: "Lvxy", 69: "akEFTeo",
    73: "0123456789$hnu{}SYbdgpqCPZ", 77: "BAKRVX", 85: "UGD#+<=>HN^~OQ", 92: "&w", 104: "%@Mm", 110: "W",
}  # fmt: skip
_BY_CHARACTER = {character: width for width, characters in _WIDTHS.items() for character in characters}
_OTHER, _WIDE = 85, 105
_ELLIPSIS = "…"
_SLACK = 0.01


def text_width(text: str, size: float) -> float:
    """Pixels that *text* takes at most, in a font of *size* pixels."""
    return sum(map(_width, text)) * size / 100


def fit_text(text: str, size: float, width: float) -> str:
    """*text*, or as much of its beginning and its end as fits into *width* pixels.

    >>> fit_text("customers", 10, 100), fit_text("a_rather_long_name_of_a_model", 10, 100)
    ('customers', 'a_rathe…_model')
    """
    if text_width(text, size) <= width + _SLACK:
        return text
    room = width - text_width(_ELLIPSIS, size)
    head = _prefix(text, size, room / 2)
    tail = _prefix(text[::-1], size, room / 2)[::-1]
    return f"{head}{_ELLIPSIS}{tail}"


def _prefix(text: str, size: float, width: float) -> str:
    taken = 0.0
    for number, character in enumerate(text):
        taken += _width(character) * size / 100
        if taken > width:
            return text[:number]
    return text


def _width(character: str) -> int:
    known = _BY_CHARACTER.get(character)
    if known is not None:
        return known
    if combining(character):
        return 0
    return _WIDE if east_asian_width(character) in "WF" else _OTHER
