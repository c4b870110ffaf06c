"""Whether Temporal lists tasks by their name, team, type and state."""

from collections.abc import Awaitable, Callable

from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local.machine import Finding
from deploy.search_attributes import NAMES, are_known

NAME = "search attributes"


async def check_listing(connect: Callable[[], Awaitable[Client]]) -> Finding:
    """Tasks run without them, so that they are missing is no fault."""
    try:
        known = await are_known(await connect())
    except (RuntimeError, RPCError):
        return Finding(NAME, True, "Temporal cannot be asked")  # Its own check says why.
    if known:
        return Finding(NAME, True, f"Temporal knows {NAMES}")
    detail = f"Temporal does not know {NAMES}, so its lists show ids only; `agentos migrate`, or "
    return Finding(NAME, True, f"{detail}whoever runs Temporal, can make them (type Keyword)")
