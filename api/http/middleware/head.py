"""HEAD wherever there is GET: its status and headers, as monitors and caches ask for."""

from contextlib import suppress

from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What routing writes down, and whoever counts and logs requests reads afterwards.
_FOUND = ("route", "endpoint", "path_params")


class _Enough(Exception):
    """Of an answer that is streamed, the rest is wanted by nobody."""


class HeadAsGet:
    """Answers HEAD as GET, without the body, but where a route answers HEAD itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or _is_answered(scope):
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                return
            is_streamed = message.get("more_body", False)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if is_streamed:
                raise _Enough

        asked = {**scope, "method": "GET"}
        try:
            with suppress(_Enough):
                await self._app(asked, receive, without_body)
        finally:
            scope.update({key: asked[key] for key in _FOUND if key in asked})


def _is_answered(scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in scope["app"].routes)
