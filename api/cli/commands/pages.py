"""Lists that come in pages."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from api.client.transport import Params
from api.wire.responses.pages import MAX_PAGE, Page

Item = TypeVar("Item")


async def page_after_page(
    fetch: Callable[[Params], Awaitable[Page[Item]]], params: Params
) -> AsyncIterator[Page[Item]]:
    """The pages of a list, each fetched when it is asked for."""
    page = await fetch(params)
    yield page
    while page.next_cursor is not None:
        page = await fetch({**params, "cursor": page.next_cursor})
        yield page


async def first_items(
    fetch: Callable[[Params], Awaitable[Page[Item]]], params: Params, limit: int | None
) -> Page[Item]:
    """The beginning of a list as one page, with at least ``limit`` items if it has them; all of it
    without a limit."""
    items: list[Item] = []
    size = MAX_PAGE if limit is None else min(limit, MAX_PAGE)
    async for page in page_after_page(fetch, {**params, "limit": size}):
        items += page.items
        if limit is not None and len(items) >= limit:
            break
    return page.model_copy(update={"items": items})


async def whole_list(
    fetch: Callable[[Params], Awaitable[Page[Item]]], params: Params | None = None
) -> Page[Item]:
    """A list as one page, however long it is."""
    return await first_items(fetch, params or {}, None)
