"""What waits for a person, over all tasks, plans and agents of a team."""

from uuid import UUID

from activities.store.reading import waiting
from api.http.dependencies import ServicesDep, TeamDep
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.tasks.views import waiting_call
from api.wire.responses.approvals import WaitingCall, WaitingCount
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/approvals", tags=["approvals"])


@router.get("", operation_id="listApprovals")
async def list_all_waiting(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    task_id: UUID | None = None,
    call_id: UUID | None = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[WaitingCall]:
    """List all calls and questions that wait for a person, with their arguments, oldest first.

    A page ends early where what is asked is long. Decide on each with
    ``POST /tasks/{task_id}/approvals/{call_id}``.
    """
    place = parse_cursor(cursor)
    items, following = await waiting.list_waiting(
        services.database, team_id, place, limit, task_id=task_id, call_id=call_id
    )
    return Page(items=list(map(waiting_call, items)), next_cursor=cursor_text(following))


@router.get("/count", operation_id="countApprovals")
async def count_all_waiting(services: ServicesDep, team_id: TeamDep) -> WaitingCount:
    """Count what waits for a person, as far as 1,000."""
    most = waiting.MOST_COUNTED
    count = await waiting.count_waiting(services.database, team_id, most + 1)
    return WaitingCount(count=min(count, most), is_more=count > most)
