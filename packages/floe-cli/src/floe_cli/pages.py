"""Pages that need nothing but themselves: no network, no other file, and no script but the one that floe wrote."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from string import Template

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def build_page(name: str, *, title: str, data: object, body: str = "") -> str:
    """The page called *name*: its style, its script and its data in one HTML document.

    Args:
        name: `trace` or `graph`.
        title: What the tab of the browser shows, any text.
        data: What the script draws, as values of JSON; nothing in it can end the block that holds it.
        body: HTML that stands in the page as it is.
    """
    script = _read(f"{name}.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    return Template(_read("page.html")).substitute(
        policy=policy,
        title=html.escape(title).encode("utf-8", "replace").decode(),
        style="".join(_read(f"{part}.css") for part in ("shared", *(["picture"] if body else []), name)),
        body=Template(_read(f"{name}.html")).substitute(body=body),
        data=_json_in_html(data),
        script=script,
    )


def _json_in_html(data: object) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate cannot be written as UTF-8; \u in JSON can say it.
    text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return text


def _read(name: str) -> str:
    return (files("floe_cli") / "templates" / "pages" / name).read_text(encoding="utf-8")
