"""What the steps of a task printed: all attempts, kept apart."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from activities.off_loop import off_loop
from activities.store.reading.events import find_beginning
from api.http.dependencies import ServicesDep, TeamDep
from api.http.file_names import disposition
from api.http.paging import CursorText
from api.http.routes.task_history import logs
from api.services import Services
from api.web.logs import shown_attempts
from api.web.page import pages, render
from api.web.task_header import HeaderDep
from api.web.task_places import named_parts
from api.web.text.ansi import without_escapes
from api.web.text.visible import lines_of
from api.wire.requests import Text
from api.wire.responses.history import Attempt
from api.wire.responses.tasks import Task

router = pages(prefix="/tasks/{task_id:uuid}")

SHOWN = 50  # Attempts of a page.
_MAX_CHOICES = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the log is to be shown; a query."""

    step: Annotated[Text | None, Query(max_length=100)] = None
    attempt: Annotated[int | None, Query(ge=1, le=1_000)] = None
    q: Annotated[Text | None, Query(max_length=200)] = None

    @property
    def query(self) -> dict[str, str]:
        """As a link has it."""
        values = {"step": self.step, "attempt": self.attempt, "q": self.q}
        return {name: str(value) for name, value in values.items() if value}

    def holds(self, attempt: Attempt) -> bool:
        return self.attempt in (None, attempt.attempt)


WantedDep = Annotated[Wanted, Depends()]


@router.get("/logs")
async def logs_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    task_id: UUID,
    header: HeaderDep,
    services: ServicesDep,
    team_id: TeamDep,
    wanted: WantedDep,
    wrap: Literal["on", "off"] = "on",
    cursor: CursorText = None,
) -> Response:
    """Show the output of the attempts, oldest first."""
    if header.live:
        # Attempts that go on have printed all that their events tell.
        began = await find_beginning(services.database, task_id)
        header = replace(header, live=header.live_from(began))
    found = await logs(
        task_id=task_id, services=services, team_id=team_id, step=wanted.step, cursor=cursor,
        limit=SHOWN,
    )  # fmt: skip
    attempts = list(filter(wanted.holds, found.items))
    return render(
        request,
        "task/logs.html",
        header=header,
        attempts=await off_loop(shown_attempts, attempts, wanted.q or ""),
        wanted=wanted,
        wrap=wrap,
        steps=_steps_of(header.task),
        most_attempts=max((step.retry_count for step in header.task.sub_tasks), default=0) + 1,
        cursor=cursor,
        next=found.next_cursor,
    )


@router.get("/logs.txt")
async def logs_file(
    task_id: UUID, services: ServicesDep, team_id: TeamDep, wanted: WantedDep
) -> Response:
    """Download the log, or what of it is shown."""
    # A task or step that is not there is told before anything is sent.
    await logs(task_id=task_id, services=services, team_id=team_id, step=wanted.step, limit=1)
    name = f"log-{str(task_id)[:8]}.txt"
    return StreamingResponse(
        _written(task_id, services, team_id, wanted),
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": disposition(name, is_shown=False),
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-cache",
        },
    )


async def _written(
    task_id: UUID, services: Services, team_id: UUID, wanted: Wanted
) -> AsyncIterator[str]:
    cursor: str | None = None
    while True:
        page = await logs(
            task_id=task_id, services=services, team_id=team_id, step=wanted.step, cursor=cursor,
            limit=SHOWN,
        )  # fmt: skip
        for attempt in filter(wanted.holds, page.items):
            for stream, text in (("stdout", attempt.stdout), ("stderr", attempt.stderr)):
                if text:
                    found = await off_loop(_found, text, wanted.q or "")
                    yield f"==> {attempt.step}, attempt {attempt.attempt}, {stream} <==\n{found}\n"
        if (cursor := page.next_cursor) is None:
            return


def _found(text: str, wanted: str) -> str:
    key = wanted.casefold()
    lines = lines_of(text) if key else []
    found = "\n".join(line for line in lines if key in without_escapes(line).casefold())
    return found if key else text


def _steps_of(task: Task) -> list[str]:
    return [*named_parts(task)[-_MAX_CHOICES:]]
