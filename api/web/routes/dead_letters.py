"""Dead letters: groups of those that are alike, and one with what can be done about it."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response

from activities.off_loop import off_loop
from activities.store.reading.dead_letters import DeadLetterFilter
from activities.store.reading.letter_groups import Order
from api.dead_letters.errors import LetterConflict
from api.errors import InvalidRequest, NotFound, RequestRefused, StateConflict
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes import dead_letters
from api.http.routes.audit import list_audit
from api.http.routes.task_history import logs
from api.http.routes.tasks import get_task
from api.services import Services
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.requeue_form import RequeueForm, form_of, request_in, seen_of
from api.wire.requests import DiscardRequest, RequeueRequest
from api.wire.responses.audit import AuditEntry
from api.wire.responses.dead_letters import DeadLetter, Foresight
from api.wire.responses.pages import MAX_PAGE
from api.wire.responses.tasks import Task
from api.wire.unseen import safe_text
from workflows.pointers import Problem
from workflows.states import LetterState

router = pages()

_GROUPS = 20
_LETTERS = 25
_PRINTED_CHARACTERS = 8_000
_UNPROCESSABLE = 422


@router.get("/dead-letters")
async def dead_letters_page(
    *,
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    wanted: dead_letters.Wanted,
    cursor: CursorText = None,
    letters: CursorText = None,
) -> Response:
    """Show groups of dead letters, the largest first, and the letters of one: the first of all."""
    all_groups = replace(wanted, fingerprint=None)
    groups = await dead_letters.list_dead_letter_groups(
        services=services,
        team_id=team_id,
        wanted=all_groups,
        order=Order.LARGEST,
        cursor=cursor,
        limit=_GROUPS,
    )
    chosen = wanted.fingerprint or (groups.items[0].fingerprint if groups.items else None)
    group = next((each for each in groups.items if each.fingerprint == chosen), None)
    of_group = replace(wanted, fingerprint=chosen)
    if group is None and chosen is not None:
        alone = await dead_letters.list_dead_letter_groups(
            services=services, team_id=team_id, wanted=of_group
        )
        group = next(iter(alone.items), None)
    shown = group and await dead_letters.list_dead_letters(
        services, team_id, of_group, letters, _LETTERS
    )
    query = _query(all_groups)
    return render(
        request,
        "dead_letters/list.html",
        groups=groups,
        group=group,
        letters=shown,
        wanted=wanted,
        state=wanted.states[0] if len(wanted.states) == 1 else "",
        is_filtered=bool(wanted.text or wanted.types),
        address=lambda **more: f"/dead-letters?{urlencode([*query, *_pairs(more)])}",
        bulk=lambda action, **more: (
            f"/dead-letters/bulk/{action}?"
            + urlencode([*(each for each in query if each[0] != "state"), *_pairs(more)])
        ),
    )


@router.get("/dead-letters/{letter_id:uuid}")
async def dead_letter_page(
    request: Request, letter_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Show a dead letter, and what would happen if its task ran again."""
    letter = await dead_letters.get_dead_letter(letter_id, services, actor.team_id)
    task = await _task(services, letter, actor.team_id)
    form = None
    if task is not None and letter.state == LetterState.OPEN:
        form = await _foreseen(
            services, actor, letter, await off_loop(form_of, task), RequeueRequest()
        )
    return await _drawn(request, services, letter, task, form)


