"""Finding a client's agent, or saying that there is none."""

from uuid import UUID

from activities.store.reading.residents import StoredResident, find_resident
from api.errors import NotFound
from api.services import Services


async def load_agent(
    services: Services, team_id: UUID, agent_id: UUID, *, fresh: bool = True
) -> StoredResident:
    """An agent to act on, as the primary has it. Raises ``NotFound``."""
    found = await find_resident(services.database, team_id, agent_id, fresh=fresh)
    if found is None:
        raise no_agent(agent_id)
    return found


def no_agent(agent_id: UUID) -> NotFound:
    return NotFound(kind="agent", id=agent_id)
