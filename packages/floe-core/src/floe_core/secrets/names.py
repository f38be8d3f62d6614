"""Which keys are those of secrets, and which values below them are secrets, and no names of columns or places."""

import re
from functools import cache

WORDS_FOR_LOGINS = "password|passwd|passphrase|passcode|passwort|kennwort|mot_?de_?passe|contrasena|wachtwoord"
KEY_OWNERS = (
    "routing|integration|service|account|storage|shared|master|licen[sc]e|app|application|client|deploy|ssh|hmac|webhook|"
    "ingest|subscription"
)
"""What a key may be called after that is a secret only where it looks like one."""

_ORDINALS = r"first|second|third|last|next|final|single|multi|one|two|by|high|low|band|boarding|season|fail"
_PASSWORD = (
    rf"(?:^|_)(?:{WORDS_FOR_LOGINS}|pwd|pw|senha|t?otp_(?:secret|seed))$"
    rf"|(?:^|_)(?!(?:{_ORDINALS})_)[a-z0-9]+_pass$"
)
_CERTAIN = (
    r"(?:^|_)(?:(?:client|api|app|application|consumer|shared|webhook|hook|jwt|session|oauth2?|access|hmac|signing)_?secret|"
    r"secret_(?:key|access_key|token|value)|access_key_secret|(?:api|access)_?key|secretkey|(?:signing|encryption|private)_key|"
    r"(?:api|access|auth|bearer|refresh|session|private|personal|oauth2?|security|sas|jwt)_?token)$"
)
_LIKELY = rf"(?:^|_)(?:secret|token|credentials?|pass|pat|sas|authorization|bearer|(?:{KEY_OWNERS})_key)$"
_NAMED_ELSEWHERE = r"(?:^|_)(?:existing|pull|password|tls|vault|k8s|kubernetes)_secret$"
_PIN = r"(?:^|_)pin$"
_AROUND_LOGINS = frozenset(
    "auth authentication conn connection creds credential credentials database db login smtp".split()
)
_WITHIN_LOGINS = frozenset({"pass", "secret", "token"})

_PLACEHOLDER = (
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?i:true|false|yes|no|none|null|required|optional|empty)|\$[A-Z_][A-Z0-9_]*|"
    r"(?:\{\{|%\(|<|\*\*).*"
)
_REFERENCE = (
    r"(?:vault|op|ref\+\w+|ssm|asm|aws-?sm|gcp-?sm|gsm|akv|keyvault|secretsmanager|sops|doppler|infisical|conjur|env|file|"
    r"secret):\S+|arn:aws[\w-]*:(?:secretsmanager|ssm):\S+|projects/[^/\s]+/secrets/\S+"
)
_PATH = (
    r"(?:~|\.{1,2}|/(?:run|etc|var|opt|home|mnt|secrets?|vault|usr|tmp|root|app|data|keys|certs?))(?:/[\w.@-]+)+"
    r"|(?:[\w-]+/)*[\w.-]+\.(?:pem|key|p8|p12|pfx|jks|crt|cer|json|txt|ya?ml|asc|gpg|pub)"
)
_WORDS = r"[a-z]+(?:[_-][a-z]+)*[_-]?(?:\d|(?:19|20)\d\d)?"
_SEVERAL_WORDS = r"[a-z]+(?:[_-][a-z]+)+[_-]?(?:\d|(?:19|20)\d\d)?"
_AMOUNT_OR_STANDARD = r"[A-Z0-9]{2,7}|\d+(?:[.,]\d+)?\s?[A-Za-z%]{0,3}|(?:v|erc|bep|trc|sha|md|utf|base|cl|gpt)-?\d+\w?"
_HEADER = r"(?i)(?:bearer|basic|token|api-?key|digest|negotiate)\s+(?!token\b|auth|required|\W)\S{3,}"
_SHORTEST_TOKEN = 4
_SHORTEST_FOR_PEOPLE = 8
_PINS = range(1000, 10**8)
_SMALLEST_SECRET_NUMBER = 1000


@cache
def snake_case(key: str) -> str:
    """*key*, as the rules about names read it.

    >>> snake_case("clientSecret"), snake_case("X-Api-Key")
    ('client_secret', 'x_api_key')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", key).lower()


def is_password_name(key: str) -> bool:
    """Whether whatever stands under *key* is a password, a number as well."""
    return bool(re.search(_PASSWORD, snake_case(key)))


def is_secret_name(key: str) -> bool:
    """Whether *key* is called like a secret, whatever stands under it."""
    name = snake_case(key)
    return any(re.search(names, name) for names in (_PASSWORD, _CERTAIN, _LIKELY, _PIN)) or name == "pass"


def is_secret_number(key: str, number: int) -> bool:
    """Whether *number* under *key* is a secret, such as a PIN."""
    name = snake_case(key)
    if re.search(_PIN, name):
        return number in _PINS
    return is_password_name(key) or (number >= _SMALLEST_SECRET_NUMBER and bool(re.search(_CERTAIN, name)))


def is_named_as_secret(key: str, text: str, *, above: str = "", is_for_people: bool = False) -> bool:
    """Whether *text* is a secret because of the key that it stands under.

    Args:
        key: The key.
        text: Without its expressions resolved.
        above: The key of the mapping around it: `pass` below `credentials` is no number of a pass over data.
        is_for_people: Whether it is a label or a note, in which a single word is rather a word.
    """
    name = snake_case(key)
    if not text.strip() or "${" in text or re.fullmatch(_PLACEHOLDER, text):
        return False
    if re.fullmatch(_REFERENCE, text) or re.fullmatch(_PATH, text):
        return False
    around = snake_case(above)
    if re.search(_PASSWORD, name) or (name in _WITHIN_LOGINS and around in _AROUND_LOGINS):
        return True
    if re.search(_CERTAIN, name):
        return not (text == name or text.endswith(f"_{name}") or " " in text)
    if re.search(_PIN, name):
        return bool(re.fullmatch(r"\d{4,8}", text))
    return bool(re.search(_LIKELY, name)) and _looks_like_a_secret(name, text, is_for_people=is_for_people)


def _looks_like_a_secret(name: str, text: str, *, is_for_people: bool) -> bool:
    """Whether text under a key such as `token` is a secret and no word, column or amount."""
    if name.endswith("authorization"):
        return bool(re.fullmatch(_HEADER, text)) or _has_digit(text, _SHORTEST_FOR_PEOPLE)
    if re.search(_NAMED_ELSEWHERE, name):
        return False
    if is_for_people:
        return _has_digit(text, _SHORTEST_FOR_PEOPLE)
    if name == "secret" and " " not in text:
        return not re.fullmatch(_SEVERAL_WORDS, text)
    return _has_digit(text, _SHORTEST_TOKEN) and not re.fullmatch(_AMOUNT_OR_STANDARD, text)


def _has_digit(text: str, shortest: int) -> bool:
    is_one = len(text) >= shortest and " " not in text and bool(re.search(r"\d", text))
    return is_one and not re.fullmatch(_WORDS, text)
