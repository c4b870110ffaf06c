"""Finding another agent of the team by the name that a model calls it."""

from uuid import UUID

from activities.colleagues.errors import ColleagueNotFound
from activities.store.database import Database
from activities.store.reading.colleagues import Colleague, find_colleague, list_colleagues
from workflows.suggestions import nearest

_KNOWN = 200
_NAMES_SHOWN = 20
_NAME_SHOWN_CHARACTERS = 100


async def find(database: Database, team_id: UUID, agent_id: UUID, name: str) -> Colleague:
    """The agent that ``agent_id`` means. Raises ``ColleagueNotFound``, which names the nearest."""
    found = await find_colleague(database, team_id, name.strip())
    if found is not None:
        return found
    known, _ = await list_colleagues(database, team_id, agent_id, _KNOWN)
    others = [each.name for each in known if each.id != agent_id]
    if near := nearest(name, others):
        hint = f"Did you mean {near!r}?"
    else:
        hint = f"There are: {', '.join(others[:_NAMES_SHOWN]) or 'none but you'}."
    raise ColleagueNotFound(name=name[:_NAME_SHOWN_CHARACTERS], hint=hint)
