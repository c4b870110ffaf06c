"""Running a task again: first what that would do, then the button."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import JsonValue

from activities.store.audit import Actor
from api.errors import InvalidRequest, RequestRefused
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes import tasks
from api.services import Services
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.task_header import HeaderDep
from api.web.task_places import named_parts
from api.wire.requests import RetryRequest, Text
from api.wire.responses.dead_letters import Foresight
from api.wire.responses.tasks import Task
from workflows.states import Status

router = pages(prefix="/tasks/{task_id:uuid}/retry")

MAX_PLACES = 200
# What the last run has completed need not run again, unless somebody says where to begin.
START = "start"

Place = Annotated[Text | None, Query(alias="from", max_length=300)]


@router.get("")
async def retry_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    header: HeaderDep,
    services: ServicesDep,
    actor: ActorDep,
    begin: Place = None,
    anew: bool = False,
) -> Response:
    """Say what would run again, what is kept, and what it may cost."""
    task = header.task
    begin = begin or (START if task.status is Status.COMPLETED else None)
    foresight, refusal = await _foreseen(services, actor, task.task_id, _body(begin, anew=anew))
    return render(
        request,
        "task/retry.html",
        header=header,
        places=_places(task, begin),
        begin=begin,
        anew=anew,
        foresight=foresight,
        refusal=refusal,
    )


@router.post("")
async def retry(
    request: Request, task_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Run it again."""
    fields = await fields_of(request)
    begin = text_of(fields, "from").strip() or None
    wanted = checked(RetryRequest, _body(begin, anew=fields.get("anew") == "true"))
    await tasks.retry(task_id, Response(), services, actor, wanted)
    return see_other(f"/tasks/{task_id}")


def _body(begin: str | None, *, anew: bool) -> dict[str, JsonValue]:
    return {
        **({"from": begin} if begin else {}),
        **({"cache": False} if anew else {}),
    }


async def _foreseen(
    services: Services, actor: Actor, task_id: UUID, body: dict[str, JsonValue]
) -> tuple[Foresight | None, str]:
    """What would happen, or why it cannot: another place may do."""
    try:
        wanted = checked(RetryRequest, {**body, "dry_run": True})
        answer = await tasks.retry(task_id, Response(), services, actor, wanted)
    except (InvalidRequest, RequestRefused) as error:
        return None, str(error)
    return (answer, "") if isinstance(answer, Foresight) else (None, "")


def _places(task: Task, begin: str | None) -> list[str]:
    """Where it can begin, beside the usual place: the latest of an agent's calls."""
    names = named_parts(task)[-MAX_PLACES:]
    return list(dict.fromkeys([*names, *([begin] if begin and begin != START else [])]))
