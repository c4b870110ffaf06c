"""The messages in what a program prints.

By the protocol each is a line of its own. Some programs print JSON over several lines, with line
breaks in its texts, or without one at the end; and many a line is no message at all. So what looks
like the beginning of a message waits for its end, until a whole message comes on a line of its own,
or nothing comes for a while.
"""

import re
from collections.abc import Iterator

from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from activities.tools.mcp.limits import MAX_MESSAGE_BYTES
from activities.units import KIBIBYTE

MAX_LINES = 20_000  # of one message
LINES_OF_A_MESSAGE = 100
"""So many lines that are held count as much as a message."""

# A program prints a message at once, whatever lines it takes.
_UNFINISHED_SECONDS = 2.0
_LINE_END_SECONDS = 0.1
_MAX_LINE_BYTES = 64 * KIBIBYTE  # of one without an end: to look at it again and again takes time

_SIGN = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
_BEGINS = (b"{", b"[")
_ENDS = (b"}", b"]")
_GOES_ON = (b"{", b"[", b",")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Pieces:
    """Takes what is printed, and gives pieces that may be messages."""

    def __init__(self) -> None:
        self.is_too_long = False
        self._line = bytearray()
        self._held = bytearray()
        self._held_lines = 0
        self._uncounted_lines = 0
        self._is_array = False
        self._depth = 0
        self._is_in_text = False
        self._is_looked_at = False

    @property
    def patience_seconds(self) -> float | None:
        """How long the rest of what waits may take; None if nothing does."""
        if self._held:
            return _UNFINISHED_SECONDS
        may_be_whole = self._line.endswith(_ENDS) and len(self._line) <= _MAX_LINE_BYTES
        return _LINE_END_SECONDS if may_be_whole and not self._is_looked_at else None

    def feed(self, printed: bytes) -> Iterator[bytes]:
        """``is_too_long`` tells of a line for which there is no room."""
        self._is_looked_at = False
        begin = 0
        while (end := printed.find(b"\n", begin)) >= 0:
            line = bytes(self._line) + printed[begin : end + 1]
            self._line.clear()
            begin = end + 1
            if len(line) > MAX_MESSAGE_BYTES:
                self.is_too_long = True
                return
            yield from self._take(line)
        self._line += printed[begin:]
        self.is_too_long = len(self._line) > MAX_MESSAGE_BYTES

    def wait_no_more(self) -> Iterator[bytes]:
        """What waits, as its rest does not come. A line without an end may yet have one, unless it
        is a message as it is."""
        if self._held or _is_message(bytes(self._line)):
            yield from self.rest()
        self._is_looked_at = True  # And not again until more comes.

    def rest(self) -> Iterator[bytes]:
        """What waits, when there is no more."""
        if self._line:
            yield from self._take(self._rest_of_line())
        yield from self._let_go()

    def _rest_of_line(self) -> bytes:
        line = bytes(self._line)
        self._line.clear()
        return line

    def counted_lines(self) -> int:
        """How many messages the lines since the last time count as."""
        count, self._uncounted_lines = divmod(self._uncounted_lines, LINES_OF_A_MESSAGE)
        return count

    def _take(self, line: bytes) -> Iterator[bytes]:
        text = line.strip().removeprefix(_BYTE_ORDER_MARK)
        if not self._held:
            yield from self._begin(line, text)
            return
        if not self._is_array and _is_message(text):
            yield from self._let_go()
            yield line
            return
        self._hold(line)
        is_over = self._held_lines > MAX_LINES or len(self._held) > MAX_MESSAGE_BYTES
        if is_over or (self._depth <= 0 and not self._is_in_text):
            yield from self._let_go()

    def _begin(self, line: bytes, text: bytes) -> Iterator[bytes]:
        if not text.startswith(_BEGINS) or text.endswith(_ENDS):
            yield line
            return
        self._is_array = text == b"["
        self._hold(line)
        if self._depth <= 0 or not (self._is_in_text or text.endswith(_GOES_ON)):
            # Its end is missing: who waits for it must learn that at once.
            yield from self._let_go()

    def _hold(self, line: bytes) -> None:
        self._held += line
        self._held_lines += 1
        self._uncounted_lines += 1
        for sign in _SIGN.findall(line):
            if sign == b'"':
                self._is_in_text = not self._is_in_text
            elif not self._is_in_text:
                self._depth += (sign in _BEGINS) - (sign in _ENDS)

    def _let_go(self) -> Iterator[bytes]:
        held = bytes(self._held)
        self._held.clear()
        self._held_lines = self._depth = 0
        self._is_in_text = self._is_array = False
        if held:
            yield held


def _is_message(text: bytes) -> bool:
    """Whether it is one by itself."""
    if not text.startswith(b"{") or not text.endswith(b"}") or b'"jsonrpc"' not in text:
        return False
    try:
        jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError:
        return False
    return True
