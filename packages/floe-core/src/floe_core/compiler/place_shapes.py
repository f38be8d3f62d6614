"""What a place looks like that only platform.yaml may name: addresses, hosts, buckets, regions."""

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_URL = (
    r"(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"]|^[a-z0-9]*fs:/\S"
    r"|^//[\w-]+(?:\.[\w-]+)*(?:\.[a-z]{2,}(?:[/:]|$)|:\d)|\btcp\("
)
_REMOTE_PATH = r"(?s)[\w.-]+@[\w-]+(?:\.[\w-]+)*:[\w~./-]+|[\w-]*[\d.][\w.-]*:/\w.*|\\\\[\w.-]+\\.*"
_CONNECTION = (
    r"(?i)\bjdbc:|\b(?:AccountKey|SharedAccessKey|AccountName|AccountEndpoint)=|\b(?:Server|Data Source)=[^;]{1,200};"
    r"|\bhost=\S{1,200}\s+(?:\w+=\S*\s+){0,6}(?:dbname|user|password)=|\(\s*HOST\s*=|\bDriver=\{"
)
_CLOUD_RESOURCE = (
    r"\barn:aws[\w-]*:|^projects/[\w${}-]+/(?:subscriptions|topics|secrets|locations|datasets|instances|regions|zones|"
    r"buckets|databases|serviceAccounts)/|^/subscriptions/[\w${}-]+(?:/|$)"
    r"|^(?:vpc|subnet|sg|i|ami|vol|eni|rtb|igw|nat|snap|lt|eipalloc)-(?=[0-9a-f]*\d)[0-9a-f]{8,17}$"
)
_CLOUD_DOMAINS = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "windows.net",
    "azure.com",
    "azurecr.io",
    "googleapis.com",
    "gserviceaccount.com",
    "gcr.io",
    "pkg.dev",
    "snowflakecomputing.com",
    "azuredatabricks.net",
    "databricks.com",
    "database.cloud",
    "svc.cluster.local",
    "aivencloud.com",
    "mongodb.net",
    "supabase.co",
    "neon.tech",
    "confluent.cloud",
    "cloudflarestorage.com",
    "digitaloceanspaces.com",
    "aliyuncs.com",
    "psdb.cloud",
    "clickhouse.cloud",
    "motherduck.com",
)
_CLOUD_HOST = rf"(?i)[\w-]+\.(?:{'|'.join(map(re.escape, _CLOUD_DOMAINS))})(?![\w.-]*@)(?:[:/\s,;]|$)"
_HOST_WORDS = (
    "api|www|s?ftp|smtp|imap|mail|db|sql|mysql|postgres|pg|redis|kafka|broker|mqtt|auth|sso|ldap|files?|cdn|s3|minio|nas|git|"
    "registry|proxy|vpn|gateway|gw|ns\\d|host|server|node|web|app"
)
_HOST = (
    rf"(?:{_LABEL}\.)+(?:internal|local|localdomain|lan|corp|intranet|svc|example|home\.arpa)(?:/\S*)?"
    rf"|(?:{_LABEL}\.){{2,}}(?:com|org)(?:/\S*)?"
    rf"|(?:{_HOST_WORDS})[\dA-Za-z-]*\.(?:{_LABEL}\.)+(?:net|io|dev|app|ai|cloud|tech|info|de|uk|fr|ch|nl|eu|at|be|es|pl|se|dk|fi|cz|pt|jp|cn|kr|au|br|ca)(?:/\S*)?"
)
"""Names of tables have dots and may end like countries, so that of those only such count as begin like hosts."""
_HOST_PORT = rf"({_LABEL}(?:\.{_LABEL})*):(\d{{2,5}})(?:/\S*)?"
_NO_HOSTS = frozenset(
    "tag group kind owner key asset last first top limit source path config model version state result sha sha256 md5 "
    "page size batch level row rows line chapter sprint lag ttl timeout window count max min".split()
)
_SYSTEM_PORTS = frozenset((21, 22, 25, 53, 80, 110, 143, 389, 443, 445, 465, 514, 587, 636, 993, 995))
_FIRST_FREE_PORT = 1024
_YEARS = range(1900, 2048)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP_ADDRESS = rf"(?:{_OCTET}\.){{3}}{_OCTET}(?:/\d{{1,2}})?(?::\d{{2,5}})?(?:/[a-z]\S*)?"
_SMALL_IP_ADDRESS = r"(?!(?:0|10|127|172|192)\.)\d\d?(?:\.\d\d?){3}"
"""Which rather numbers a section or a version."""
_IPV6_ADDRESS = (
    r"(?i)\[?(?=[0-9a-f:]*\d)(?=[0-9a-f:]*[0-9a-f]{3}|::1\b)((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})\]?"
    r"(?::\d{2,5}|/\d{1,3})?"
)
_COLONS_OF_IPV6 = 7
_COMPASS = r"(?:north|south|east|west|central)(?:east|west)?"
_CITIES = (
    "ashburn|phoenix|chicago|sanjose|frankfurt|amsterdam|zurich|milan|stockholm|marseille|paris|madrid|london|cardiff|tokyo|"
    "osaka|seoul|chuncheon|sydney|melbourne|mumbai|hyderabad|singapore|jeddah|dubai|abudhabi|riyadh|jerusalem|johannesburg|"
    "saopaulo|vinhedo|santiago|bogota|toronto|montreal|queretaro|monterrey"
)
_REGION = (
    rf"(?:us|eu|ap|sa|ca|me|af|il|cn|mx)(?:-gov|-iso[a-z]?)?-{_COMPASS}-\d[a-f]?"
    rf"|(?:us|europe|asia|australia|northamerica|southamerica|africa|me)-{_COMPASS}\d+(?:-[a-f])?"
    rf"|(?:us|eu|uk|ap|sa|ca|me|af|il|mx)-(?:{_CITIES})-\d"
    r"|cn-(?:hangzhou|shanghai|beijing|shenzhen|qingdao|zhangjiakou|huhehaote|chengdu|guangzhou|hongkong)"
    r"|(?:west|north)europe|(?:east|west|central|northcentral|southcentral|westcentral)us[23]?|(?:east|southeast)asia"
    r"|(?:uk|france|germany|norway|switzerland|korea|japan|brazil|australia|uae|southafrica|canada|sweden|poland|italy|israel|"
    r"spain|mexico|newzealand|qatar|southindia|india)(?:north|south|east|west|southeast|central2?|westcentral)\d?"
    r"|(?:central|south|west)india"
)
_WHOLE_REGION = rf"(?:(?:aws|gcp|azure)-)?(?:{_REGION})"
_ACCOUNT = rf"[\w-]+\.(?:{_REGION})(?:\.(?:aws|azure|gcp))?|\w+\.[a-z]+(?:-[a-z0-9]+)+\.(?:aws|azure|gcp)"
_HOST_KEY = r"(?:^|_)(?:host|hosts|hostname|hostnames|server|servers|broker|brokers)$"
_BUCKET_KEY = r"(?<!time_)(?<!date_)(?<!age_)(?<!size_)(?<!price_)(?<!hash_)(?:^|_)bucket(?:_?name)?$"
_BUCKET = (
    r"(?!\d+\s*[a-z]{0,7}$|(?:hour|dai|day|week|month|year|quarter|minute|second)\w*$|[a-z]+_(?:id|at|date|key)$)"
    r"(?=[\d.-]*[a-z])[a-z0-9][a-z0-9._-]{2,62}"
)
_NO_HOST_VALUE = r"(?i)true|false|yes|no|none|null|default|all|any|self|auto"
_MODULE_KEY = r"(?:^|_)(?:target|function|fn|module|modules|class|callable|handler|package|import|method)$"
_VERSION_KEY = r"(?:^|_)(?:version|versions|release|revision)$"
_EXPRESSION = r"\$\{\w+\}"


