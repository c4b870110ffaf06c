"""Agents that stay, made and changed as people ask for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid4

from pydantic import BaseModel, JsonValue, ValidationError

from activities.residents.checking import problems_with_resident
from activities.residents.creating import create_agent, reason_of
from activities.residents.errors import AgentDefinitionRefused
from activities.store.audit import Actor
from activities.store.new_residents import Made, NewResident, NotMade, find_made
from activities.store.reading.residents import StoredResident
from activities.store.residents import Changed, change_resident
from api.errors import IdempotencyConflict, InvalidRequest
from api.residents.errors import AgentConflict, AgentMoved, AgentNameTaken, AgentRefused
from api.residents.lookup import load_agent, no_agent
from api.residents.templates import template_fields
from api.services import Services
from api.wire.agent_requests import AgentChange, AgentRequest
from workflows.definitions.resident import Resident
from workflows.pointers import problems_in
from workflows.resident_states import AgentAct, is_legal, why_not
from workflows.states import AgentState

Fields = Mapping[str, JsonValue]

# Of which the parts that are given are laid over those that are there.
_NESTED = ("profile", "limits")


async def create(
    services: Services, actor: Actor, request: AgentRequest, key: str | None
) -> StoredResident:
    """Make an agent; a repeat with the same key gives the same one.

    Raises:
        InvalidRequest: with everything that is wrong.
        AgentRefused, AgentNameTaken: there is no room for it.
        IdempotencyConflict: the key was used for another request.
    """
    new = NewResident(
        id=uuid4(),
        name=request.name,
        definition={},
        parent_id=request.parent_id,
        template=request.template,
        idempotency_key=key,
        request_digest=_digest_of_agent(request) if key else None,
    )
    most = services.options.residents.most
    # What was fine when it was accepted may be gone now: that makes no repeat wrong.
    made = await find_made(services.database, actor.team_id, new) if key else None
    if made is None:
        made = await _create(services, actor, new, request.given, most)
    if isinstance(made, Made):
        return await load_agent(services, actor.team_id, made.id)
    raise _refusal(made, new, most)


async def _create(
    services: Services, actor: Actor, new: NewResident, given: Fields, most: int
) -> Made | NotMade:
    base = await template_fields(services, actor.team_id, new.template)
    wanted = replace(new, definition=_said(_read(overlaid(base, given))))
    try:
        return await create_agent(services.installed, actor, wanted, most=most)
    except AgentDefinitionRefused as refused:
        raise InvalidRequest(refused.problems) from refused


async def change(
    services: Services, actor: Actor, agent_id: UUID, request: AgentChange
) -> StoredResident:
    """Change an agent from its next turn on.

    Raises:
        NotFound, InvalidRequest, AgentConflict, AgentNameTaken, AgentMoved
    """
    found = await load_agent(services, actor.team_id, agent_id)
    if not is_legal(AgentAct.CHANGE, found.state):
        raise _conflict(found, found.state)
    name = request.name or found.name
    wanted = _read(overlaid(found.written, request.given))
    if problems := await problems_with_resident(services.installed, actor.team_id, wanted):
        raise InvalidRequest(problems)
    definition = _said(wanted)
    fields = sorted(request.model_fields_set)
    if name != found.name or definition != found.written:
        changed = await change_resident(
            services.database,
            actor,
            agent_id,
            name=name,
            seen=found.written,
            definition=definition,
            fields=fields,
        )
        _check(changed, found, name)
    return await load_agent(services, actor.team_id, agent_id)


def overlaid(base: Fields, given: Fields) -> dict[str, JsonValue]:
    """``given`` laid over ``base``, field by field also within profile and limits."""
    laid = {**base, **given}
    for name in _NESTED:
        under, over = base.get(name), given.get(name)
        if isinstance(under, Mapping) and isinstance(over, Mapping):
            laid[name] = {**under, **over}
    return laid


def digest_of(request: BaseModel) -> str:
    """The same for requests that mean the same, also when newer versions know more fields."""
    return hashlib.sha256(request.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def _digest_of_agent(request: AgentRequest) -> str:
    """Over a template a null, and a default, say something else than nothing."""
    parent = None if request.parent_id is None else str(request.parent_id)
    own = {"name": request.name, "template": request.template, "parent_id": parent}
    said = {**request.given, **own}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _read(fields: Fields) -> Resident:
    try:
        return Resident.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidRequest(problems_in(found, fields, model=Resident)) from error


def _said(resident: Resident) -> dict[str, JsonValue]:
    return resident.model_dump(mode="json", exclude_unset=True)


def _refusal(refusal: NotMade, new: NewResident, most: int) -> Exception:
    match refusal:
        case NotMade.NAME_TAKEN:
            return AgentNameTaken(name=new.name)
        case NotMade.KEY_TAKEN:
            return IdempotencyConflict(key=new.idempotency_key)
        case _:
            return AgentRefused(reason=reason_of(refusal, new, most=most))


def _check(changed: Changed, found: StoredResident, name: str) -> None:
    match changed:
        case Changed.GONE:
            raise no_agent(found.id)
        case Changed.TERMINATED:
            raise _conflict(found, AgentState.TERMINATED)
        case Changed.NAME_TAKEN:
            raise AgentNameTaken(name=name)
        case Changed.MOVED:
            raise AgentMoved(name=found.name)
        case Changed.DONE:
            pass


def _conflict(found: StoredResident, state: AgentState) -> AgentConflict:
    return AgentConflict(name=found.name, done="changed", reason=why_not(AgentAct.CHANGE, state))
