"""Server-sent events, as the HTML standard says how to read them (section 9.2.6)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# One event. Ours are far smaller; a server that never ends a line must not fill the memory.
MAX_EVENT_BYTES = 8 * 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """``id`` is the last one seen, also by events that carry none."""

    type: str
    data: str
    id: str | None


class EventTooLarge(ValueError):
    """An event of more than ``MAX_EVENT_BYTES``."""


class EventParser:
    """Takes bytes as they arrive, gives events as they are complete. A comment gives nothing."""

    def __init__(self, last_id: str | None = None) -> None:
        self._rest = b""
        self._id = last_id
        self._type = ""
        self._data: list[str] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that ``chunk`` completes.

        Raises:
            EventTooLarge
        """
        buffer = self._rest + chunk
        # The last CR may be the first half of a CRLF.
        held = len(buffer) - 1 if buffer.endswith(b"\r") else len(buffer)
        *lines, rest = _LINE_END.split(buffer[:held])
        self._rest = rest + buffer[held:]
        for line in lines:
            self._size_bytes += 0 if line.startswith(b":") else len(line)
            if self._size_bytes > MAX_EVENT_BYTES:
                raise EventTooLarge
            if (event := self._take(line.decode(errors="replace"))) is not None:
                yield event
        if self._size_bytes + len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLarge

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        data, kind = self._data, self._type
        self._data, self._type, self._size_bytes = [], "", 0
        return ServerEvent(kind or "message", "\n".join(data), self._id) if data else None
