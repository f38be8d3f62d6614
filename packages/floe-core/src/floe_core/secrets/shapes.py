"""What a secret looks like: tokens of known services, passwords by their name, and random text."""

import base64
import math
import re
from collections import Counter
from collections.abc import Iterator

from floe_core.secrets.names import is_named_as_secret, snake_case

_SHAPES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    # clouds
    ("an AWS access key", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("an AWS session token", ("FwoG", "IQoJ"), r"\b(?:FwoG|IQoJ)[A-Za-z0-9+/]{80,}"),
    ("an Amazon MWS token", ("amzn.mws.",), r"\bamzn\.mws\.[0-9a-f-]{36}"),
    ("a Google API key", ("AIza",), r"\bAIza[\w-]{35}"),
    ("a Google client secret", ("GOCSPX-",), r"\bGOCSPX-[\w-]{20,}"),
    ("a Google access token", ("ya29.",), r"\bya29\.[\w-]{20,}"),
    ("an Azure client secret", ("Q~",), r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,}"),
    ("a storage key", ("Key=", "key=", "KEY="), r"(?i)\b(?:AccountKey|SharedAccessKey)=[^;\s]{8,}"),
    ("a shared access signature", ("sig=",), r"(?:^|[?&])sig=[\w%+/-]{20,}"),
    ("an instrumentation key", ("InstrumentationKey=",), r"\bInstrumentationKey=[0-9a-f-]{36}"),
    ("a DigitalOcean token", ("_v1_",), r"\bdo[por]_v1_[0-9a-f]{64}"),
    ("an Alibaba access key", ("LTAI",), r"\bLTAI[A-Za-z0-9]{16,}"),
    ("a Tencent secret id", ("AKID",), r"\bAKID[A-Za-z0-9]{32}"),
    ("a Yandex API key", ("AQVN",), r"\bAQVN[\w-]{35,}"),
    ("a Heroku key", ("HRKU-",), r"\bHRKU-[\w-]{30,}"),
    ("a Netlify token", ("nfp_",), r"\bnfp_[A-Za-z0-9]{36,}"),
    ("a Fly token", ("fo1_", "fm2_"), r"\b(?:fo1|fm2)_[\w-]{30,}"),
    # code hosts and registries
    ("a GitHub token", ("gh", "github_pat_"), r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,})"),
    ("a GitLab token", ("gl",), r"\bgl(?:pat|dt|rt|ptt|soat|cbt|imt|agent|ft)-[\w-]{20,}"),
    ("an Atlassian token", ("ATATT", "ATCTT", "ATBB"), r"\b(?:AT[AC]TT3[\w=-]{40,}|ATBB[A-Za-z0-9]{24,})"),
    (
        "a registry token",
        ("npm_", "pypi-", "rubygems_"),
        r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-\w[\w-]{40,}|rubygems_[0-9a-f]{40,})",
    ),
    (
        "a registry token",
        ("dckr_", "oy2", "AKC"),
        r"\b(?:dckr_[op]at_[\w-]{20,}|oy2[a-z0-9]{43}|AKC[a-z0-9][A-Za-z0-9]{50,})",
    ),
    ("a Terraform token", (".atlasv1.",), r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}"),
    ("a Vault token", ("hv", "s."), r"(?<![\w.])(?:hv[sbr]\.[\w-]{20,}|s\.(?=\w*\d)(?=\w*[A-Z])[A-Za-z0-9]{24}(?!\w))"),
    ("a Pulumi token", ("pul-",), r"\bpul-[0-9a-f]{40}"),
    ("a Doppler token", ("dp.",), r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}"),
    ("an age key", ("AGE-SECRET-KEY-",), r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    (
        "a token of a build service",
        ("CCIPAT_", "bkua_", "sq"),
        r"\b(?:CCIPAT_\w{40,}|bkua_[0-9a-f]{40}|sq[pau]_[0-9a-f]{40})",
    ),
    (
        "a token of a service",
        ("GOOG1E", "dose", "eyJ"),
        r"\bGOOG1E[A-Z0-9]{50,}|\bdose[0-9a-f]{32}|\b[sp]k\.eyJ[\w-]{10,}\.[\w-]{10,}",
    ),
    ("an Asana token", (":",), r"\b\d/\d{12,}(?:/\d{12,})?:[0-9a-f]{32}"),
    # chat, mail, payments
    ("a Slack token", ("xox", "xapp-"), r"\b(?:xox[abeoprs]|xapp)-[\w-]{10,}"),
    ("a Slack webhook", ("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows|triggers)/\S+"),
    (
        "a webhook",
        ("/webhook", "/hooks/"),
        r"(?i)discord(?:app)?\.com/api/webhooks/\d+/\S+|office\.com/webhookb2/\S+|/hooks/catch/\d+/\w+",
    ),
    ("a Discord token", ("M", "N", "O"), r"(?<![\w.-])[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,}"),
    ("a Telegram token", (":AA",), r"\b\d{8,10}:AA[\w-]{32,}"),
    ("a Stripe key", ("k_live_", "k_test_", "whsec_"), r"\b(?:[rsp]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}"),
    ("a Square token", ("sq0", "EAAA"), r"\b(?:sq0(?:atp|csp|idp)-[\w-]{22,}|EAAA[\w-]{56,})"),
    ("a PayPal token", ("access_token$",), r"\baccess_token\$\w+\$\w+\$[0-9a-f]{32}"),
    ("a Shopify token", ("shp",), r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("a Twilio key", ("SK",), r"\bSK[0-9a-f]{32}\b"),
    (
        "a mail service key",
        ("SG.", "key-", "-us", "xkeysib-"),
        r"\bSG\.[\w-]{16,}\.[\w-]{16,}|\bkey-[0-9a-f]{32}\b|\b[0-9a-f]{32}-us\d{1,2}\b|\bxkeysib-\w{40,}",
    ),
    # models and monitoring
    ("an API key", ("sk-", "pk-", "xai-", "pplx-"), r"\b(?:[sp]k|xai|pplx)-(?=[\w-]{0,100}\d)[\w-]{20,}"),
    ("an API key", ("hf_", "r8_", "gsk_", "hcaik_", "ph"), r"\b(?:hf|r8|gsk|hcaik|ph[cx])_[A-Za-z0-9]{28,}"),
    ("a New Relic key", ("NR",), r"\bNR(?:AK|II|RA|JS)-[\w-]{20,}|\b[0-9a-f]{36,40}NRAL\b"),
    ("a Grafana token", ("gl",), r"\bgl(?:sa_\w{32}_[0-9a-f]{8}|c_[A-Za-z0-9+/]{32,})"),
    (
        "a Sentry key",
        ("sntry", "sentry.io"),
        r"\bsntry[su]_[\w+/=-]{40,}|//[0-9a-f]{32}(?::[0-9a-f]{32})?@[\w.]*sentry\.io",
    ),
    ("a Dynatrace token", ("dt0",), r"\bdt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    # databases and data services
    ("a Databricks token", ("dapi",), r"\bdapi[0-9a-f]{32}"),
    ("a dbt token", ("dbt",), r"\bdbt[cu]_[\w-]{30,}"),
    ("an Airtable token", ("pat",), r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("a Notion token", ("secret_", "ntn_"), r"\b(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,})"),
    ("a database token", ("pscale_", "sbp_"), r"\b(?:pscale_(?:pw|tkn|oauth)_[\w.=-]{30,}|sbp_[0-9a-f]{40})"),
    ("a JSON web token", ("eyJ",), r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    # anywhere
    (
        "a private key",
        ("PRIVATE KEY", "PuTTY-User-Key", "MII"),
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\bPuTTY-User-Key-File|\bMII[A-Za-z0-9+/]{100,}",
    ),
    (
        "an address with a password",
        ("@",),
        r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:(?!\$\{)[^/\s:@]+@|\b\w+/(?!\$\{)[^\s/@]+@//\w",
    ),
    ("an address with a password", ("@",), r"(?<![\w/.:-])[\w.-]+:(?=[^\s@]*\d)[^\s:@/${}]{6,}@[\w-]+\.\w"),
    ("a password", (":",), r"^(?=[^:]*[A-Za-z*])[\w.*-]+:(?:\d{2,5}|\*):[^:\s/]+:[^:\s]+:[^:\s]*[A-Za-z][^:\s]*$"),
    ("an address with a token", ("://",), r"://(?=[^/\s:@]*\d)[\w-]{8,}@"),
    (
        "an API key",
        ("-", "_"),
        (
            r"(?i)(?:^|[\s_-])(?:live|access|secret|pat|token|api|apikey|key|auth|sk)[_-](?:\w{2,12}[_-])?"
            r"(?:[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
        ),
    ),
    (
        "a header with a credential",
        ("earer", "asic", "enie", "EARER"),
        r"(?i)\b(?:bearer|basic|geniekey)\s+(?=\S*\d)[\w.~+/=-]{16,}",
    ),
    ("a password", ("-u ", "--user "), r"(?:^|\s)(?:-u|--user)\s+[^\s:$]+:(?!\$)[^\s:]+"),
    ("a password", ("login ",), r"\blogin\s+\S+\s+password\s+\S+"),
    (
        "a password",
        (" -p",),
        (
            r"\bmysql\w*\s(?:[^|;&]*\s)?-p(?!\$)[^\s'\"-]\S+"
            r"|\b(?:sshpass|(?:docker|podman|helm registry) login\b[^|;&]*?)\s-p\s?(?!\$)\S+"
        ),
    ),
    (
        "an address with a secret",
        ("?", "&"),
        (
            r"(?i)(?<=[?&])(?!(?:page|next|continuation|sync|cursor|csrf)[_-]?)[\w-]*"
            r"(?:password|passwd|secret|token|api[_-]?key|access[_-]?key)=(?![$<{]|%7B|\w*(?:none|null|true|false)(?:&|$))([^&\s#'\"]{3,})"
        ),
    ),
    (
        "a password",
        ("--p", "--t", "--s", "--a"),
        r"(?i)--(?:password|token|secret|(?:api|access|secret)-?key)[ =]+(?![$<{-])[^\s$]{4,}",
    ),
    (
        "a password",
        ('": "', '":"', "': '"),
        (
            r"(?i)[\"']\w*(?:password|passwd|pwd|secret|token|api_?key)[\"']\s*:\s*"
            r"[\"'](?!\$|<|\{|string|text|str|varchar|null)[^\"'\s]{4,}[\"']"
        ),
    ),
)
"""What it is, what stands in every such text, and its shape; few texts are ever held against one."""

_MARKED_SHAPES = [(mark, what, shape) for what, marks, shape in _SHAPES for mark in marks]
_SIGNS = r"[0-9=@:]|-----"
"""One of these stands in every secret without capitals that can be told by its shape."""

_PLACEHOLDER = r"(?!\$|<|\{|%|\*|\[|['\"]?(?:\$|<|\{|%|\*)|(?:null|none|true|false)\b)"
_ASSIGNMENT = (
    rf"(?i)(?:password|passwd|passphrase|pwd)(?:=|\s=\s?){_PLACEHOLDER}([^\s;&,)]+)"
    rf"|(?:secret|token|api[_-]?key|access[_-]?key|sas)={_PLACEHOLDER}(?=[^\s;&,)]*\d)([^\s;&,)]{{8,}})"
    r"|\b(?:password|passwd|passphrase|pwd|pw|secret|token|api[_ -]?key|access[_ -]?key)(?::\s+|\s+is\s+)"
    rf"{_PLACEHOLDER}(?=[^\s;&,)]*\d)(?!\d{{4}}-\d\d-\d\d|\d+\b)([^\s;&,)]{{6,}})"
    r"|\b(?:password|passwd|pass|secret|token|api[_ -]?key|access[_ -]?key)\s+(?=(?:[^\s\d]*\d+){2})(?=\S*[A-Za-z]\d)"
    r"(?=\S*\d[A-Za-z])([A-Za-z0-9_-]{10,})"
)
_ASSIGNED_NAMES = ("pass", "pwd", "pw ", "secret", "token", "key", "sas=")

_KEY_OF_DATA = r"(?:primary|unique|partition|sort|foreign|surrogate|natural|business|cluster|cache|group)_key$"
_ID_NAME = (
    r"(?:^|_)(?:ids?|uuid|guid|hash|digest|checksum|commit|sha\d*|md5|etag|fingerprint|integrity|revision|version|ref)$"
)
_WORD_BESIDE_SECRETS = r"(?i)secret|token|password|passwd|(?:api|access|private)[_ -]?key|credential|\bsigns?\b"
_URL = r"[A-Za-z][A-Za-z0-9+.-]{0,20}://\S+"
_HEXADECIMAL = r"[0-9a-f]{32,}|[0-9A-F]{32,}"
_RANDOM = r"(?<![\w+/.-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=-])"
_STRIPE_ID = r"(?:price|prod|cus|sub|si|pi|ch|in|ii|plan|acct|evt|txn|pm|seti|re|po|cs|qt|card|src|tok)_\w{14,32}"
_KSUID = r"[0-3][A-Za-z0-9]{26}"
"""An id that sorts by its time, as random as a key of that length; those of today begin so, and few keys do."""
_SHORTEST_RANDOM = 24
_SHORTEST_WORD = 3
_MOST_WORDS = 0.5
_LEAST_ENTROPY = 3.7
"""Bits per character; words stay below, random base64 of this length is above."""
_WINDOW = 2048
_OVERLAP = 512


def windows_of(text: str) -> Iterator[str]:
    """*text* in parts that are short enough to be searched, each with the end of the one before."""
    for start in range(0, max(len(text) - _OVERLAP, 1), _WINDOW - _OVERLAP):
        yield text[start : start + _WINDOW]


def find_secret(key: str, text: str, *, above: str = "", is_for_people: bool = False) -> str:
    """What secret *text* holds, such as "an AWS access key"; nothing where it holds none.

    Args:
        key: The key that the text stands under.
        text: Without its expressions resolved; short, see `windows_of`.
        above: The key of the mapping around it.
        is_for_people: Whether the text is prose or a label, in which ids and links are common: random text counts there
            only beside a word such as "token".
    """
    name = snake_case(key)
    is_prose = is_for_people and " " in text
    is_named = not is_prose and (
        is_named_as_secret(key, text, above=above, is_for_people=is_for_people) or _is_key_of_numbers(name, text)
    )
    return (
        find_secret_shape(text)
        or (f"the value of '{key}'" if is_named else "")
        or ("what looks like a random key" if _has_random(name, text, is_for_people=is_for_people) else "")
        or _find_encoded(text)
    )


def find_secret_shape(text: str) -> str:
    """What secret can be told in *text*, which is short, by its shape alone."""
    if text.islower() and not re.search(_SIGNS, text):
        return ""
    for mark, what, shape in _MARKED_SHAPES:
        if mark in text and re.search(shape, text):
            return what
    return _find_assigned(text.replace("%3D", "="))


def find_shapes(text: str, *, with_assignments: bool) -> Iterator[tuple[int, int]]:
    """Where in *text* secrets begin and end that can be told by their shape alone; some of them more than once.

    Args:
        text: Any.
        with_assignments: Whether `password=` and the like count.
    """
    for number, window in enumerate(windows_of(text)):
        offset = number * (_WINDOW - _OVERLAP)
        for start, end in _shapes_in(window, with_assignments=with_assignments):
            yield offset + start, offset + end


def _shapes_in(text: str, *, with_assignments: bool) -> Iterator[tuple[int, int]]:
    for mark, _, shape in _MARKED_SHAPES:
        if mark in text:
            yield from (found.span(found.lastindex or 0) for found in re.finditer(shape, text))
    if with_assignments:
        yield from (found.span(found.lastindex or 0) for found in _assignments(text))


def line_holds_secret(line: str) -> bool:
    """Whether a line of YAML, which may be broken, holds a secret."""
    for window in windows_of(line):
        pairs = re.findall(r"(?<![\w.-])([\w.-]+)[\"']?\s*:\s*[\"']?([^\s,\"'{}\[\]]+)", window)
        if find_secret_shape(window) or any(find_secret(key, value) for key, value in pairs):
            return True
    return False


def _find_assigned(text: str) -> str:
    return next(("a password" if found[1] else "the value of a secret" for found in _assignments(text)), "")


def _assignments(text: str) -> Iterator[re.Match[str]]:
    lower = text.lower()
    if (" " not in text and "=" not in text) or not any(name in lower for name in _ASSIGNED_NAMES):
        return
    for found in re.finditer(_ASSIGNMENT, text):
        if not re.fullmatch(r"[A-Z][A-Z_]*", found[found.lastindex or 0]):
            yield found


def _is_key_of_numbers(name: str, text: str) -> bool:
    return name.endswith("key") and not re.search(_KEY_OF_DATA, name) and bool(re.fullmatch(_HEXADECIMAL, text))


def _has_random(name: str, text: str, *, is_for_people: bool) -> bool:
    if len(text) < _SHORTEST_RANDOM or (re.search(_ID_NAME, name) and not name.endswith("key_id")):
        return False
    if re.fullmatch(_KSUID, text):
        return False
    if is_for_people and not (re.search(_WORD_BESIDE_SECRETS, text) or re.search(_WORD_BESIDE_SECRETS, name)):
        return False
    return any(map(_is_random, re.findall(_RANDOM, re.sub(_URL, " ", text))))


def _is_random(text: str) -> bool:
    if not all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]")) or re.fullmatch(_STRIPE_ID, text):
        return False
    words = [word for word in re.findall(r"[A-Z]?[a-z]+|(?:19|20)\d\d", text) if re.search("[aeiouy0-9]", word)]
    if sum(len(word) for word in words if len(word) >= _SHORTEST_WORD) / len(text) >= _MOST_WORDS:
        return False
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts) >= _LEAST_ENTROPY


def _find_encoded(text: str) -> str:
    """What secret stands in *text* once its base64 is undone."""
    if len(text) < _SHORTEST_RANDOM or len(text) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text):
        return ""
    try:
        return find_secret_shape(base64.b64decode(text).decode("ascii"))
    except ValueError:
        return ""
