"""Who is calling: the team of an API key, and which of its keys."""

import time
from math import inf

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from activities.store.audit import LOCAL_USER, Actor
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM, KEY_PREFIX, actor_of_key, digest_of
from api.errors import KeyRefused, StrangerRefused
from api.http.peers import why_stranger
from api.http.problems import answer
from api.wire.responses.base import API
from workflows.errors import TemporaryFailure

# How long a key that was revoked may still work, and how often a busy one is looked up.
KEY_MEMORY_SECONDS = 5.0
_MAX_REMEMBERED = 1_000
_MAX_KEY_CHARACTERS = 200


# They reveal nothing about a team.
_PUBLIC = (f"{API}/openapi.json",)
_METRICS = "/metrics"

_LOCAL = Actor(DEFAULT_TEAM, LOCAL_USER)


class KeyRing:
    """Tells who sends a request by its ``Authorization`` header."""

    def __init__(
        self,
        database: Database,
        *,
        keys_required: bool,
        memory_seconds: float = KEY_MEMORY_SECONDS,
    ) -> None:
        self._database = database
        self.keys_required = keys_required
        self._memory_seconds = memory_seconds
        self._remembered: dict[str, tuple[float, Actor | None]] = {}

    async def actor_of(self, authorization: str | None) -> Actor:
        """A key that is sent must be right, even where none is required.

        Raises:
            KeyRefused: there is no key, or a wrong one.
        """
        digest = digest_in(authorization)
        if digest is None:
            if self.keys_required:
                raise KeyRefused(reason="This server requires an API key.")
            return _LOCAL
        actor = await self._look_up(digest)
        if actor is None:
            raise KeyRefused(reason="This API key is unknown or was revoked.")
        return actor

    async def _look_up(self, digest: str) -> Actor | None:
        now = time.monotonic()
        known_at, actor = self._remembered.get(digest, (-inf, None))
        if now - known_at < self._memory_seconds:
            return actor
        actor = await actor_of_key(self._database, digest)
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[digest] = (now, actor)
        return actor


def digest_in(authorization: str | None) -> str | None:
    """The digest of the key in an ``Authorization`` header, if there is one.

    Only digests are compared and looked up: the time it takes tells nothing about a key.

    Raises:
        KeyRefused: the header holds something else.
    """
    if authorization is None:
        return None
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key.startswith(KEY_PREFIX):
        raise KeyRefused(reason="The Authorization header contains no API key.")
    return digest_of(key[:_MAX_KEY_CHARACTERS])


class Authentication:
    """Finds out who is calling before anything of a request's body is taken in.

    It guards every path of the API, those that do not exist too. Who it is is left in the state of
    the request, as ``actor``, and what tells its key from others, if it had one, as
    ``key_digest``. Where no key is required, the user who runs the server and root need none; with
    ``open_loopback`` nobody does.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyRing, open_loopback: bool = False) -> None:
        self._app = app
        self._keys = keys
        self._asks_kernel = not (keys.keys_required or open_loopback)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_guarded(scope["path"]):
            try:
                authorization = Headers(scope=scope).get("authorization")
                actor = await self._actor_of(scope, authorization)
            except (KeyRefused, TemporaryFailure) as error:
                await answer(error)(scope, receive, send)
                return
            state = scope.setdefault("state", {})
            state["actor"], state["key_digest"] = actor, digest_in(authorization)
        await self._app(scope, receive, send)

    async def _actor_of(self, scope: Scope, authorization: str | None) -> Actor:
        if authorization is None and self._asks_kernel and (reason := why_stranger(scope)):
            raise StrangerRefused(reason=reason)
        return await self._keys.actor_of(authorization)


def is_guarded(path: str) -> bool:
    """Whether a path asks for a key, where keys are required."""
    return (path.startswith(f"{API}/") and path not in _PUBLIC) or path == _METRICS