@router.post("/dead-letters/{letter_id:uuid}/requeue")
async def requeue_on_page(
    request: Request, letter_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Say what a requeue would do; or do it, if it is what somebody was told the outcome of."""
    fields = await fields_of(request)
    letter = await dead_letters.get_dead_letter(letter_id, services, actor.team_id)
    task = await get_task(letter.task_id, services, actor.team_id)
    try:
        wanted = await off_loop(request_in, fields, task)
        is_seen = fields.get("seen") == seen_of(wanted)
        if fields.get("act") == "run" and is_seen:
            await dead_letters.requeue(letter_id, Response(), services, actor, wanted)
            return see_other(f"/dead-letters/{letter_id}")
    except (InvalidRequest, StateConflict, LetterConflict) as refusal:
        form = await off_loop(form_of, task, fields, said=str(refusal), problems=_problems(refusal))
        return await _drawn(request, services, letter, task, form, status=_UNPROCESSABLE)
    is_changed = fields.get("act") == "run"
    form = await off_loop(form_of, task, fields, is_changed=is_changed)
    form = await _foreseen(services, actor, letter, form, wanted)
    return await _drawn(request, services, letter, task, form)


@router.post("/dead-letters/{letter_id:uuid}/discard")
async def discard_on_page(
    request: Request, letter_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Say that nothing is to be done about it, and why."""
    fields = await fields_of(request)
    wanted = checked(DiscardRequest, {"note": text_of(fields, "note").strip()})
    await dead_letters.discard(letter_id, services, actor, wanted)
    return see_other(f"/dead-letters/{letter_id}")


async def _foreseen(
    services: Services,
    actor: ActorDep,
    letter: DeadLetter,
    form: RequeueForm,
    wanted: RequeueRequest,
) -> RequeueForm:
    """The form with what would come of it, or why that cannot be."""
    dry = wanted.model_copy(update={"dry_run": True})
    try:
        foreseen = await dead_letters.requeue(letter.id, Response(), services, actor, dry)
    except (InvalidRequest, StateConflict, LetterConflict) as refusal:
        return replace(form, said=str(refusal), problems=_problems(refusal))
    assert isinstance(foreseen, Foresight)
    return replace(form, foreseen=foreseen, seen=seen_of(wanted))


async def _drawn(
    request: Request,
    services: Services,
    letter: DeadLetter,
    task: Task | None,
    form: RequeueForm | None,
    *,
    status: int = 200,
) -> Response:
    team_id = request.state.actor.team_id
    return render(
        request,
        "dead_letters/letter.html",
        status=status,
        letter=letter,
        task=task,
        form=form,
        printed=await _printed(services, letter, team_id),
        trail=await _trail(services, letter, team_id),
    )


async def _task(services: Services, letter: DeadLetter, team_id: UUID) -> Task | None:
    try:
        return await get_task(letter.task_id, services, team_id)
    except NotFound:
        return None


async def _printed(services: Services, letter: DeadLetter, team_id: UUID) -> str:
    """The end of what the part that failed has printed on its standard error, in its last attempt
    of that run."""
    if letter.sub_task_id is None:
        return ""
    try:
        found = await logs(
            task_id=letter.task_id,
            services=services,
            team_id=team_id,
            step=str(letter.sub_task_id),
            limit=MAX_PAGE,
        )
    except RequestRefused:
        return ""
    of_run = [attempt for attempt in found.items if attempt.run == letter.run]
    return safe_text(of_run[-1].stderr[-_PRINTED_CHARACTERS:]) if of_run else ""


async def _trail(services: Services, letter: DeadLetter, team_id: UUID) -> list[AuditEntry]:
    """What people did about the letter, and about its task since."""
    of_letter = await list_audit(services=services, team_id=team_id, target=str(letter.id))
    of_task = await list_audit(
        services=services,
        team_id=team_id,
        target=str(letter.task_id),
        created_after=letter.created_at,
    )
    found = [*of_letter.items, *of_task.items]
    return sorted(found, key=lambda entry: entry.created_at, reverse=True)


def _problems(refusal: RequestRefused) -> tuple[Problem, ...]:
    return refusal.problems if isinstance(refusal, InvalidRequest) else ()


def _query(wanted: DeadLetterFilter) -> list[tuple[str, str]]:
    """A filter as the query of an address."""
    said = {
        "state": [str(each) for each in wanted.states if wanted.states != (LetterState.OPEN,)],
        "type": [str(each) for each in wanted.types],
        "text": wanted.text,
        "created_after": wanted.created_after and wanted.created_after.isoformat(),
        "created_before": wanted.created_before and wanted.created_before.isoformat(),
        "task_id": wanted.task_id,
    }
    return _pairs(said)


def _pairs(said: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (name, str(each))
        for name, value in said.items()
        if value
        for each in (value if isinstance(value, list) else [value])
    ]
