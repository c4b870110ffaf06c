"""Whether Temporal lists tasks by their name, team, type and state."""

from temporalio.service import RPCError

from deploy.doctor.temporal_words import Connect, connected
from deploy.local.machine import Finding
from deploy.search_attributes import NAMES, are_known
from workflows.errors import AgentOSError

NAME = "search attributes"


async def check_listing(connect: Connect) -> Finding:
    """Tasks run without them, so that they are missing is no fault."""
    try:
        known = await are_known(await connected(connect))
    except (AgentOSError, RPCError):
        return Finding(NAME, False, "Temporal cannot be asked", "See what is said of temporal.")
    if known:
        return Finding(NAME, True, f"Temporal knows {NAMES}")
    detail = f"Temporal does not know {NAMES}, so its lists show ids only; `agentos migrate`, or "
    return Finding(NAME, True, f"{detail}whoever runs Temporal, can make them (type Keyword)")