def find_place(key: str, text: str) -> str:
    """What place *text* names, such as "a remote address"; nothing where it names none.

    Args:
        key: The key that the text stands under.
        text: With at most plain expressions such as `${HOST}` in it.
    """
    plain, name = re.sub(_EXPRESSION, "x", text).strip(), key.lower()
    if plain.isidentifier():
        return _find_by_key(name, plain)
    return find_address(text) or _find_host(name, plain) or _find_by_key(name, plain)


def find_address(text: str) -> str:
    """The same, for texts in which a colon and a dot have a meaning of their own, such as selections."""
    if text.isidentifier():
        return ""
    if re.search(_URL, text) or re.fullmatch(_REMOTE_PATH, text.strip()):
        return "a remote address"
    if re.search(_CONNECTION, text):
        return "a connection string"
    if re.search(_CLOUD_RESOURCE, text):
        return "the name of a cloud resource"
    lower = text.lower()
    has_domain = "." in text and any(domain in lower for domain in _CLOUD_DOMAINS)
    return "the host of a cloud service" if has_domain and re.search(_CLOUD_HOST, text) else ""


def _find_host(key: str, text: str) -> str:
    parts = text.split(",")
    if any(_is_host_and_port(part.strip()) for part in parts):
        return "a host and port"
    ipv6 = re.fullmatch(_IPV6_ADDRESS, text)
    if ipv6 and ("::" in ipv6[1] or ipv6[1].count(":") == _COLONS_OF_IPV6):
        return "an IP address"
    if re.search(_VERSION_KEY, key) or re.fullmatch(_SMALL_IP_ADDRESS, text):
        return ""
    if re.fullmatch(_IP_ADDRESS, text):
        return "a host and port" if ":" in text else "an IP address"
    if re.fullmatch(_HOST, text) and not re.search(_MODULE_KEY, key):
        return "a host"
    return ""


def _is_host_and_port(text: str) -> bool:
    found = re.fullmatch(_HOST_PORT, text)
    if found is None or found[1].lower() in _NO_HOSTS or int(found[2]) > 65535:
        return False
    host, port = found[1], int(found[2])
    if host[0].isdigit():
        return bool(re.fullmatch(rf"(?:{_OCTET}\.){{3}}{_OCTET}", host)) or ("." in host and not host.isdigit())
    if "." in host:
        return True
    return not host.isupper() and (port in _SYSTEM_PORTS or (port >= _FIRST_FREE_PORT and port not in _YEARS))


def _find_by_key(key: str, text: str) -> str:
    if any(re.fullmatch(_WHOLE_REGION, part) for part in re.split(r"[,\s]+", text.lower().replace("_", "-"))):
        return "a cloud region"
    if re.fullmatch(_ACCOUNT, text):
        return "the account of a cloud service"
    if not text or re.fullmatch(_NO_HOST_VALUE, text):
        return ""
    if re.search(_HOST_KEY, key) and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", text):
        return "a host"
    return "a bucket" if re.search(_BUCKET_KEY, key) and re.fullmatch(_BUCKET, text) else ""
