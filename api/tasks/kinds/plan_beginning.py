"""Where a plan resumes when a person retries its task."""

from activities.store.reading.tasks import StoredTask
from api.services import Services
from api.tasks.kinds.agent_beginning import BEGIN_ANEW, last_kept_message
from api.tasks.kinds.base import Beginning, wrong


async def plan_beginning(services: Services, task: StoredTask, begin: str | None) -> Beginning:
    """After the last turn of the planner that is whole.

    Raises:
        InvalidRequest: it cannot begin where it should.
    """
    if begin not in (None, BEGIN_ANEW):
        raise wrong("/from", f"a plan begins where it stopped, or with {BEGIN_ANEW!r}")
    return Beginning(await last_kept_message(services.database, task, begin))
