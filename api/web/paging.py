"""The addresses of the pages of a list."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from api.wire.responses.pages import Page

_CURSOR = "cursor"


def first_page(request: Request) -> str:
    """The address of the first page; empty on that page itself."""
    if _CURSOR not in request.query_params:
        return ""
    return _address(request, None)


def next_page(request: Request, page: Page[Any]) -> str:
    """The address of the page that follows; empty on the last one."""
    return "" if page.next_cursor is None else _address(request, page.next_cursor)


def _address(request: Request, cursor: str | None) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != _CURSOR]
    if cursor is not None:
        kept.append((_CURSOR, cursor))
    # A path of two slashes would be taken for the name of a server.
    path = "/" + request.url.path.lstrip("/")
    return f"{path}?{urlencode(kept)}" if kept else path
