"""Markdown to HTML, for files that nobody has vouched for: the HTML holds no markup of theirs.

The subset that people and agents write: headings, paragraphs, lists, tables, quotes, fenced code,
emphasis, code spans and links. Raw HTML is shown as text, pictures by their description.
"""

import html
import re
from collections.abc import Callable, Iterator

FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
RULE = re.compile(r"\s{0,3}([-*_])(\s*\1){2,}\s*$")
BULLET = re.compile(r"\s*[-*+]\s+(.*)")
NUMBERED = re.compile(r"\s*\d{1,9}[.)]\s+(.*)")
QUOTE = re.compile(r"\s{0,3}>\s?(.*)")
TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
# Every repetition has a bound: a hostile line must not cost the square of its length.
INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`{1,3})(?P<code>[^`].{0,999}?)(?P=ticks)(?!`)"
    r"|!\[(?P<picture>[^\]]{0,300})\]\([^)]{0,2000}\)"
    r"|\[(?P<label>[^\]]{1,300})\]\((?P<url>[^)\s]{1,2000})[^)]{0,500}\)"
    r"|\*\*(?P<strong>[^\s*][^*]{0,999})\*\*"
    r"|(?<![\w*])(?P<mark>[*_])(?P<emphasis>[^\s*_][^*_]{0,999})(?P=mark)(?![\w*])"
)
SAFE_URL = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
RAW_TAG = re.compile(r"<(?=[A-Za-z/!?])(?!https?://|mailto:)", re.IGNORECASE)
CODE_SPAN = re.compile(r"(`{1,3}[^`]{1,1000}`{1,3})")


def to_html(text: str, demote: int = 0) -> str:
    """Render a document; ``demote`` 2 makes ``#`` an ``h3``."""
    lines = text.splitlines()
    return "\n".join(_blocks(lines, demote))


def neutralise(text: str, demote: int = 0) -> str:
    """The same document as Markdown, headings demoted, raw HTML turned into text."""
    fence = ""
    shown = []
    for line in text.splitlines():
        mark = FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence and not mark:
            parts = CODE_SPAN.split(line)
            parts[::2] = [RAW_TAG.sub("&lt;", part) for part in parts[::2]]
            line = "".join(parts)  # noqa: PLW2901
            if heading := HEADING.match(line):
                line = f"{'#' * min(6, len(heading[1]) + demote)} {heading[2]}"  # noqa: PLW2901
        shown.append(line)
    if fence:
        shown.append(fence)  # what follows in the report is not code
    return "\n".join(shown)


def take_title(text: str) -> tuple[str | None, str]:
    """The text of a heading on the first line, and the rest of the document."""
    first, _, rest = text.lstrip().partition("\n")
    heading = HEADING.match(first)
    return (plain(heading[2]), rest) if heading else (None, text)


def plain(text: str) -> str:
    """The text of one line without its marks."""
    return html.unescape(re.sub(r"<[^>]{0,3000}>", "", inline(text)))


def inline(text: str) -> str:
    """Render the marks within a line."""
    shown, end = "", 0
    for match in INLINE.finditer(text):
        shown += _escape(text[end : match.start()]) + _span(match)
        end = match.end()
    return shown + _escape(text[end:])


def _span(match: re.Match[str]) -> str:
    part = match.groupdict()
    if part["escaped"] is not None:
        return html.escape(part["escaped"])
    if part["code"] is not None:
        return f"<code>{html.escape(part['code'].strip())}</code>"
    if part["picture"] is not None:
        return f"<em>[picture: {_escape(part['picture'])}]</em>"
    if part["label"] is not None:
        label = inline(part["label"])
        url = html.unescape(part["url"])
        safe = SAFE_URL.match(url)
        return f'<a href="{html.escape(url)}" rel="noreferrer">{label}</a>' if safe else label
    if part["strong"] is not None:
        return f"<strong>{inline(part['strong'])}</strong>"
    return f"<em>{inline(part['emphasis'])}</em>"


def _escape(text: str) -> str:
    """``&lt;`` stays the sign that it stands for."""
    return html.escape(html.unescape(text))


def _blocks(lines: list[str], demote: int) -> Iterator[str]:
    number = 0
    while number < len(lines):
        line, start = lines[number], number
        number += 1
        if not line.strip():
            continue
        if fence := FENCE.match(line):
            number = _end(lines, number, lambda text: not text.strip().startswith(fence[1]))
            code = html.escape("\n".join(lines[start + 1 : number]))
            number += 1
            yield f"<pre><code>{code}</code></pre>"
        elif heading := HEADING.match(line):
            level = min(6, len(heading[1]) + demote)
            yield f"<h{level}>{inline(heading[2])}</h{level}>"
        elif RULE.match(line):
            yield "<hr>"
        elif "|" in line and number < len(lines) and _rules_table(lines[number]):
            number = _end(lines, number, lambda text: "|" in text)
            yield _table(lines[start:number])
        elif QUOTE.match(line):
            number = _end(lines, number, lambda text: QUOTE.match(text) is not None)
            quoted = " ".join(QUOTE.sub(r"\1", text) for text in lines[start:number])
            yield f"<blockquote><p>{inline(quoted)}</p></blockquote>"
        elif item := BULLET.match(line) or NUMBERED.match(line):
            marker = item.re
            number = _end(lines, number, lambda text: _in_list(text, marker))  # noqa: B023
            yield _list(lines[start:number], marker)
        else:
            number = _end(lines, number, lambda text: not _starts_block(text))
            yield f"<p>{inline(' '.join(text.strip() for text in lines[start:number]))}</p>"


def _end(lines: list[str], number: int, goes_on: Callable[[str], bool]) -> int:
    """The number of the first line that the block does not go on in."""
    while number < len(lines) and goes_on(lines[number]):
        number += 1
    return number


def _starts_block(line: str) -> bool:
    patterns = (FENCE, HEADING, RULE, BULLET, NUMBERED, QUOTE)
    return not line.strip() or any(pattern.match(line) for pattern in patterns)


def _in_list(line: str, marker: re.Pattern[str]) -> bool:
    """Another item, or an item's second line."""
    return bool(marker.match(line) and not RULE.match(line)) or not _starts_block(line)


def _list(lines: list[str], marker: re.Pattern[str]) -> str:
    items: list[str] = []
    for line in lines:
        if match := marker.match(line):
            items.append(match[1])
        else:
            items[-1] += f" {line.strip()}"
    tag = "ul" if marker is BULLET else "ol"
    return f"<{tag}>{''.join(f'<li>{inline(item)}</li>' for item in items)}</{tag}>"


def _rules_table(line: str) -> bool:
    return "|" in line and TABLE_RULE.match(line) is not None


def _table(lines: list[str]) -> str:
    header, rule, *rows = [_cells(line) for line in lines]
    right = [cell.endswith(":") and not cell.startswith(":") for cell in rule]
    return table(
        [inline(cell) for cell in header],
        [[inline(cell) for cell in row[: len(header)]] for row in rows],
        right[: len(header)],
    )


def _cells(line: str) -> list[str]:
    bare = line.strip().removeprefix("|")
    bare = bare if bare.endswith("\\|") else bare.removesuffix("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", bare)]


def table(
    header: list[str], rows: list[list[str]], right: list[bool], css_class: str = "table"
) -> str:
    """An HTML table of cells that are HTML; ``right`` says which columns are numbers."""

    def row(cells: list[str], tag: str) -> str:
        cells = cells + [""] * (len(header) - len(cells))
        classes = [' class="number"' if number else "" for number in right]
        classes += [""] * (len(header) - len(right))
        shown = (f"<{tag}{c}>{cell}</{tag}>" for cell, c in zip(cells, classes, strict=True))
        return f"<tr>{''.join(shown)}</tr>"

    body = "\n".join(row(cells, "td") for cells in rows)
    return (
        f'<div class="{css_class}"><table><thead>{row(header, "th")}</thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )
