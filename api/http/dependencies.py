"""What FastAPI gives to the routes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from api.http.notifications import Notifications
from api.services import Services


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _notifications(request: Request) -> Notifications:
    notifications: Notifications = request.app.state.notifications
    return notifications


async def _team(request: Request) -> UUID:
    team_id: UUID = request.state.team_id
    return team_id


ServicesDep = Annotated[Services, Depends(_services)]
NotificationsDep = Annotated[Notifications, Depends(_notifications)]
TeamDep = Annotated[UUID, Depends(_team)]
