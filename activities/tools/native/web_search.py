"""The tool ``web_search``."""

from typing import Annotated

from pydantic import Field

from activities.tools.context import AgentContext
from activities.tools.options import Need
from activities.tools.registry import tool
from activities.tools.searching import MAX_RESULTS
from workflows.errors.tools import SearchFailed


@tool(is_retry_safe=True, need=Need.SEARCH, reads="data")
async def web_search(
    context: AgentContext,
    query: Annotated[str, Field(min_length=1, max_length=400)],
    limit: Annotated[int, Field(ge=1, le=MAX_RESULTS, description="results")] = 8,
) -> str:
    """Search the web: titles, addresses and snippets. The pages themselves are not read."""
    search = context.equipment.search
    if search is None:
        raise SearchFailed(reason="this worker has no provider configured (AGENTOS_SEARCH_URL)")
    results = await search.find(query, limit)
    shown = (f"{found.title}\n{found.url}\n{found.snippet}".rstrip() for found in results)
    return "\n\n".join(shown) or "Nothing was found."
