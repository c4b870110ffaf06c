"""What is taken out of a file: pages of blocks, and how they are written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

MAX_CHARACTERS = 50_000_000
MAX_HEADING_LEVEL = 6

Kind = Literal["heading", "paragraph", "item", "table", "code"]


class BadInput(Exception):
    """What is wrong, where, and what to do; the script ends with exit code 2."""


@dataclass(frozen=True)
class Block:
    """``level`` is of a heading (1-6) or list item (1 is outermost); ``rows`` are of a table.

    ``mark`` stands before a list item: a bullet or a number.
    """

    kind: Kind
    text: str = ""
    level: int = 1
    mark: str = "-"
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Page:
    """``number`` is None where the format has no pages."""

    number: int | None
    blocks: list[Block]

    def text(self) -> str:
        return _join(self.blocks, _as_text)


@dataclass(frozen=True)
class Document:
    kind: str
    pages: list[Page]
    title: str | None = None
    notes: list[str] = field(default_factory=list)


def as_text(document: Document) -> str:
    parts = []
    for page in document.pages:
        marker = f"--- page {page.number} ---\n\n" if page.number else ""
        parts.append(f"{marker}{page.text()}".rstrip())
    return "\n\n".join(parts) + "\n"


def as_markdown(document: Document) -> str:
    parts = []
    for page in document.pages:
        marker = f"<!-- page {page.number} -->\n\n" if page.number else ""
        parts.append(f"{marker}{_join(page.blocks, _as_markdown)}".rstrip())
    return "\n\n".join(parts) + "\n"


def _join(blocks: list[Block], write: Callable[[Block], str]) -> str:
    """A blank line between blocks, but none within a list."""
    written = ""
    before: Block | None = None
    for block in blocks:
        in_list = before is not None and before.kind == block.kind == "item"
        written += ("" if before is None else "\n" if in_list else "\n\n") + write(block)
        before = block
    return written


def _as_text(block: Block) -> str:
    if block.kind == "table":
        return "\n".join("\t".join(row) for row in block.rows)
    return _item(block) if block.kind == "item" else block.text


def _as_markdown(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"{'#' * min(block.level, MAX_HEADING_LEVEL)} {' '.join(block.text.split())}"
        case "item":
            return _item(block)
        case "code":
            return f"```\n{block.text}\n```"
        case "table":
            width = max(map(len, block.rows))
            lines = [_table_line(row, width) for row in block.rows]
            return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
    return block.text


def _item(block: Block) -> str:
    return f"{'  ' * (block.level - 1)}{block.mark} {' '.join(block.text.split())}"


def _table_line(row: tuple[str, ...], width: int) -> str:
    cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row]
    return f"| {' | '.join(cells + [''] * (width - len(cells)))} |"
