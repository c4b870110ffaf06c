"""Settings of the team: its keys, quota, limits, how long things are kept, and what runs here."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes import keys as keys_api
from api.http.routes.about import get_about
from api.http.routes.housekeeping import get_housekeeping
from api.http.routes.keys import OwnKeyDep
from api.http.routes.limits import list_limits
from api.http.routes.usage import get_usage
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.wire.requests import KeyRequest
from api.wire.responses.about import About
from api.wire.responses.housekeeping import HousekeepingView
from api.wire.responses.keys import ApiKey
from api.wire.responses.limits import LimitList
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.usage import TeamUsage

router = pages()


async def _keys(
    services: ServicesDep,
    team_id: TeamDep,
    own: OwnKeyDep,
    revoked: bool = False,
    cursor: CursorText = None,
) -> Page[ApiKey]:
    return await keys_api.list_keys(
        services=services,
        team_id=team_id,
        own=own,
        in_use=not revoked,
        cursor=cursor,
        limit=DEFAULT_PAGE,
    )


@router.get("/settings")
async def settings_page(
    *,
    request: Request,
    keys: Annotated[Page[ApiKey], Depends(_keys)],
    usage: Annotated[TeamUsage, Depends(get_usage)],
    limits: Annotated[LimitList, Depends(list_limits)],
    kept: Annotated[HousekeepingView, Depends(get_housekeeping)],
    about: Annotated[About, Depends(get_about)],
    revoked: bool = False,
) -> Response:
    """Show all of it on one page."""
    return render(
        request,
        "settings/settings.html",
        keys=keys,
        usage=usage,
        limits=limits,
        kept=kept,
        about=about,
        revoked=revoked,
        first=first_page(request),
        next=next_page(request, keys),
    )


@router.post("/settings/keys")
async def create_key(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Make a key and show it. It is in this answer only, so nothing leads away from it."""
    fields = await fields_of(request)
    wanted = checked(KeyRequest, {"name": text_of(fields, "name")})
    response = Response()
    made = await keys_api.create_key(wanted, services, actor, response)
    page = render(request, "settings/new_key.html", status=201, key=made)
    page.headers["Cache-Control"] = "no-store"
    return page


@router.get("/settings/keys/{key_id:uuid}/revoke")
async def revoking_page(
    *,
    request: Request,
    key: Annotated[ApiKey, Depends(keys_api.get_key)],
    keys: Annotated[Page[ApiKey], Depends(_keys)],
    about: Annotated[About, Depends(get_about)],
) -> Response:
    """Say what will happen."""
    is_last = [each.id for each in keys.items] == [key.id]
    return render(request, "settings/revoke.html", key=key, is_last=is_last, about=about)


@router.post("/settings/keys/{key_id:uuid}/revoke")
async def revoke_key(
    key_id: UUID, services: ServicesDep, actor: ActorDep, own: OwnKeyDep
) -> Response:
    """Revoke it. With one's own key one's session ends."""
    gone = await keys_api.revoke_key(key_id, services, actor, own)
    return see_other("/login" if gone.is_own else "/settings#keys")
