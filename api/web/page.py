"""What all pages share: how one is rendered, and what goes wrong on one."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from activities.store.audit import LOCAL_USER, Actor
from api.errors import InvalidRequest
from api.http.dependencies import ServicesDep
from api.http.routes.waiting import count_all_waiting
from api.http.routing import LateRoute, Routes
from api.web.headers import PAGE_HEADERS
from api.web.navigation import NAVIGATION, Place
from api.web.standing import Standing, Standings
from api.wire.responses.approvals import WaitingCount
from workflows.pointers import MAX_PROBLEMS, Problem, escaped

_TEMPLATING = "api.web.templating"

THEME = "agentos_theme"
THEMES = ("system", "light", "dark")
_MAX_FIELDS = 1_000
# Of the address of a page that one is led to after the login.
MAX_NEXT_CHARACTERS = 2_000
SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around the content of every page. Without ``actor`` nobody has come in."""

    path: str
    query: str
    theme: str
    navigation: tuple[Place, ...]
    standing: Standing
    actor: Actor | None
    has_session: bool
    waiting: WaitingCount | None
    since: int

    @property
    def who(self) -> str | None:
        return self.actor.name if self.actor and self.actor.name != LOCAL_USER else None


class PageRoute(LateRoute):
    """Forms send what was left empty too; the page's address is better without."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            given = request.query_params.multi_items()
            kept = [(name, value) for name, value in given if value.strip()]
            if request.method == "GET" and len(kept) < len(given):
                return see_other(_address(request.url.path, kept))
            return await handle(request)

        return handled


async def _look(request: Request, services: ServicesDep) -> None:
    """What waits for the reader is said on every page, and up to which change it was drawn: so this
    comes before anything of the page is read."""
    request.state.since = request.app.state.changes.count
    if _TEMPLATING not in sys.modules:  # The first page waits for it, and nobody else does.
        await asyncio.to_thread(import_module, _TEMPLATING)
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None and request.method == "GET":
        request.state.waiting = await count_all_waiting(services, actor.team_id)


def pages(**options: Any) -> Routes:
    """A router for pages: they are no part of the JSON API's document."""
    return Routes(
        dependencies=[Depends(_look)],
        route_class=PageRoute,
        include_in_schema=False,
        default_response_class=HTMLResponse,
        **options,
    )


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page: a template that extends ``base.html``."""
    from api.web.templating import html_of

    content = html_of(template, page=surroundings_of(request), **context)
    return HTMLResponse(content, status, headers=dict(PAGE_HEADERS))


def see_other(address: str) -> RedirectResponse:
    """After a form was sent: look here, so that to load again sends nothing twice."""
    return RedirectResponse(address, SEE_OTHER, headers={"Cache-Control": "no-store"})


async def fields_of(request: Request) -> FormData:
    """What a form has sent; files are not taken in here.

    Raises:
        InvalidRequest: there is something in it that cannot be kept.
    """
    fields = await request.form(max_files=0, max_fields=_MAX_FIELDS)
    problems = [
        Problem(f"/{escaped(name)}", "text cannot hold the character NUL")
        for name, value in fields.multi_items()
        if "\0" in name or "\0" in str(value)
    ]
    if problems:
        raise InvalidRequest(problems[:MAX_PROBLEMS])
    return fields


def surroundings_of(request: Request) -> Surroundings:
    standings: Standings = request.app.state.standings
    state: Mapping[str, Any] = request.scope.get("state", {})
    theme = request.cookies.get(THEME, "")
    return Surroundings(
        path=request.url.path,
        query=request.url.query,
        theme=theme if theme in THEMES else THEMES[0],
        navigation=NAVIGATION,
        standing=standings.now(),
        actor=state.get("actor"),
        has_session=bool(state.get("has_session")),
        waiting=state.get("waiting"),
        since=state.get("since", 0),
    )


def _address(path: str, query: list[tuple[str, str]]) -> str:
    # A path of two slashes would be taken for the name of a server.
    path = "/" + path.lstrip("/")
    return f"{path}?{urlencode(query)}" if query else path
