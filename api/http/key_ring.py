"""Who sends a request: by an API key, or by the session that a browser has begun with one."""

import time
from math import inf
from typing import TypeVar

from activities.store.audit import LOCAL_USER, Actor
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM, KEY_PREFIX, actor_of_key, digest_of
from activities.store.sessions import Visitor, visitor_of
from api.errors import KeyRefused

# How long a key that was revoked may still work, and how often a busy one is looked up.
KEY_MEMORY_SECONDS = 5.0
_MAX_REMEMBERED = 1_000
_MAX_KEY_CHARACTERS = 200

_LOCAL = Actor(DEFAULT_TEAM, LOCAL_USER)

Found = TypeVar("Found")


class KeyRing:
    """Tells who sends a request by its ``Authorization`` header, or by its session."""

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
        self._keys: dict[str, tuple[float, Actor | None]] = {}
        self._sessions: dict[str, tuple[float, Visitor | None]] = {}

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
        known_at, actor = self._keys.get(digest, (-inf, None))
        if self._is_old(known_at):
            actor = await actor_of_key(self._database, digest)
            _remember(self._keys, digest, actor)
        if actor is None:
            raise KeyRefused(reason="This API key is unknown or was revoked.")
        return actor

    async def visitor_of(self, token: str) -> Visitor | None:
        """Whose session it is; None when it has ended."""
        digest = digest_of(token[:_MAX_KEY_CHARACTERS])
        known_at, visitor = self._sessions.get(digest, (-inf, None))
        if self._is_old(known_at):
            visitor = await visitor_of(self._database, digest)
            _remember(self._sessions, digest, visitor)
        return visitor

    def forget(self, token: str) -> None:
        """Look a session up again: it was ended."""
        self._sessions.pop(digest_of(token[:_MAX_KEY_CHARACTERS]), None)

    def _is_old(self, known_at: float) -> bool:
        return time.monotonic() - known_at >= self._memory_seconds


def _remember(kept: dict[str, tuple[float, Found]], digest: str, found: Found) -> None:
    if len(kept) >= _MAX_REMEMBERED:
        kept.clear()
    kept[digest] = (time.monotonic(), found)


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
