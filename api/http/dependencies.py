"""What FastAPI gives to the routes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.http.feeds import Feeds
from api.http.viewers import Viewers
from api.services import Services


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _feeds(request: Request) -> Feeds:
    feeds: Feeds = request.app.state.feeds
    return feeds


async def _viewers(request: Request) -> Viewers:
    viewers: Viewers = request.app.state.viewers
    return viewers


async def _team(request: Request) -> UUID:
    team_id: UUID = request.state.team_id
    return team_id


ServicesDep = Annotated[Services, Depends(_services)]
FeedsDep = Annotated[Feeds, Depends(_feeds)]
ViewersDep = Annotated[Viewers, Depends(_viewers)]
TeamDep = Annotated[UUID, Depends(_team)]
