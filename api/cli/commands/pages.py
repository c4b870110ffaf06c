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


async def whole_list(
    fetch: Callable[[Params], Awaitable[Page[Item]]], params: Params | None = None
) -> Page[Item]:
    """A list as one page, however long it is."""
    items: list[Item] = []
    async for page in page_after_page(fetch, {"limit": MAX_PAGE, **(params or {})}):
        items += page.items
    return page.model_copy(update={"items": items})
