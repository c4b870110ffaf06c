"""Groups, named as people do: by their name or their id."""

from uuid import UUID

from api.cli.errors import GroupUnknown
from api.client import AsyncClient as Client


async def find_group_id(client: Client, text: str) -> str:
    """The id of the group of this name or id. Raises ``GroupUnknown``."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        pass
    found = (await client.groups.list({"name": text})).items
    if not found:
        raise GroupUnknown(text=text)
    return str(found[0].id)
