"""The same done about many dead letters, after it was said what that would do."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import JsonValue
from starlette.datastructures import FormData

from api.bulk.errors import TooManyBulkRuns, TooManyLetters
from api.errors import InvalidRequest, RequestRefused
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep
from api.http.paging import Moment
from api.http.routes.bulk import discard_many, requeue_many
from api.services import Services
from api.web.page import fields_of, pages, render, see_other
from api.wire.bulk import (
    DEFAULT_CANARY,
    DEFAULT_RATE,
    MAX_RATE,
    BulkDiscardRequest,
    BulkRequeueRequest,
)
from api.wire.requests import Text
from api.wire.responses.bulk import BulkForesight, BulkRun
from workflows.pointers import Problem
from workflows.states import TaskType

router = pages()

Action = Literal["requeue", "discard"]
Filter = Mapping[str, JsonValue]

_FILTERS = ("fingerprint", "text", "created_after", "created_before", "task_id")


async def _filter(
    *,
    fingerprint: Annotated[Text | None, Query(max_length=64)] = None,
    type: Annotated[tuple[TaskType, ...], Query()] = (),  # noqa: A002  (its name in the query)
    text: Annotated[Text | None, Query(max_length=200)] = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    task_id: UUID | None = None,
) -> Filter:
    given: dict[str, JsonValue] = {
        "fingerprint": fingerprint,
        "type": [*map(str, type)],
        "text": text,
        "created_after": _written(created_after),
        "created_before": _written(created_before),
        "task_id": str(task_id) if task_id else None,
    }
    return {name: value for name, value in given.items() if value}


@router.get("/dead-letters/bulk/{action}")
async def bulk_letters_page(
    request: Request,
    action: Action,
    wanted: Annotated[Filter, Depends(_filter)],
    services: ServicesDep,
    actor: ActorDep,
) -> Response:
    """Say how many dead letters these are, and what would be done about them: none that comes
    later, which nobody has been told of."""
    settled = {"created_before": _written(datetime.now(UTC)), **wanted}
    return await _drawn(request, services, actor, action, settled, {})


@router.post("/dead-letters/bulk/{action}")
async def start_bulk_letters(
    request: Request, action: Action, services: ServicesDep, actor: ActorDep
) -> Response:
    """Do it, if it is what somebody was told the outcome of; say the outcome otherwise."""
    fields = await fields_of(request)
    wanted = _filter_in(fields)
    given = {name: str(value) for name, value in fields.items()}
    if given.get("act") != "run" or given.get("seen") != _seen(given):
        return await _drawn(request, services, actor, action, wanted, given)
    try:
        run = await _asked(services, actor, action, _document(action, wanted, given))
    except (InvalidRequest, TooManyBulkRuns, TooManyLetters) as refusal:
        return await _drawn(request, services, actor, action, wanted, given, refusal)
    assert isinstance(run, BulkRun)
    return see_other(f"/bulk/{run.id}")


async def _drawn(  # noqa: PLR0917
    request: Request,
    services: Services,
    actor: ActorDep,
    action: Action,
    wanted: Filter,
    given: Mapping[str, str],
    refusal: RequestRefused | None = None,
) -> Response:
    foreseen = None
    try:
        document = {**_document(action, wanted, given), "dry_run": True}
        foreseen = await _asked(services, actor, action, document)
    except (InvalidRequest, TooManyLetters) as reason:
        refusal = refusal or reason
    return render(
        request,
        "dead_letters/bulk.html",
        status=200 if refusal is None else 422,
        action=action,
        wanted=wanted,
        given={
            "note": "",
            "from": "",
            "rate": str(DEFAULT_RATE if action == "requeue" else MAX_RATE),
            "canary": str(DEFAULT_CANARY),
            **given,
        },
        seen=_seen(given),
        foreseen=foreseen,
        said="" if refusal is None else str(refusal),
        problems=_by_place(refusal),
    )


async def _asked(
    services: Services, actor: ActorDep, action: Action, document: Mapping[str, JsonValue]
) -> BulkRun | BulkForesight:
    if action == "requeue":
        wanted = checked(BulkRequeueRequest, dict(document))
        return await requeue_many(Response(), services, actor, wanted)
    return await discard_many(
        Response(), services, actor, checked(BulkDiscardRequest, dict(document))
    )


def _document(action: Action, wanted: Filter, given: Mapping[str, str]) -> dict[str, JsonValue]:
    """The request as the JSON API takes it. Raises ``InvalidRequest`` for what is no number."""
    document: dict[str, JsonValue] = {"filter": dict(wanted)} if wanted else {"all": True}
    names = ("rate", "canary") if action == "requeue" else ("rate",)
    document |= {name: _number(name, given[name]) for name in names if given.get(name)}
    document["note"] = given.get("note", "").strip().replace("\r\n", "\n")
    if action == "requeue" and given.get("from", "").strip():
        document["from"] = given["from"].strip()
    return document


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest([Problem(f"/{name}", "it is a whole number")])
    return int(text)


def _filter_in(fields: FormData) -> Filter:
    found: dict[str, JsonValue] = {name: str(fields[name]) for name in _FILTERS if fields.get(name)}
    if types := [str(each) for each in fields.getlist("type") if each]:
        found["type"] = [*types]
    return found


def _seen(given: Mapping[str, str]) -> str:
    """What of a request decides what comes of it."""
    return given.get("from", "").strip()


def _by_place(refusal: RequestRefused | None) -> Mapping[str, str]:
    problems = refusal.problems if isinstance(refusal, InvalidRequest) else ()
    return {each.pointer.strip("/"): each.message for each in problems}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
