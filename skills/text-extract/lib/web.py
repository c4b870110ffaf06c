"""Text of an HTML page: headings, paragraphs, lists, tables and code, in their order."""

import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag
from document import BadInput, Block, Document, Kind, Page

MAX_BYTES = 50 * 1024 * 1024

UNSEEN = {"script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object"}
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "legend", "main",
    "nav", "p", "section", "summary", "tbody", "tfoot", "thead",
    "html", "ul", "ol", "li", "table", "tr", "td", "th", "pre", *HEADINGS,
}  # fmt: skip


def read_web(path: Path, *, links: bool) -> Document:
    """``links`` writes them as Markdown does.

    Raises:
        BadInput: the page is too large.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path.name}: is over {MAX_BYTES // 1024**2} MiB of HTML. Split it.")
    soup = BeautifulSoup(path.read_bytes(), "html.parser")
    title = soup.find("title")
    builder = Builder(links=links)
    for event, node in events(soup):
        if isinstance(node, Tag):
            builder.start(node) if event == "start" else builder.end(node)
        else:
            builder.text(str(node))
    builder.flush()
    name = " ".join(title.get_text().split()) if isinstance(title, Tag) else ""
    return Document("html", [Page(None, builder.blocks)], name or None)


def events(root: Tag) -> Iterator[tuple[str, Tag | NavigableString]]:
    """Start and end of each element and the texts; no recursion, however deep a page nests."""
    open_tags: list[tuple[Tag, Iterator[object]]] = [(root, iter(root.contents))]
    while open_tags:
        tag, rest = open_tags[-1]
        node = next(rest, None)
        if node is None:
            open_tags.pop()
            yield "end", tag
        elif isinstance(node, Tag):
            if node.name not in UNSEEN:
                yield "start", node
                open_tags.append((node, iter(node.contents)))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            yield "text", node  # comments and declarations are preformatted strings


class Table:
    """Rows as they come. One that holds another is layout, and its cells are paragraphs."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.is_layout = False


class Builder:
    """Turns the events of a page into blocks."""

    def __init__(self, *, links: bool) -> None:
        self.blocks: list[Block] = []
        self.links = links
        self.parts: list[str] = []
        self.link_starts: list[int] = []
        self.tables: list[Table] = []
        self.lists: list[int | None] = []  # the number of the last item, None with bullets
        self.kind: Kind = "paragraph"
        self.level = 1
        self.mark = "-"
        self.preformatted = 0

    def start(self, tag: Tag) -> None:
        if tag.name in BLOCKS:
            self.flush()
        match tag.name:
            case "br":
                self.parts.append("\n")
            case "a":
                self.link_starts.append(len(self.parts))
            case "ul":
                self.lists.append(None)
            case "ol":
                self.lists.append(0)
            case "li":
                self._start_item()
            case "pre":
                self.kind, self.preformatted = "code", self.preformatted + 1
            case "table":
                self._start_table()
            case "tr" if self.tables and not self.tables[-1].is_layout:
                self.tables[-1].rows.append([])
            case name if name in HEADINGS:
                self.kind, self.level = "heading", HEADINGS[name]

    def end(self, tag: Tag) -> None:
        if tag.name in ("td", "th") and self.tables and not self.tables[-1].is_layout:
            self._end_cell()
        elif tag.name == "a" and self.link_starts:
            self._end_link(self.link_starts.pop(), str(tag.get("href") or ""))
        elif tag.name in BLOCKS:
            self.flush(ends=True)
        match tag.name:
            case "ul" | "ol" if self.lists:
                self.lists.pop()
            case "pre":
                self.preformatted = max(0, self.preformatted - 1)
            case "table" if self.tables:
                self._end_table()

    def text(self, text: str) -> None:
        self.parts.append(text if self.preformatted else re.sub(r"\s+", " ", text))

    def flush(self, *, ends: bool = False) -> None:
        """Close the block at hand, if it has text. Within a table's cell, the cell goes on."""
        in_cell = self.tables and not self.tables[-1].is_layout and self.tables[-1].rows
        if in_cell:
            self.parts.append(" ")
            return
        text = self._take()
        if text:
            self.blocks.append(Block(self.kind, text, self.level, self.mark))
        if text or ends:
            self.kind, self.level = "paragraph", 1

    def _take(self) -> str:
        text = "".join(self.parts)
        self.parts, self.link_starts = [], [0 for _ in self.link_starts]
        if self.kind == "code":
            return text.strip("\n").rstrip()
        return re.sub(r" *\n *", "\n", re.sub(r"[ \t]+", " ", text)).strip()

    def _start_item(self) -> None:
        self.kind, self.level, self.mark = "item", max(1, len(self.lists)), "-"
        if self.lists and (last := self.lists[-1]) is not None:
            self.lists[-1] = last + 1
            self.mark = f"{last + 1}."

    def _end_link(self, start: int, address: str) -> None:
        label = "".join(self.parts[start:]).strip()
        if self.links and label and re.match(r"https?://|mailto:", address):
            spaced = " " if "".join(self.parts[start:])[:1].isspace() else ""
            self.parts[start:] = [f"{spaced}[{label}]({address})"]

    def _start_table(self) -> None:
        if self.tables and not self.tables[-1].is_layout:
            outer = self.tables[-1]
            outer.is_layout = True
            cells = [cell for row in outer.rows for cell in row if cell]
            self.blocks += [Block("paragraph", cell) for cell in cells]
            outer.rows = []
            self.flush()
        self.tables.append(Table())

    def _end_cell(self) -> None:
        table = self.tables[-1]
        if not table.rows:
            table.rows.append([])
        table.rows[-1].append(" ".join(self._take().split()))

    def _end_table(self) -> None:
        table = self.tables.pop()
        rows = tuple(tuple(row) for row in table.rows if any(row))
        if rows and max(map(len, rows)) == 1:
            self.blocks += [Block("paragraph", row[0]) for row in rows]
        elif rows:
            self.blocks.append(Block("table", rows=rows))
