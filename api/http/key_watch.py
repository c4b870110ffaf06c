"""Ends what goes on for long, once the key that began it is revoked."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from anyio import CancelScope

from activities.store.database import Database
from activities.store.keys import valid_keys
from workflows.errors import TemporaryFailure

CHECK_SECONDS = 2.0

log = structlog.get_logger(__name__)


class KeyWatch:
    """``run`` looks at all keys in use with one query, for the life of the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scopes: defaultdict[str, set[CancelScope]] = defaultdict(set)

    @contextmanager
    def using(self, digest: str | None) -> Iterator[CancelScope]:
        """What the block does is cancelled when this key is revoked. None: no key was needed."""
        with CancelScope() as scope:
            if digest is None:
                yield scope
                return
            self._scopes[digest].add(scope)
            try:
                yield scope
            finally:
                self._scopes[digest].discard(scope)
                if not self._scopes[digest]:
                    del self._scopes[digest]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not self._scopes:
                continue
            used = set(self._scopes)
            try:
                revoked = used - await valid_keys(self._database, used)
            # Supervises for the life of the process: whatever a look ran into, the next one is due.
            except Exception as error:
                is_known = isinstance(error, TemporaryFailure)
                log.warning("keys.unchecked", reason=str(error), exc_info=not is_known)
                continue
            for digest in revoked:
                for scope in self._scopes.get(digest, ()):
                    scope.cancel()
