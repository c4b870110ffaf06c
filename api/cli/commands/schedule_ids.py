"""Schedules named as people do: by their name, their id, or its beginning."""

from uuid import UUID

from api.cli.commands.pages import whole_list
from api.cli.errors import ScheduleAmbiguous, ScheduleUnknown
from api.client import AsyncClient as Client

LEAST_CHARACTERS = 6
_SHOWN = 3


async def find_schedule_id(client: Client, text: str) -> str:
    """The id of the one schedule that ``text`` names; a whole id is taken as it is.

    Raises:
        ScheduleAmbiguous, ScheduleUnknown
    """
    wanted = text.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    known = (await whole_list(client.schedules)).items
    if named := [str(item.id) for item in known if item.name == text]:
        return named[0]
    prefix = wanted.replace("-", "")
    ids = [str(item.id) for item in known]
    found = [each for each in ids if each.replace("-", "").startswith(prefix)]
    if len(prefix) < LEAST_CHARACTERS or not found:
        raise ScheduleUnknown(text=text)
    if len(found) > 1:
        raise ScheduleAmbiguous(count=len(found), text=text, shown=", ".join(found[:_SHOWN]))
    return found[0]
