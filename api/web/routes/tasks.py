"""The page of all tasks."""

from typing import Annotated

from fastapi import Depends, Request, Response

from api.http.routes.tasks import list_tasks
from api.web.page import pages, render
from api.wire.responses.pages import Page
from api.wire.responses.tasks import TaskSummary

router = pages()


@router.get("/")
async def tasks_page(
    request: Request, tasks: Annotated[Page[TaskSummary], Depends(list_tasks)]
) -> Response:
    """List tasks, the newest first."""
    return render(request, "tasks/list.html", tasks=tasks)
