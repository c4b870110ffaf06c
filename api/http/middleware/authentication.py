"""Who is calling: the team of an API key, and which of its keys."""

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from activities.metrics.access import is_token
from activities.store.audit import Actor
from activities.store.keys import DEFAULT_TEAM
from api.errors import ForeignPage, KeyRefused, StrangerRefused
from api.http.cookies import session_in
from api.http.key_ring import KeyRing, digest_in
from api.http.origins import is_from_elsewhere
from api.http.paths import METRICS, is_guarded, is_page
from api.http.peers import why_stranger
from api.http.problems import answer
from workflows.errors import TemporaryFailure

_METRICS_READER = Actor(DEFAULT_TEAM, "metrics token")


class Authentication:
    """Finds out who is calling before anything of a request's body is taken in.

    It guards every path but a few, those that do not exist too. Who it is is left in the state of
    the request, as ``actor``, and what tells its key from others, if it had one, as
    ``key_digest``. A browser that has logged in sends its session instead of a key; then other
    sites' pages may change nothing. Where no key is required, the user who runs the server and
    root need none; with ``open_loopback`` nobody does. The ``metrics_token`` opens the metrics, and
    nothing else.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: KeyRing,
        open_loopback: bool = False,
        metrics_token: SecretStr | None = None,
    ) -> None:
        self._app = app
        self._metrics_token = metrics_token
        self._keys = keys
        self._asks_kernel = not (keys.keys_required or open_loopback)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._enter(scope)
            except (KeyRefused, ForeignPage, TemporaryFailure) as error:
                await answer(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _enter(self, scope: Scope) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        session = session_in(headers)
        if (session or is_page(path)) and is_from_elsewhere(scope["method"], headers):
            raise ForeignPage
        if not is_guarded(path):
            return
        state = scope.setdefault("state", {})
        authorization = headers.get("authorization")
        if authorization is None and session and (found := await self._keys.visitor_of(session)):
            state["actor"], state["key_digest"] = found.actor, found.key_digest
            state["has_session"] = True
            return
        if path == METRICS and is_token(authorization, self._metrics_token):
            state["actor"] = _METRICS_READER
            return
        if authorization is None and self._asks_kernel and (reason := why_stranger(scope)):
            raise StrangerRefused(reason=reason)
        state["actor"] = await self._keys.actor_of(authorization)
        state["key_digest"] = digest_in(authorization)
