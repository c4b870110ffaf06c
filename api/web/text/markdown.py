"""Markdown of others as HTML that can do nothing: no raw HTML, few tags, checked addresses."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import nh3
from markupsafe import Markup

from api.web.text.code import highlight
from api.web.text.visible import plain, visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

MAX_CHARACTERS = 64 * 1024
# Brackets that do not close, and cells that a short row leaves out, take more than linear time;
# lines of a letter each are slow as well.
_MOST = {"[": 1_500, "|": 12_000, "\n": 6_000}

# The colours of all code in a text may take so long.
_CODE_SECONDS = 0.5
_UNTIL = "until"
_REMEMBERED_CHARACTERS = 8 * 1024

_ARTIFACT = re.compile(r"/api/v1/artifacts/[0-9a-fA-F-]{36}")
_SCHEMES = ("http", "https")
_SCROLLS = 'role="group" tabindex="0"'
_ALIGNED = re.compile(r"text-align:(center|right)")

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("a", "img", "span", "div", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "loading"},
    "ol": {"start"},
    "th": {"scope"},
    "pre": {"role", "tabindex", "aria-label"},
    "div": {"role", "tabindex", "aria-label"},
}
_CODE = ("comment", "keyword", "constant", "string", "number", "name", "builtin")
_CLASSES = {
    "p": {f"md-h{level}" for level in range(1, 7)},
    "pre": {"code"},
    "div": {"md-table"},
    "span": {f"code-{kind}" for kind in (*_CODE, "deleted", "inserted")},
    "th": {"md-center", "md-right"},
    "td": {"md-center", "md-right"},
}


def markdown(text: str) -> Markup:
    """The text as HTML; as it is, in a ``pre``, where it is long or would take long.

    Its headings are paragraphs that look like some: what others write is no part of our outline.
    """
    if len(text) > MAX_CHARACTERS or any(text.count(sign) > most for sign, most in _MOST.items()):
        return as_it_is(text)
    return _remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else _drawn(text)


def _drawn(text: str) -> Markup:
    reader = _reader()
    tokens = reader.parse(visible(text))
    _adapt(tokens)
    html = nh3.clean(
        reader.renderer.render(tokens, reader.options, {_UNTIL: time.monotonic() + _CODE_SECONDS}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes={*_SCHEMES, "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(visible(html))  # noqa: S704  (cleaned; entities may have hidden something)


@lru_cache(maxsize=256)
def _remembered(text: str) -> Markup:
    """A conversation that is followed is drawn again and again."""
    return _drawn(text)


def as_it_is(text: str) -> Markup:
    """Markdown that is not read."""
    return Markup('<pre class="plain">{}</pre>').format(plain(text))


def is_safe_link(address: str) -> bool:
    """Whether the address is one of the web, of mail, or a path of ours."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme in _SCHEMES:
        return bool(parts.netloc)
    if parts.scheme == "mailto":
        return bool(parts.path)
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    return is_path and not parts.scheme and not parts.netloc


@cache
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # What it refuses stays as the text that it was.
    reader.validateLink = is_safe_link  # type: ignore[assignment, method-assign]
    for name, rule in _RULES.items():
        reader.add_render_rule(name, rule)
    return reader


def _adapt(tokens: Iterable["Token"]) -> None:
    is_in_link = False
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.attrs = {"class": f"md-{token.tag}"} if token.nesting == 1 else {}
            token.tag = "p"
        elif token.type in ("th_open", "td_open"):
            aligned = _ALIGNED.search(str(token.attrs.get("style", "")))
            token.attrs = {"scope": "col"} if token.tag == "th" else {}
            token.attrs |= {"class": f"md-{aligned[1]}"} if aligned else {}
        elif token.type in ("link_open", "link_close"):
            is_in_link = token.nesting == 1
        elif token.type == "image":
            token.meta["is_in_link"] = is_in_link
        if token.children and token.type == "inline":
            _adapt(token.children)


def _fence(
    renderer: "RendererHTML", tokens: Sequence["Token"], index: int, options: Any, env: Any
) -> str:
    token = tokens[index]
    language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    code = highlight(token.content, language, seconds=env[_UNTIL] - time.monotonic())
    return f'<pre class="code" {_SCROLLS} aria-label="Code"><code>{code}</code></pre>\n'


def _table_open(*_: object) -> str:
    return f'<div class="md-table" {_SCROLLS} aria-label="Table"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _image(
    renderer: "RendererHTML",
    tokens: Sequence["Token"],
    index: int,
    options: Any,
    env: Any,
) -> str:
    """An image of ours is shown; another is a link, since to fetch it would tell who reads this."""
    token = tokens[index]
    address = str(token.attrs.get("src", ""))
    words = escape(renderer.renderInlineAsText(token.children or [], options, env) or "image")
    path = urlsplit(address).path
    if _ARTIFACT.fullmatch(path):
        return f'<img src="{path}" alt="{words}" loading="lazy">'
    return words if token.meta["is_in_link"] else f'<a href="{escape(address)}">{words}</a>'


_RULES: Mapping[str, Callable[..., str]] = {
    "fence": _fence,
    "code_block": _fence,
    "table_open": _table_open,
    "table_close": _table_close,
    "image": _image,
}
