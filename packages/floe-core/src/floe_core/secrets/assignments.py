"""Secrets that stand under their name, in a text of any kind: `password=x`, `{"token": "x"}`, `secret 'x'`."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import TypeAlias, assert_never

from floe_core.secrets.names import KEY_OWNERS, WORDS_FOR_LOGINS
from floe_core.secrets.yaml_lines import MASK

_PASSWORD = re.compile(rf"(?:{WORDS_FOR_LOGINS})$|(?:^|_)(?:\w+_pass|\w*pwd|pw|senha)$")
_SECRET = re.compile(r"(?:secret|token|credentials?|(?:api|access|secret|private)_?key)$")
_KEY = re.compile(rf"(?:^|_)(?:(?:signing|encryption|{KEY_OWNERS})_?key|pass|sas|pat)$|authorization$")
_IN_ADDRESS = re.compile(r"(?:^|_)(?:sig|signature|key|auth|code|otp)$")
_MAYBE = re.compile(
    r"(?i)pass|pwd|pw$|secret|token|cred|key|auth|sig|sas$|pat$|wort$|woord$|contrasena|senha|code$|otp$"
)
_OF_DBT = re.compile(r"(?:model|seed|snapshot|test|source|unit_test|operation|analysis|exposure)\.\w+\.")
_EXCEPTION = re.compile(r"(?:\w+\.)*(?:[A-Z][a-z0-9]+){2,}")
_LONGEST_NAME = 128
_SHORTEST_KEY = 8
_SHORTEST_CAMEL = 4
_LONGEST_WORD = 1024

_NAME_OF_VARIABLE = r"[A-Z]+(?:_[A-Z]+)+\d?"
_NO_SECRET = re.compile(
    rf"|\*{{3,}}|{_NAME_OF_VARIABLE}|\?|%s|:\w+|\$\d+|[$%]?\{{.*|%\(.*|<.*|\$[A-Z_]+|(?i:null|none|nil|true|false|yes|no|"
    r"(?:var)?char(?:acter)?(?:\(\d+\))?|text|string|str|secretstr|int|integer|bigint|boolean|bool|bytes|uuid|json|any)"
)
_PROSE = frozenset(
    "a an and are as at authentication be by cannot column columns error expected expired failed field for from hash "
    "hashed has have if in incorrect invalid is it its may missing must name no not of on or optional provided "
    "required rejected set should that the this to too unknown unset used was were when which will with wrong you "
    "your".split()
)
_PLAIN_PATH = re.compile(r"[a-z_][a-z_0-9]*(?:\.[a-z_]+)+|[a-z_.]+\([\w.,]*")
_NUMBER = re.compile(r"\d{1,5}(?:[.,]\d+)?%?|\d{4}-\d\d-\d\d\S*")

_QUOTED = (
    r"(?:(?P<escaped>\\{1,7}['\"])(?:(?!(?P=escaped)).)*+(?:(?P=escaped)|$)"
    r"|(?P<doubled>'')(?=[\w!#$%&@?^~])(?:[^'\n]|'(?!')){1,255}+''"  # a text in a text of SQL
    r"|(?P<single>')(?:[^'\\]|\\.|'')*+'"
    r"|(?P<double>\")(?:[^\"\\]|\\.|\"\")*+\""
    r"|(?P<tag>\$\w{0,30}\$).{0,255}?(?P=tag)"
    r"|(?P<open>['\"])[^\n]*)"
)
_END = r"[,;&'\"()\[\]{}<>`|]"
_BARE = (
    r"(?P<scheme>(?i:bearer|basic|token|digest|api-?key|negotiate)[ \t]+)?"
    rf"(?P<bare>(?:(?!{_END})[^\s\\]|\\(?!['\"])|{_END}(?=[\w!@#$%^*+~?])(?![\w.-]{{1,64}}[=:]))++)"
)
_BEFORE = r"(?P<before>(?:[\w.]{0,40}\(\s?|\[\s?|[bBrRuUfFeEnN]{1,2})(?=\\{0,7}['\"]))?"
_TEXT = re.compile(_BEFORE + _QUOTED, re.DOTALL)
_WORD = re.compile(_BARE)
_MORE = re.compile(r"\s{0,64}(?:\|\||\+)\s{0,64}'(?:[^'\\]|\\.|'')*+'", re.DOTALL)
_ASSIGNMENT = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)(?P<closed>\\{0,7}['\"`]?\]?)"
    r"(?P<sign>\s*+(?:=>|:=|={1,3}|!=|<>|:(?![:/])|%3[dD]|,(?=\s?\\{0,7}['\"])|>(?=[^\s<>=]))\s*+"
    r"|(?:\s+(?:to|is|was))?\s++(?=[eEnN]?\\{0,7}['\"$])|\((?='))"
)
_FLAG = re.compile(r"(?<![\w-])--?(?P<name>[A-Za-z][\w-]*+)[ \t]++(?!-)")
_OF_USER = re.compile(r"(?<!\S)((?:-u|--user)[ =][\"']?[^\s:'\"$]{1,64}:)[^\s'\"$]+")
_WORDS_ELSEWHERE = ("identified", "password", "pragma")
_SET_ELSEWHERE = re.compile(
    r"(?i)\b(identified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+|values\s+)?"
    r"|set\s+password\s+for\s+[^\s=]+\s*=\s*(?:password\s*\(\s*)?"
    r"|pragma\s+(?:hex)?(?:re)?key\s*=\s*)"
    r"('(?:[^'\\]|\\.|'')*+'|\"[^\"\n]*+\"|[^\s'\";]+)"
)
_TOLD_IN_SQL = re.compile(
    r"--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|$)|'(?:[^']|'')*+(?:'|$)|\"[^\"]*+(?:\"|$)"
    r"|\$\$(?:[^$]|\$(?!\$))*+(?:\$\$|$)",
    re.DOTALL,
)
_TYPE = r"\w{1,64}(?: varying)?(?:\(\d{1,9}\))?"
_GAP = r"(?:\s|\\[nrt]){1,64}"
_ALIAS = re.compile(
    r"(?<![\\'])(?P<quote>\\{1,7}'|''|')"
    rf"(?:::{_TYPE}|{_GAP}as{_GAP}{_TYPE}\s{{0,8}}\))?"
    rf"{_GAP}as{_GAP}\\{{0,7}}[\"`\[]?(?P<name>[\w.-]++)",
    re.IGNORECASE,
)
_JOINED = re.compile(r"'\s{0,8}(?:\|\||\+)\s{0,8}$")
_OF_STATEMENT = re.compile(r"(?i)\bselect\b|\bLINE \d+:")
_LONGEST_TEXT = 4096
_BESIDE = ("", "to", "is", "was")
_ELEMENT = re.compile(r"[^<]{1,4096}")

_Span: TypeAlias = tuple[int, int, str]
"""Beginning and end of a value, and what is shown in its place."""


class _Kind(Enum):
    """What may stand under a name."""

    PASSWORD = auto()
    """Anything."""
    SECRET = auto()
    """What is no column, and no word of prose."""
    KEY = auto()
    """What no word looks like."""


def mask_assigned(text: str, *, is_sql: bool = False) -> str:
    """*text* with `***` for each value that stands under the name of a secret.

    >>> mask_assigned("host=db password=lovelace user=ada")
    'host=db password=*** user=ada'

    Args:
        text: Of any kind.
        is_sql: Whether it is a statement: there what a secret's name is compared with, outside texts and comments, is
            a column where it is no text.
    """
    text = _OF_USER.sub(rf"\1{MASK}", text)
    lower = text.lower()
    if any(word in lower for word in _WORDS_ELSEWHERE):
        text = _SET_ELSEWHERE.sub(rf"\1'{MASK}'", text)
    text = _replace(text, _find_aliased(text, is_sql=is_sql))
    masked = _replace(text, _find_assigned(text, is_sql=is_sql))
    return _replace(masked, _find_flags(masked))


def is_secret_name(name: str) -> bool:
    """Whether what stands under *name* is a secret, or may be one.

    >>> is_secret_name("db_password"), is_secret_name("clientSecret"), is_secret_name("password_hash")
    (True, True, False)
    """
    return _kind_of(name, is_of_address=False) is not None


def _replace(text: str, spans: Iterable[_Span]) -> str:
    parts, position = [], 0
    for start, end, shown in spans:
        parts += [text[position:start], shown]
        position = end
    return "".join([*parts, text[position:]]) if parts else text


def _find_aliased(text: str, *, is_sql: bool) -> Iterator[_Span]:
    """Texts that a statement selects under the name of a secret: `'x' as password`."""
    sign, position = None, 0
    for match in _ALIAS.finditer(text):
        name, quote, end = match["name"], match["quote"], match.end("quote")
        kind = _kind_of(name, is_of_address=False) if _MAYBE.search(name[-_LONGEST_NAME:]) else None
        if kind is None:
            continue
        if sign is None:
            sign = "as" if is_sql or _OF_STATEMENT.search(text) else ""
        lowest = max(position, end - _LONGEST_TEXT)
        start = _find_opening(text, match.start(), quote, lowest=lowest)
        if start < 0:  # a text that ends with a backslash, where that is no sign
            quote = "'"
            start = _find_opening(text, end - 1, quote, lowest=lowest)
        content = text[start + len(quote) : end - len(quote)]
        if start < 0 or not content.strip(" ,|+()") or content == name:
            continue
        if _is_text_secret(kind, content, sign=sign, in_code=False):
            yield start, end, f"{quote}{MASK}{quote}"
            position = end


def _find_opening(text: str, end: int, quote: str, *, lowest: int) -> int:
    """Where the text begins that *quote* at *end* closes, with those that `||` joins to it; -1 where it does not."""
    position = end
    while (position := text.rfind(quote, lowest, position)) >= 0:
        before = text[max(position - 24, lowest) : position]
        if len(quote) > 1:
            return position
        if before.endswith("'"):
            position -= 1
        elif not before.endswith("\\"):
            joined = _JOINED.search(before)
            if joined is None:
                return position
            position -= len(before) - joined.start()
    return -1


def _find_assigned(text: str, *, is_sql: bool) -> Iterator[_Span]:
    told = _TOLD_IN_SQL.finditer(text) if is_sql else iter(())
    around, position = next(told, None), 0
    while (match := _ASSIGNMENT.search(text, position)) is not None:
        position, name = match.end(), match["name"]
        if not _MAYBE.search(name, max(len(name) - _LONGEST_NAME, 0)):
            continue
        while around is not None and around.end() <= match.start():
            around = next(told, None)
        in_code = is_sql and (around is None or match.start() < around.start())
        span = _find_value(text, match, in_code=in_code)
        if span is not None:
            yield span
            position = span[1]


def _find_value(text: str, match: re.Match[str], *, in_code: bool) -> _Span | None:
    name, sign = match["name"], match["sign"].strip()
    before = text[match.start() - 1] if match.start() else ""
    kind = _kind_of(name, is_of_address=before in ("?", "&"))
    if kind is None:
        return None
    if sign == ">":
        element = _ELEMENT.match(text, match.end()) if before == "<" else None
        is_told = element is not None and _is_text_secret(kind, element[0].strip(), sign=sign, in_code=False)
        return (element.start(), element.end(), MASK) if element is not None and is_told else None
    value = _TEXT.match(text, match.end())
    if value is None:
        word = None if in_code or sign in (*_BESIDE, "(", ",") else _WORD.match(text, match.end())
        is_secret = word is not None and _is_word_secret(text, match, word, kind)
        return (word.start("bare"), word.end(), MASK) if word is not None and is_secret else None
    if sign == "(" and _snake_case(name) != "password":
        return None
    quote = next(q for q in map(value.group, ("escaped", "doubled", "single", "double", "tag", "open")) if q)
    start, end = value.end("before") if value["before"] else value.start(), value.end()
    closing = quote if text.endswith(quote, start + len(quote), end) else ""
    content = text[start + len(quote) : end - len(closing)]
    if sign == "," and not _is_pair(text, match, end, content):
        return None
    if not _is_text_secret(kind, content, sign=sign, in_code=in_code):
        return None
    while (more := _MORE.match(text, end)) is not None:
        end = more.end()
    return start, end, f"{quote}{MASK}{closing}"


def _is_text_secret(kind: _Kind, content: str, *, sign: str, in_code: bool) -> bool:
    """Whether a text in quotes is one, or what stands between two tags."""
    if _NO_SECRET.fullmatch(content):
        return False
    if kind is _Kind.KEY or (sign in _BESIDE and not in_code and kind is _Kind.SECRET):
        return _is_unlikely(content)
    return True


def _is_word_secret(text: str, match: re.Match[str], value: re.Match[str], kind: _Kind) -> bool:
    """Whether what stands without quotes is one: a password, and no column, call or beginning of a sentence."""
    name, word, after = match["name"], value["bare"], text[value.end() : value.end() + 1]
    is_tight = match["sign"] in ("=", "%3d", "%3D")
    plain = word.rstrip(".:?!")
    if len(word) > _LONGEST_WORD:
        return True
    if after in ("(", "[") or _is_code(plain) or (not is_tight and plain.lower() in _PROSE):
        return False
    match kind:
        case _Kind.PASSWORD:
            is_folder = _snake_case(name).endswith("pwd") and word.startswith("/")
            return not is_folder and not re.fullmatch(r"\d{1,3}", plain)
        case _Kind.SECRET:
            is_secret = is_tight or _has_digit(plain) or _is_alone(name, plain, sign=match["sign"], after=after)
            return is_secret and not _NUMBER.fullmatch(plain)
        case _Kind.KEY:
            is_camel = is_tight and name != name.lower() and len(plain) >= _SHORTEST_CAMEL
            return bool(value["scheme"]) or is_camel or _is_unlikely(plain)
        case _:
            assert_never(kind)


def _is_code(word: str) -> bool:
    """Whether it is a place in code, or names a secret itself: `password=settings.password`, `password = password2`."""
    is_name = re.fullmatch(r"[A-Za-z_][\w.]*", word) and _kind_of(word, is_of_address=False) is not None
    return bool(is_name or _NO_SECRET.fullmatch(word) or _PLAIN_PATH.fullmatch(word))


def _is_alone(name: str, word: str, *, sign: str, after: str) -> bool:
    """Whether a word without a digit is a value: behind a colon one that ends what it stands in, and no prose."""
    if ":" not in sign:
        return not re.fullmatch(r"[a-z][a-z_]*", word)
    ends = after in ("", "\n", "\r", ",", "}", "]", ")", "'", '"')
    return ends and not name.lower().endswith("token") and not _EXCEPTION.fullmatch(name)


def _find_flags(text: str) -> Iterator[_Span]:
    position = 0
    while (match := _FLAG.search(text, position)) is not None:
        position = match.end()
        kind = _kind_of(match["name"], is_of_address=False) if _MAYBE.search(match["name"]) else None
        is_one = kind in (_Kind.PASSWORD, _Kind.SECRET)
        value = (_TEXT.match(text, position) or _WORD.match(text, position)) if is_one else None
        if value is not None and value[0].rstrip(".:").lower() not in _PROSE and not _NO_SECRET.fullmatch(value[0]):
            position = value.end()
            yield value.start(), position, MASK


def _is_pair(text: str, match: re.Match[str], end: int, content: str) -> bool:
    """Whether it is `('name', 'value')`, and no list of names."""
    opening = text[max(match.start() - 9, 0) : match.start()].rstrip("\\'\"")
    is_whole = opening.endswith("(") and re.compile(r"\s?\)").match(text, end) is not None
    return is_whole and bool(match["closed"]) and _kind_of(content, is_of_address=False) is None


def _kind_of(name: str, *, is_of_address: bool) -> _Kind | None:
    if _OF_DBT.match(name):
        return None
    snake = _snake_case(name)
    if _PASSWORD.search(snake):
        return _Kind.PASSWORD
    if _SECRET.search(snake) or (is_of_address and snake.endswith(("sig", "signature"))):
        return _Kind.SECRET
    is_key = _KEY.search(snake) or (_IN_ADDRESS.search(snake) and (is_of_address or snake.startswith("x_")))
    return _Kind.KEY if is_key else None


def _snake_case(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", name[-_LONGEST_NAME:]).lower()
    return words.strip("_").rstrip("0123456789_") or words


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _is_unlikely(text: str) -> bool:
    """Whether no name, word or date looks like *text*."""
    is_word = re.fullmatch(r"[a-z]+(?:[_. -][a-z]+)*[_-]?\d{0,4}", text)
    return len(text) >= _SHORTEST_KEY and _has_digit(text) and not is_word and not _NUMBER.fullmatch(text)
