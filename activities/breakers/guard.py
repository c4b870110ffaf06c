"""What stands around a call: it is refused, or made and counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from activities.breakers.breaker import Election, Leave, Refusal
from activities.breakers.errors import BreakerOpen
from activities.breakers.judgement import Culprit, outcome_of
from activities.breakers.known import Known
from activities.breakers.watched import Watched
from activities.store.breakers import BreakerKey
from workflows.errors import AgentOSError

if TYPE_CHECKING:
    from activities.breakers.breakers import Breakers

# A call that tries is lost with its worker once it has not said for so long that it lives.
LEASE_SECONDS = 15.0


@dataclass(slots=True)
class Passed:
    """The leave of a call at one breaker; as its ``prober``, if it is the one that tries."""

    known: Known
    culprit: Culprit
    leave: Leave
    prober: str | None = None
    renewing: asyncio.Task[None] | None = field(default=None, repr=False)


class Guard:
    """Of one call."""

    __slots__ = ("_all", "_passed", "_team_id", "_watched")

    def __init__(self, all_: "Breakers", team_id: UUID, watched: Sequence[Watched]) -> None:
        self._all = all_
        self._team_id = team_id
        self._watched = watched
        self._passed: list[Passed] = []

    async def __aenter__(self) -> None:
        """Raises ``BreakerOpen``."""
        passing = [(self._all.known(BreakerKey(self._team_id, w.name)), w) for w in self._watched]
        if all(known.breaker.is_closed for known, _ in passing):  # as a rule, so it must be quick
            for known, watched in passing:
                self._passed.append(Passed(known, watched.culprit, known.breaker.leave()))
            return
        for known, _ in passing:  # Before any of them holds an election, which would be in vain.
            if (refusal := known.breaker.refusal) is not None:
                raise _refused(known, refusal)
        try:
            for known, watched in passing:
                self._passed.append(await self._pass(known, watched))
        except BaseException as error:
            self._end(error)
            raise

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._end(error)

    async def _pass(self, known: Known, watched: Watched) -> Passed:
        leave = known.breaker.admit()
        if isinstance(leave, Leave):
            return Passed(known, watched.culprit, leave)
        if isinstance(leave, Election):
            try:
                prober = await self._all.elect(known)
            finally:
                known.breaker.lost()
            if prober is not None:
                leave = known.breaker.won(LEASE_SECONDS)
                renewing = asyncio.create_task(self._all.renew(known, prober))
                return Passed(known, watched.culprit, leave, prober, renewing)
            if known.breaker.is_closed:  # since a moment
                return await self._pass(known, watched)
            leave = known.breaker.refusal or known.breaker.is_probed_elsewhere
        raise _refused(known, leave)

    def _end(self, error: BaseException | None) -> None:
        for passed in self._passed:
            outcome = outcome_of(error, passed.culprit)
            if passed.renewing is not None:
                passed.renewing.cancel()
            if passed.prober is not None:
                self._all.settle(passed, outcome, error)
            elif trip := passed.known.breaker.ended(passed.leave, outcome):
                told = error if isinstance(error, AgentOSError) else None
                self._all.share(passed.known, trip, told)


def _refused(known: Known, refusal: Refusal) -> BreakerOpen:
    return BreakerOpen(name=known.key.name, why=refusal.why, seconds=refusal.seconds)
