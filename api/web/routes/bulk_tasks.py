"""Much at once about tasks: first a page that says what would happen, then the bulk run."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import JsonValue

from api.errors import InvalidRequest, NotFound
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes.bulk import cancel_many, delete_many, retry_many
from api.http.routes.tasks import get_task, task_filter
from api.web.page import fields_of, pages, render, see_other
from api.web.task_query import SINCE, Pair, Since, TaskQuery
from api.wire.bulk_tasks import (
    BulkCancelRequest,
    BulkDeleteRequest,
    BulkRetryRequest,
    BulkTasksRequest,
)
from api.wire.responses.bulk import BulkForesight, BulkRun
from api.wire.responses.tasks import Task
from workflows.pointers import Problem

router = pages()

Action = Literal["cancel", "retry", "delete"]

_MODELS: Mapping[str, type[BulkTasksRequest]] = {
    "cancel": BulkCancelRequest,
    "retry": BulkRetryRequest,
    "delete": BulkDeleteRequest,
}
_ACTS: Mapping[str, Callable[..., Awaitable[BulkRun | BulkForesight]]] = {
    "cancel": cancel_many,
    "retry": retry_many,
    "delete": delete_many,
}
_LISTS = ("status", "type")
_MOST_NAMED = 5
_NO_SUCH_ACTION = "there is cancel, retry and delete"


@router.get("/tasks/bulk", dependencies=[Depends(task_filter)])
async def foresee(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    services: ServicesDep,
    actor: ActorDep,
    action: Action,
    task: Annotated[tuple[UUID, ...], Query()] = (),
    every: Annotated[bool, Query(alias="all")] = False,
    since: Annotated[Since | None, Query()] = None,
) -> Response:
    """Say what would be done, and to how many tasks, and ask."""
    pairs = request.query_params.multi_items()
    query = TaskQuery([pair for pair in pairs if pair[0] not in {"action", "task", "all"}])
    back = query.back
    if not task and not every:
        return render(request, "tasks/bulk.html", action=action, foreseen=None, back=back)
    now = datetime.now(UTC)
    chosen = [("task", str(each)) for each in task] or _settled(query.filters, since, now)
    body = _body([("action", action), *chosen])
    foreseen = await _act(services, actor, action, {**body, "dry_run": True})
    assert isinstance(foreseen, BulkForesight)
    if foreseen.as_of is not None:
        chosen = [*chosen, ("as_of", foreseen.as_of.isoformat())]
    return render(
        request,
        "tasks/bulk.html",
        action=action,
        foreseen=foreseen,
        chosen=chosen,
        back=back,
        named=await _named(services, actor, task),
        unnamed=max(len(task) - _MOST_NAMED, 0),
    )


async def _named(services: ServicesDep, actor: ActorDep, ids: Iterable[UUID]) -> list[Task]:
    """The first of the tasks that were checked, as far as they are still there."""
    named: list[Task] = []
    for task_id in islice(ids, _MOST_NAMED):
        with suppress(NotFound):
            named.append(await get_task(task_id, services, actor.team_id))
    return named


@router.post("/tasks/bulk")
async def start(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Start it, and lead to where it is followed."""
    fields = (await fields_of(request)).multi_items()
    pairs = [(name, value) for name, value in fields if isinstance(value, str)]
    action = next((value for name, value in pairs if name == "action"), "")
    if action not in _MODELS:
        raise InvalidRequest([Problem("/action", _NO_SUCH_ACTION)])
    run = await _act(services, actor, action, _body(pairs))
    assert isinstance(run, BulkRun)
    return see_other(f"/bulk/{run.id}")


async def _act(
    services: ServicesDep, actor: ActorDep, action: str, body: dict[str, JsonValue]
) -> BulkRun | BulkForesight:
    """What the call of the API does."""
    wanted: Any = checked(_MODELS[action], body)
    return await _ACTS[action](Response(), services, actor, wanted)


def _settled(filters: Iterable[Pair], since: Since | None, now: datetime) -> list[Pair]:
    """A filter that means the same tasks in a minute: none that comes later."""
    pairs = [pair for pair in filters if pair[0] != "since"]
    names = {name for name, _ in pairs}
    if since is not None and "created_after" not in names:
        pairs.append(("created_after", (now - SINCE[since][1]).isoformat()))
    if "created_before" not in names:
        pairs.append(("created_before", now.isoformat()))
    return pairs


def _body(pairs: Iterable[Pair]) -> dict[str, JsonValue]:
    """The body of the API's call, from the fields of a form."""
    ids: list[JsonValue] = []
    chosen: dict[str, Any] = {}
    body: dict[str, JsonValue] = {}
    for name, value in pairs:
        if name == "task":
            ids.append(value)
        elif name in {"note", "as_of"}:
            body[name] = value
        elif name in _LISTS:
            chosen.setdefault(name, []).append(value)
        elif name == "retrying":
            chosen[name] = value == "true"
        elif name != "action":
            chosen[name] = value
    return {**body, "ids": ids} if ids else {**body, "filter": chosen}
