"""API keys of the team: whoever has one may make another, and revoke any."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from activities.store import keys
from activities.store.keys import MAX_KEYS, KeyInfo
from api.errors import NotFound, TooManyKeys
from api.http.bodies import Body
from api.http.dependencies import ActorDep, KeyDigestDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.services import Services
from api.wire.requests import KeyRequest
from api.wire.responses.keys import ApiKey, NewApiKey, RevokedApiKey
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/keys", tags=["keys"])


async def _own_key(services: ServicesDep, team_id: TeamDep, digest: KeyDigestDep) -> UUID | None:
    """The key that the request came with; None where it needed none."""
    if digest is None:
        return None
    return await keys.key_of_digest(services.database, team_id, digest)


OwnKeyDep = Annotated[UUID | None, Depends(_own_key)]


@router.get("")
async def list_keys(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    own: OwnKeyDep,
    in_use: bool | None = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[ApiKey]:
    """List the team's keys, newest first, without what they open with. ``in_use`` leaves out those
    that were revoked, or all others."""
    found, following = await keys.page_of_keys(
        services.database, team_id, parse_cursor(cursor), limit, in_use=in_use
    )
    items = [_answer(key, own) for key in found]
    return Page(items=items, next_cursor=cursor_text(following))


@router.get("/{key_id}")
async def get_key(key_id: UUID, services: ServicesDep, team_id: TeamDep, own: OwnKeyDep) -> ApiKey:
    """Show a key, in use or revoked."""
    return _answer(await _found(services, team_id, key_id), own)


@router.post("", status_code=201, responses=refusals(TooManyKeys))
async def create_key(
    request: Annotated[KeyRequest, Depends(Body(KeyRequest))],
    services: ServicesDep,
    actor: ActorDep,
    response: Response,
) -> NewApiKey:
    """Make a key for the team. This answer is the only one that has its ``secret``."""
    made = await keys.add_key(services.database, actor, request.name)
    if made is None:
        raise TooManyKeys(most=MAX_KEYS)
    new, key = made
    response.headers["Cache-Control"] = "no-store"
    return NewApiKey(**_answer(key, None).model_dump(), secret=new.secret)


@router.delete("/{key_id}")
async def revoke_key(
    key_id: UUID, services: ServicesDep, actor: ActorDep, own: OwnKeyDep
) -> RevokedApiKey:
    """Revoke a key of the team, which works for five seconds more at most, and not for streams.

    It may be the one that the request came with, and the last one: then the operator has to make
    another, with ``agentos keys create``.
    """
    if not await keys.revoke_key(services.database, actor.team_id, key_id, by=actor.name):
        raise NotFound(kind="key in use", id=str(key_id))
    key = await _found(services, actor.team_id, key_id)
    left = await keys.count_keys(services.database, actor.team_id)
    return RevokedApiKey(**_answer(key, own).model_dump(), keys_left=left)


async def _found(services: Services, team_id: UUID, key_id: UUID) -> KeyInfo:
    key = await keys.find_key(services.database, team_id, key_id)
    if key is None:
        raise NotFound(kind="key", id=str(key_id))
    return key


def _answer(key: KeyInfo, own: UUID | None) -> ApiKey:
    return ApiKey(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        is_own=key.id == own,
    )
