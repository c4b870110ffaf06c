"""What waits for you: calls and questions, with all that they are about, and your decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response
from pydantic import JsonValue
from starlette.datastructures import FormData

from activities.off_loop import off_loop
from api.errors import ApprovalConflict, InvalidRequest
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes.approvals import decide
from api.http.routes.waiting import list_all_waiting
from api.services import Services
from api.web.arguments import digest_of
from api.web.cards import Card, Refused, card_of
from api.web.elicitation import answer_in
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.json_reader import parse_json
from api.wire.requests import ApprovalRequest
from api.wire.responses.approvals import WaitingCall
from api.wire.responses.pages import Page
from workflows.pointers import Problem

router = pages()

_CARDS = 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the list somebody is. ``call_id``: they look at this call alone, however long it is,
    and with ``edit`` may change it."""

    task_id: UUID | None = None
    call_id: UUID | None = None
    cursor: str | None = None
    edit: bool = False

    @classmethod
    def of(cls, fields: FormData, call_id: UUID) -> Self:
        """As a form says it. Raises ``InvalidRequest``."""
        task = text_of(fields, "of_task")
        try:
            task_id = UUID(task) if task else None
        except ValueError as error:
            raise InvalidRequest([Problem("/of_task", "it is no id of a task")]) from error
        return cls(
            task_id=task_id,
            call_id=call_id if "alone" in fields else None,
            cursor=text_of(fields, "cursor") or None,
            edit="edit" in fields,
        )

    def address(self, cursor: str | None) -> str:
        """That of the list, from some cursor on."""
        query = {"task_id": self.task_id, "cursor": cursor}
        words = urlencode({name: str(value) for name, value in query.items() if value})
        return f"/waiting?{words}" if words else "/waiting"


@router.get("/waiting")
async def waiting_page(
    *,
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    task_id: UUID | None = None,
    call_id: UUID | None = None,
    cursor: CursorText = None,
    edit: bool = False,
) -> Response:
    """Show what waits for a person: all of it, that of a task, or one call however long it is."""
    place = _Place(task_id, call_id, cursor, edit)
    return await _drawn(request, await _listed(services, team_id, place), place)


@router.post("/waiting/{task_id}/{call_id}")
async def decide_on_page(
    request: Request, task_id: UUID, call_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Approve, deny or answer, and go on with what waits besides."""
    fields = await fields_of(request)
    place = _Place.of(fields, call_id)
    found = await list_all_waiting(services=services, team_id=actor.team_id, call_id=call_id)
    try:
        wanted = await off_loop(_decision, fields, next(iter(found.items), None))
        await decide(task_id, str(call_id), wanted, services, actor)
    except (InvalidRequest, BodyMalformed, TooManyValues, ApprovalConflict) as refusal:
        waiting = await _listed(services, actor.team_id, place)
        refused = Refused(call_id, fields, _problems(refusal, fields), str(refusal))
        return await _drawn(request, waiting, place, refused)
    return see_other(place.address(place.cursor))


def _decision(fields: FormData, call: WaitingCall | None) -> ApprovalRequest:
    """Raises ``InvalidRequest``, ``BodyMalformed``, ``TooManyValues``."""
    document: dict[str, JsonValue] = {
        "decision": text_of(fields, "decision"),
        "ask_id": text_of(fields, "ask_id") or None,
    }
    note = text_of(fields, "note")
    is_approved = document["decision"] == "approve"
    if is_approved and call is not None and call.form is not None:
        note = answer_in(call, fields)
    if note.strip():
        document["note"] = note
    edits, text = text_of(fields, "edits"), text_of(fields, "text")
    # What was not edited is not sent: a number may be one that nobody can send.
    if is_approved and edits and digest_of(text) != fields.get("shown"):
        document[edits] = parse_json(text.encode("utf-8", "surrogatepass"))
    return checked(ApprovalRequest, document)


def _problems(refusal: Exception, fields: FormData) -> Sequence[Problem]:
    if isinstance(refusal, InvalidRequest):
        return refusal.problems
    if isinstance(refusal, BodyMalformed):
        reason = "{reason} (line {line}, column {column})".format_map(refusal.fields)
        return [Problem(f"/{fields.get('edits', '')}", f"This is not JSON: {reason}")]
    return [Problem("", str(refusal))]


async def _listed(services: Services, team_id: UUID, place: _Place) -> Page[WaitingCall]:
    return await list_all_waiting(
        services=services,
        team_id=team_id,
        task_id=place.task_id,
        call_id=place.call_id,
        cursor=place.cursor,
        limit=_CARDS,
    )


async def _drawn(
    request: Request, waiting: Page[WaitingCall], place: _Place, refused: Refused | None = None
) -> Response:
    cards = await off_loop(_cards, waiting, place, refused)
    following = waiting.next_cursor
    return render(
        request,
        "waiting/list.html",
        status=200 if refused is None else 422,
        cards=cards,
        place=place,
        refused=refused,
        next=following and place.address(following),
    )


def _cards(waiting: Page[WaitingCall], place: _Place, refused: Refused | None) -> Sequence[Card]:
    return [
        card_of(
            call,
            is_whole=place.call_id is not None,
            may_be_long=place.edit,
            refused=refused if refused and refused.call_id == call.call_id else None,
        )
        for call in waiting.items
    ]
