"""What FastAPI gives to the routes."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from activities.store.audit import Actor
from api.errors import InvalidRequest
from api.http.feeds import Feeds
from api.http.group_stream import GroupFeeds
from api.http.key_watch import KeyWatch
from api.http.notifications import Notifications
from api.http.resident_feeds import InboxFeeds, TeamFeeds
from api.http.routing import LateRoute, query_names_of
from api.http.viewers import Viewers
from api.services import Services
from workflows.pointers import Problem
from workflows.validation_messages import choice

MAX_PARAMETERS = 100
_SHOWN_CHARACTERS = 100

# What other APIs call what we have.
_MEANT = dict.fromkeys(("since", "after", "from", "start"), "created_after") | (
    dict.fromkeys(("until", "before", "to", "end"), "created_before")
    | dict.fromkeys(("q", "query", "search", "name"), "text")
    | dict.fromkeys(("page", "offset", "next_cursor"), "cursor")
    | dict.fromkeys(("per_page", "page_size", "size", "count"), "limit")
)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _feeds(request: Request) -> Feeds:
    feeds: Feeds = request.app.state.feeds
    return feeds


async def _inboxes(request: Request) -> InboxFeeds:
    inboxes: InboxFeeds = request.app.state.inboxes
    return inboxes


async def _team_feeds(request: Request) -> TeamFeeds:
    feeds: TeamFeeds = request.app.state.team_feeds
    return feeds


async def _group_feeds(request: Request) -> GroupFeeds:
    feeds: GroupFeeds = request.app.state.group_feeds
    return feeds


async def _viewers(request: Request) -> Viewers:
    viewers: Viewers = request.app.state.viewers
    return viewers


async def _notifications(request: Request) -> Notifications:
    notifications: Notifications = request.app.state.notifications
    return notifications


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


async def _team(request: Request) -> UUID:
    return (await _actor(request)).team_id


async def known_query(request: Request) -> None:
    """Refuse parameters that the route does not have: a filter with a typo would list everything.

    It goes before the route's own, so that a query of thousands is not even taken apart.
    """
    query: bytes = request.scope["query_string"]
    if query.count(b"&") >= MAX_PARAMETERS:
        message = f"the query has more than {MAX_PARAMETERS} parameters"
        raise InvalidRequest([Problem("", message)])
    route: APIRoute = request.scope["route"]
    known = route.query_names if isinstance(route, LateRoute) else query_names_of(route)
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise InvalidRequest([_not_ours(name, known) for name in unknown])


def _not_ours(name: str, known: tuple[str, ...]) -> Problem:
    shown = name[:_SHOWN_CHARACTERS]
    return Problem("", f"query {shown}: {_unknown(name, known)}", shown)


def _unknown(name: str, known: tuple[str, ...]) -> str:
    if not known:
        return "there is no such parameter; this call has none"
    meant = _MEANT.get(name.lower())
    hint = f"did you mean {meant}?" if meant in known else choice(name, known)
    return f"there is no such parameter; {hint}"


async def _key_watch(request: Request) -> KeyWatch:
    watch: KeyWatch = request.app.state.key_watch
    return watch


async def _key_digest(request: Request) -> str | None:
    digest: str | None = request.state.key_digest
    return digest


ServicesDep = Annotated[Services, Depends(_services)]
FeedsDep = Annotated[Feeds, Depends(_feeds)]
InboxesDep = Annotated[InboxFeeds, Depends(_inboxes)]
TeamFeedsDep = Annotated[TeamFeeds, Depends(_team_feeds)]
GroupFeedsDep = Annotated[GroupFeeds, Depends(_group_feeds)]
ViewersDep = Annotated[Viewers, Depends(_viewers)]
NotificationsDep = Annotated[Notifications, Depends(_notifications)]
KeyWatchDep = Annotated[KeyWatch, Depends(_key_watch)]
KeyDigestDep = Annotated[str | None, Depends(_key_digest)]
TeamDep = Annotated[UUID, Depends(_team)]
ActorDep = Annotated[Actor, Depends(_actor)]


async def admitted(viewers: ViewersDep, team_id: TeamDep) -> AsyncIterator[None]:
    """Of a stream: ends once that has. Only then can another take its place."""
    with viewers.admitted(team_id):
        yield
