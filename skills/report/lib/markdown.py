"""Markdown to HTML, for files that nobody has vouched for: the HTML holds no markup of theirs.

Raw HTML is shown as text, pictures by their description.
"""

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

SAFE_URL = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
RAW_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://|mailto:)", re.IGNORECASE)
CODE_SPAN = re.compile(r"((?<!`)(?P<ticks>`+)(?!`)[^`]+(?<!`)(?P=ticks)(?!`))")

Env = MutableMapping[str, Any]


class Renderer(RendererHTML):
    """``env["demote"]`` is added to the level of headings."""

    def renderToken(  # noqa: N802
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env
    ) -> str:
        token = tokens[idx]
        if token.hidden:
            return ""
        end = "\n" if token.level == 0 and token.nesting < 1 and token.block else ""
        return f"<{'/' * (token.nesting < 0)}{token.tag}{self.renderAttrs(token)}>{end}"

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env
    ) -> str:
        tokens[idx].tag = f"h{_level(tokens[idx], env['demote'])}"
        return self.renderToken(tokens, idx, options, env)

    heading_close = heading_open

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        href = str(tokens[idx].attrs.get("href", ""))
        env["links"] = bool(SAFE_URL.match(href))
        return f'<a href="{escapeHtml(href)}" rel="noreferrer">' if env["links"] else ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "</a>" if env["links"] else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return f"<em>[picture: {escapeHtml(_words(tokens[idx].children or ()))}]</em>"

    def softbreak(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return " "

    hardbreak = softbreak

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        code = tokens[idx].content.removesuffix("\n")
        return f"<pre><code>{escapeHtml(code)}</code></pre>\n"

    code_block = fence

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return '<div class="table"><table>'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "</table></div>\n"

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        # The page's policy forbids styles.
        is_number = tokens[idx].attrs.get("style") == "text-align:right"
        return f'<{tokens[idx].tag} class="number">' if is_number else f"<{tokens[idx].tag}>"

    th_open = td_open


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=Renderer).enable("table")
    # Which links are safe is for the renderer to say, which leaves the words of the others.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


PARSER = _parser()
# Only where headings and code lie, which is soon found.
OUTLINE = MarkdownIt("commonmark", {"html": False}).enable("table").disable("inline")
# Those of people, which take raw HTML for what it is.
READERS = (
    MarkdownIt("commonmark", {"html": True}),
    MarkdownIt("commonmark", {"html": True}).enable("table"),
)


def to_html(text: str, demote: int = 0) -> str:
    """Render a document; ``demote`` 2 makes ``#`` an ``h3``."""
    return str(PARSER.render(text, {"demote": demote}))


def neutralise(text: str, demote: int = 0) -> str:
    """The same document as Markdown, headings demoted, raw HTML turned into text.

    What is code may hold tags. Where a reader would not take it for code, its tags are turned into
    text as well.
    """
    lines, tokens = _lines(text), OUTLINE.parse(text)
    for kept in (("fence", "span"), ("fence",)):
        shown = "\n".join(_neutral(lines, tokens, demote, kept))
        if not RAW_TAG.search(shown) or not any(
            _has_html(reader.parse(shown)) for reader in READERS
        ):
            return shown
    return "\n".join(_neutral(lines, tokens, demote, ()))


def _neutral(
    lines: Sequence[str], tokens: Sequence[Token], demote: int, kept: Sequence[str]
) -> Iterator[str]:
    at = 0
    for number, token in enumerate(tokens):
        begin, end = token.map or (0, 0)
        is_heading = token.type == "heading_open" and token.level == 0
        if token.type != "fence" and not is_heading:
            continue
        yield from (_without_tags(line, kept) for line in lines[at:begin])
        if is_heading:
            words = " ".join(tokens[number + 1].content.split("\n"))
            yield f"{'#' * _level(token, demote)} {_without_tags(words, kept)}"
        else:
            keeps = "fence" in kept
            yield from (line if keeps else _escaped(line) for line in lines[begin:end])
        at = end
    yield from (_without_tags(line, kept) for line in lines[at:])
    if tokens and _is_left_open(tokens[-1], lines):
        yield tokens[-1].markup  # what follows in the report is not code


def _without_tags(line: str, kept: Sequence[str]) -> str:
    if "span" not in kept:
        return _escaped(line)
    shown, at = "", 0
    for span in CODE_SPAN.finditer(line):
        shown += _escaped(line[at : span.start()]) + span[0]
        at = span.end()
    return shown + _escaped(line[at:])


def _escaped(text: str) -> str:
    return RAW_TAG.sub("&lt;", text)


def _has_html(tokens: Iterable[Token]) -> bool:
    return any(
        token.type.startswith("html_") or _has_html(token.children or ()) for token in tokens
    )


def _is_left_open(token: Token, lines: Sequence[str]) -> bool:
    if token.type != "fence" or token.level > 0 or token.map is None:
        return False
    begin, end = token.map
    closing = re.compile(rf" {{0,3}}{token.markup}{token.markup[0]}*[ \t]*")
    return end - 1 == begin or not closing.fullmatch(lines[end - 1])


def take_title(text: str) -> tuple[str | None, str]:
    """The text of a heading that the document begins with, and the rest of it."""
    tokens = OUTLINE.parse(text)
    if not tokens or tokens[0].type != "heading_open" or tokens[0].map is None:
        return None, text
    [line] = PARSER.parseInline(tokens[1].content)
    return _words(line.children or ()), "\n".join(_lines(text)[tokens[0].map[1] :])


def _lines(text: str) -> list[str]:
    """Those that the parser counts."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _level(heading: Token, demote: int) -> int:
    return min(6, int(heading.tag[1]) + demote)


def _words(tokens: Sequence[Token]) -> str:
    """The text of a line without its marks."""

    def words(token: Token) -> str:
        if token.type == "image":
            return _words(token.children or ())
        return " " if token.type in ("softbreak", "hardbreak") else token.content

    return "".join(map(words, tokens))
