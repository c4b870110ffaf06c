"""Sending a stored file: whole or a range of it, and never so that it runs in our own origin."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from activities.mime_types import clean_mime_type
from activities.store.blobs import Blobs
from activities.store.files import StoredBlob
from api.errors import RangeRefused
from api.http.file_names import disposition

# A browser may show these itself: none of them can hold a script.
_SHOWN_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "application/json", "text/plain"}
)
_SAFE = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file: the bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int


def parse_range(header: str | None, size: int) -> Span | None:
    """The range that was asked for; None for the whole file (RFC 9110, section 14).

    More than one range at once, and what is no range in bytes, is answered with the whole.

    Raises:
        RangeRefused: the file has no byte of the range.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        span = Span(max(size - int(match[2]), 0), size)
    else:
        last = int(match[2]) if match[2] else size - 1
        if last < int(match[1]) and match[2]:
            return None
        span = Span(int(match[1]), min(last + 1, size))
    if span.start >= span.end:
        raise RangeRefused(given=(header or "").strip()[:100], size=size)
    return span


async def send_blob(blobs: Blobs, team_id: UUID, blob: StoredBlob, request: Headers) -> Response:
    """The answer to a request for a file.

    Raises:
        RangeRefused, TemporaryFailure, StoreRefused
    """
    headers = _headers(blob)
    if request.get("if-none-match", "") in (headers["ETag"], "*"):
        return Response(status_code=304, headers=headers)
    is_same = request.get("if-range", headers["ETag"]) == headers["ETag"]
    span = parse_range(request.get("range"), blob.size) if is_same else None
    part = span or Span(0, blob.size)
    headers["Content-Length"] = str(part.end - part.start)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{blob.size}"
    chunks = _chunks(blobs, team_id, blob, part)
    return await _sent(chunks, 206 if span else 200, headers)


async def send_archive(chunks: AsyncGenerator[bytes, None], name: str) -> Response:
    """The answer with a zip that is made while it is sent.

    Raises:
        TemporaryFailure, StoreRefused
    """
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": disposition(name, is_shown=False),
        **_SAFE,
    }
    return await _sent(chunks, 200, headers)


async def _sent(
    chunks: AsyncGenerator[bytes, None], status: int, headers: dict[str, str]
) -> Response:
    # Only once the store gave the first bytes can nothing but a lost connection go wrong.
    first = await anext(chunks, b"")
    return _BlobResponse(first, chunks, status, headers)


def head_of(blob: StoredBlob) -> Response:
    """The answer to HEAD."""
    return Response(headers={**_headers(blob), "Content-Length": str(blob.size)})


def _headers(blob: StoredBlob) -> dict[str, str]:
    kind = clean_mime_type(blob.mime_type)
    is_shown = kind in _SHOWN_TYPES
    return {
        "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "Content-Disposition": disposition(blob.name, is_shown=is_shown),
        "ETag": f'"{blob.sha256}"',
        "Accept-Ranges": "bytes",
        **_SAFE,
    }


async def _chunks(
    blobs: Blobs, team_id: UUID, blob: StoredBlob, span: Span
) -> AsyncGenerator[bytes, None]:
    length = span.end - span.start
    if length == 0:  # The store would take it for "all".
        return
    stream = blobs.stream(team_id, blob.sha256, offset=span.start, length=length)
    async with aclosing(stream):
        async for chunk in stream:
            yield chunk


class _BlobResponse(StreamingResponse):
    """Lets go of the connection to the store whatever becomes of the client."""

    def __init__(
        self, first: bytes, rest: AsyncGenerator[bytes, None], status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_joined(first, rest), status, headers)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for chunk in rest:
        yield chunk
