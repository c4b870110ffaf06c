"""A line of a file with a mark below the place that is meant, as compilers show it."""

from collections.abc import Iterator

from rich.text import Text

from api.cli.terminal import safe_line

_WIDTH = 96
_BEFORE = 24  # Of a line that is too long, so much is shown before the place.


def source_lines(text: str, line: int, column: int) -> Iterator[Text]:
    """Nothing where the text has no such line, or it is empty."""
    lines = text.splitlines()
    written = lines[line - 1].replace("\t", " ") if 0 < line <= len(lines) else ""
    if not written.strip():
        return
    at = min(column - 1, len(written))
    begin = max(0, at - _BEFORE) if len(written) > _WIDTH else 0
    before, rest = safe_line(written[begin:at]), safe_line(written[at : begin + _WIDTH])
    gutter = f"{line:>6} | "
    yield Text.assemble((gutter, "dim"), before, rest)
    yield Text.assemble((f"{'| ':>{len(gutter)}}", "dim"), " " * len(before), ("^", "bold red"))
