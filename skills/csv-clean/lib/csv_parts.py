"""A large CSV file in parts: columns where each cell is beyond doubt, else rows of the csv module.

polars reads many times as fast, but fills short rows without a word and has its own ideas about
quotes. So a part is given to it only if each quote opens or closes a whole cell, no line is blank,
and there are as many delimiters as its rows need. All else is read as in a small file.

Skills that read large files carry this same module, because a skill's folder stands alone.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from csv_file import FIELD_LIMIT_CHARS, MARK, MAX_COLUMNS, CsvFile

if TYPE_CHECKING:
    from polars import DataFrame

FAST_BYTES = 4 << 20  # a smaller file is read before polars is loaded
PART_BYTES = 8 << 20
DOUBTFUL_BYTES = 1 << 18  # read row by row before the fast way is tried again
FAST_COLUMNS = range(2, 1000)
LINE_END = re.compile(rb"\r\n|\r|\n")
UTF8 = ("utf-8", "utf-8-sig")

NumberedRow = tuple[int, list[str]]


class Parts:
    """Reads the file once. ``width``, the number of columns, allows for the fast way once set."""

    def __init__(self, source: CsvFile) -> None:
        self.source = source
        self.width: int | None = None
        self.wanted: list[int] | None = None  # columns of blocks; by default, all
        self._is_large = source.path.stat().st_size >= FAST_BYTES
        self._decoder = codecs.getincrementaldecoder(source.encoding)()
        self._is_utf8 = source.encoding in UTF8
        self._text = b""  # in UTF-8
        self._at = 0
        self._ended = False
        self._lines = 0
        self._size = PART_BYTES

    def __iter__(self) -> "Iterator[Block | list[NumberedRow]]":
        """Yield all rows, in order, a part at a time; the number of a row is that of its last line.

        Raises:
            BadInput: as reading row by row.
        """
        csv.field_size_limit(FIELD_LIMIT_CHARS)
        if not self._is_large or not has_polars():
            yield from ([row] for row in self.source.rows())
            return
        with self.source.path.open("rb") as file:
            self._skip_mark(file)
            self._skip_sep_line(file)
            while self._fill(file, DOUBTFUL_BYTES) or self._at < len(self._text):
                block = self._block(file) if self.width in FAST_COLUMNS else None
                if block is None:
                    yield self._rows(file)
                else:
                    yield block

    def _skip_mark(self, file: IO[bytes]) -> None:
        if self.source.encoding == "utf-8-sig" and file.read(3) != codecs.BOM_UTF8:
            file.seek(0)

    def _skip_sep_line(self, file: IO[bytes]) -> None:
        if self.source.has_sep_line:
            next(self._numbered_lines(file))

    def _fill(self, file: IO[bytes], size: int) -> bool:
        """Have so many bytes at hand, if the file has them; False once all is read."""
        while len(self._text) - self._at < size and not self._ended:
            data = file.read(max(size, DOUBTFUL_BYTES))
            self._ended = not data
            self._text = self._text[self._at :] + (data if self._is_utf8 else self._in_utf8(data))
            self._at = 0
        return not self._ended

    def _in_utf8(self, data: bytes) -> bytes:
        try:
            return self._decoder.decode(data, final=self._ended).encode()
        except UnicodeError as error:
            raise self.source.not_text(self._lines, error) from error

    def _numbered_lines(self, file: IO[bytes]) -> Iterator[str]:
        while True:
            end = LINE_END.search(self._text, self._at)
            # A carriage return at the end of what was read may be half of a line end.
            if not self._ended and (end is None or end.end() == len(self._text)):
                self._fill(file, len(self._text) - self._at + DOUBTFUL_BYTES)
                continue
            stop = end.end() if end else len(self._text)
            if stop == self._at:
                return
            try:
                line = self._text[self._at : stop].decode().removeprefix(MARK)
            except UnicodeError as error:
                raise self.source.not_text(self._lines, error) from error
            self._at = stop
            self._lines += 1
            yield line

    def _rows(self, file: IO[bytes]) -> list[NumberedRow]:
        """Some rows, by the csv module."""
        rows: list[NumberedRow] = []
        chars, before = 0, self._lines
        try:
            for cells in csv.reader(
                self._numbered_lines(file), delimiter=self.source.delimiter, strict=True
            ):
                if len(cells) > MAX_COLUMNS:
                    raise self.source.too_wide(self._lines, len(cells))
                rows.append((self._lines, cells))
                chars += sum(map(len, cells)) + len(cells)
                before = self._lines
                if chars >= DOUBTFUL_BYTES or (self.width is None and any(map(str.strip, cells))):
                    break
        except csv.Error as error:
            raise self.source.bad_quote(before, error) from error
        return rows

    def _block(self, file: IO[bytes]) -> "Block | None":
        """The next rows as columns; None if a cell is in doubt."""
        self._fill(file, self._size)
        text = self._text[self._at : self._at + self._size]
        if self._ended and self._at + self._size >= len(self._text) and not text.endswith(b"\n"):
            text += b"\n"
        block = parse(text, self.source.delimiter, self.width or 0, self.wanted)
        if block is None:
            self._size = DOUBTFUL_BYTES
            return None
        self._size = min(self._size * 2, PART_BYTES)
        self._at += len(block.content)
        self._lines += block.lines
        return block


@dataclass(frozen=True)
class Block:
    """Rows as columns of text, named by number; ``content`` has them as they are written."""

    frame: "DataFrame"
    content: bytes
    lines: int


def has_polars() -> bool:
    try:
        import polars  # noqa: F401, PLC0415
    except ModuleNotFoundError:
        return False
    return True


def parse(
    block: bytes, delimiter: str, width: int, wanted: list[int] | None = None
) -> Block | None:
    """The whole rows at the beginning of the block; None if a cell is in doubt."""
    import polars  # noqa: PLC0415

    pieces = block.split(b'"')
    last = whole_pieces(pieces)
    rest = pieces[last].rfind(b"\n") + 1
    rows = block[: sum(map(len, pieces[:last])) + last + rest]
    quoted = b"".join(pieces[1:last:2])
    sign = delimiter.encode()
    lines, returns = rows.count(b"\n"), rows.count(b"\r")
    count = lines - quoted.count(b"\n")
    if (
        len(sign) != 1
        or not count
        or not are_whole_cells([*pieces[:last], pieces[last][:rest]], sign)
        or rows.count(sign) - quoted.count(sign) != count * (width - 1)
        or any(odd in rows for odd in (b"\0", b"\n\n", b"\n" + codecs.BOM_UTF8))
        or rows.startswith((b"\n", b"\r", codecs.BOM_UTF8))
        # Either no carriage return, or one at the end of every line, and no line within a cell.
        or (returns and not (returns == rows.count(b"\r\n") == count == lines))
        or (returns and b"\n\r" in rows)
    ):
        return None
    try:
        frame = polars.read_csv(
            rows,
            has_header=False,
            columns=wanted,
            schema={str(number): polars.String for number in range(width)},
            separator=delimiter,
            empty_string_is_null=False,
        )
    except polars.exceptions.PolarsError:
        return None
    longest = frame.select(polars.max_horizontal(polars.all().str.len_bytes().max())).item()
    is_whole = frame.height == count and longest <= FIELD_LIMIT_CHARS
    return Block(frame, rows, lines) if is_whole else None


def whole_pieces(pieces: list[bytes]) -> int:
    """The number of the last piece outside quotes (they have even ones) in which a row ends."""
    last = (len(pieces) - 1) // 2 * 2
    while last > 0 and b"\n" not in pieces[last]:
        last -= 2
    return last


def are_whole_cells(pieces: list[bytes], sign: bytes) -> bool:
    """Whether each quote is the first or last of a cell, or one of two that stand for one."""
    ends = (sign, b"\n")
    if len(pieces) == 1:
        return True
    between = [piece for piece in pieces[2:-1:2] if piece]
    # In here, there is a quote before and after each piece, and none within.
    text = b'"%b"' % b'"'.join(between)
    return (
        (not pieces[0] or pieces[0].endswith(ends))
        and pieces[-1].startswith(ends)
        and (
            not between
            or sum(text.count(b'"' + end) for end in ends)
            == sum(text.count(end + b'"') for end in ends)
            == len(between)
        )
    )
