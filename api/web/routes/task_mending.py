"""A pipeline that was wrong, mended in place: what stays of its results, and then the retry."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from activities.off_loop import off_loop
from api.errors import InvalidRequest, StateConflict
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes import tasks
from api.services import Services
from api.web.new_task.beginnings import of_task
from api.web.new_task.fields import InputRow
from api.web.new_task.view import View, judged
from api.web.page import fields_of, pages, render, see_other
from api.web.requeue_form import RequeueForm, form_of, request_in, seen_of
from api.web.task_header import HeaderDep, TaskHeader
from api.wire.requests import RequeueRequest, RetryRequest
from api.wire.responses.dead_letters import Foresight
from api.wire.responses.tasks import Task

router = pages(prefix="/tasks/{task_id:uuid}/mend")

_UNPROCESSABLE = 422


@router.get("")
async def mending_page(
    request: Request, header: HeaderDep, services: ServicesDep, actor: ActorDep
) -> Response:
    """Show the pipeline as it is, and what a retry with it would do."""
    form = await off_loop(form_of, header.task)
    form = await _foreseen(services, actor, header.task, form, RequeueRequest())
    return await _drawn(request, services, actor, header, form)


@router.post("")
async def mend(
    request: Request, task_id: UUID, header: HeaderDep, services: ServicesDep, actor: ActorDep
) -> Response:
    """Show what a retry with the pipeline in the form would do; then have it done."""
    fields, task = await fields_of(request), header.task
    try:
        wanted = await off_loop(request_in, fields, task)
        is_seen = fields.get("seen") == seen_of(wanted)
        if fields.get("act") == "run" and is_seen:
            await tasks.retry(task_id, Response(), services, actor, _as_retry(wanted))
            return see_other(f"/tasks/{task_id}")
    except (InvalidRequest, StateConflict) as refusal:
        form = await off_loop(form_of, task, fields, said=_said(refusal))
        return await _drawn(request, services, actor, header, form, status=_UNPROCESSABLE)
    form = await off_loop(form_of, task, fields, is_changed=fields.get("act") == "run")
    form = await _foreseen(services, actor, task, form, wanted)
    return await _drawn(request, services, actor, header, form)


async def _foreseen(
    services: Services, actor: ActorDep, task: Task, form: RequeueForm, wanted: RequeueRequest
) -> RequeueForm:
    """The form with what would come of it, or why that cannot be."""
    dry = _as_retry(wanted).model_copy(update={"dry_run": True})
    try:
        foreseen = await tasks.retry(task.task_id, Response(), services, actor, dry)
    except (InvalidRequest, StateConflict) as refusal:
        return replace(form, said=_said(refusal))
    assert isinstance(foreseen, Foresight), "a dry run says what would be"
    return replace(form, foreseen=foreseen, seen=seen_of(wanted))


def _as_retry(wanted: RequeueRequest) -> RetryRequest:
    names = RetryRequest.model_fields.keys() & wanted.model_fields_set
    return RetryRequest.model_construct(**{name: getattr(wanted, name) for name in names})


def _said(refusal: InvalidRequest | StateConflict) -> str:
    """What is wrong with the pipeline stands beside it, with its lines."""
    if not isinstance(refusal, InvalidRequest):
        return str(refusal)
    others = [each for each in refusal.problems if not each.pointer.startswith("/pipeline")]
    if not others:
        return "The pipeline is not right yet."
    return "; ".join(f"{each.pointer}: {each.message}" for each in others[:5])


async def _drawn(
    request: Request,
    services: Services,
    actor: ActorDep,
    header: TaskHeader,
    form: RequeueForm,
    *,
    status: int = 200,
) -> Response:
    view = await _view(services, actor, header.task, form)
    context: dict[str, Any] = {"header": header, "form": form, "view": view, "filled": view.filled}
    return render(request, "task/mend.html", status=status, **context)


async def _view(services: Services, actor: ActorDep, task: Task, form: RequeueForm) -> View:
    """The editor, with what is wrong in it."""
    filled = await off_loop(of_task, task)
    rows = tuple(InputRow(name, ref) for name, ref in form.inputs.items())
    texts = {**filled.texts, "pipeline": form.pipeline}
    _, view = await judged(services, actor.team_id, replace(filled, texts=texts, inputs=rows))
    return view
