"""The page of all tasks."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query, Request, Response

from api.http.dependencies import ServicesDep, TeamDep
from api.http.paging import CursorText, Limit
from api.http.routes.tasks import TaskFilterDep, list_tasks
from api.web.drawing.sparkline import Run, runs
from api.web.page import pages, render
from api.web.task_query import SINCE, Since, TaskQuery
from api.wire.responses.pages import DEFAULT_PAGE
from api.wire.responses.tasks import TaskSummary
from workflows.states import TaskType

router = pages()

# Nobody submits an exchange, and none is listed.
_TYPES = tuple(each for each in TaskType if each is not TaskType.EXCHANGE)


@router.get("/")
async def tasks_page(
    *,
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    wanted: TaskFilterDep,
    since: Annotated[Since | None, Query()] = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """List tasks, the newest first."""
    if since is not None and wanted.created_after is None:
        wanted = replace(wanted, created_after=datetime.now(UTC) - SINCE[since][1])
    found = await list_tasks(
        services=services,
        team_id=team_id,
        wanted=wanted,
        with_runs=True,
        cursor=cursor,
        limit=limit,
    )
    return render(
        request,
        "tasks/list.html",
        tasks=found.items,
        following=found.next_cursor,
        query=TaskQuery(request.query_params.multi_items()),
        types=_TYPES,
        periods=SINCE,
        drawn=_drawn,
    )


def _drawn(task: TaskSummary) -> str:
    """How the tasks of this name ended lately."""
    return runs([Run(str(each.status), each.seconds) for each in task.recent_runs or ()])
