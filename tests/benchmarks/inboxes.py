"""Thousands of messages through one agent whose model answers at once.

Senders write at the same time, each its messages one after the other. What the model was given, one
exchange after the other, must be what stands in the inbox: every message, once, in its order. How
fast that goes is shown beside as many signals from as many senders to a bare workflow, which also
takes all that came meanwhile at once.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import text

from activities.store.database import Database
from tests.benchmarks.bare import TASK_QUEUE
from tests.benchmarks.bare_signals import LISTENS_FOR, LOOK, BareListener
from tests.benchmarks.history import costs_of_runs
from tests.benchmarks.judgement import Verdict
from tests.benchmarks.model import say
from tests.benchmarks.report import console, judge
from tests.benchmarks.residents import Resident
from tests.benchmarks.stage import Stage

MESSAGES = 1_000
MANY_MESSAGES = 10_000
SENDERS = 20
# Temporal suggests to continue as new after 4,096, and the exchange then ends first.
MOST_EVENTS = 6_000
PATIENCE_SECONDS = 900
_POLL_SECONDS = 0.2
_NUMBER = re.compile(r"message (\d+) of sender (\d+)")

Place = tuple[int, int]
"""Of a message: its sender, and its number among those of that."""


@dataclass(frozen=True, slots=True)
class Kept:
    """In the order of the inbox, and in the order in which the model was given them."""

    written: Sequence[Place]
    read: Sequence[Place]
    exchanges: int


async def thousand(stage: Stage) -> Verdict:
    """1,000 messages of 20 senders."""
    return await _through(stage, MESSAGES)


async def ten_thousand(stage: Stage) -> Verdict:
    """10,000 messages of 20 senders."""
    return await _through(stage, MANY_MESSAGES)


async def _through(stage: Stage, count: int) -> Verdict:
    bare = await _bare_rate(stage, count)
    resident = await Resident.create(stage, await stage.models.add("instant", [say("Yes.")]))
    database = Database(stage.services.database_url)
    try:
        began = time.perf_counter()
        await _by_senders(count, lambda sender, number: _send(resident, sender, number))
        posted = time.perf_counter() - began
        await _until_read(resident, database)
        taken = time.perf_counter() - began
        kept = await _kept(resident, database)
    finally:
        await database.close()
    console.print(
        f"{count:,} messages of {SENDERS} senders: {count / posted:.0f} a second are accepted, "
        f"{count / taken:.0f} a second are answered, in {kept.exchanges:,} exchanges; "
        f"bare signals: {bare:.0f} a second"
    )
    return max(_is_whole(kept, count), await _is_bounded(stage, resident))


async def _by_senders(count: int, tell: Callable[[int, int], Awaitable[object]]) -> None:
    async def one(sender: int) -> None:
        for number in range(count // SENDERS):
            await tell(sender, number)

    await asyncio.gather(*map(one, range(SENDERS)))


async def _send(resident: Resident, sender: int, number: int) -> None:
    await resident.send(f"This is message {number} of sender {sender}.")


async def _bare_rate(stage: Stage, count: int) -> float:
    handle = await stage.temporal.start_workflow(
        BareListener.run,
        args=[count],
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=LISTENS_FOR,
    )
    latest = stage.temporal.get_workflow_handle(handle.id)  # It may have continued as new.
    began = time.perf_counter()
    await _by_senders(count, lambda _, number: latest.signal(LOOK, number))
    await handle.result()
    return count / (time.perf_counter() - began)


async def _until_read(resident: Resident, database: Database) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await database.execute(_UNREAD, {"agent_id": resident.id}):
            await asyncio.sleep(_POLL_SECONDS)


async def _kept(resident: Resident, database: Database) -> Kept:
    values = {"agent_id": resident.id}
    written = await database.execute(_WRITTEN, values)
    exchanges = await database.execute(_EXCHANGES, values)
    return Kept(
        [place for row in written for place in _places(row.content)],
        [place for row in exchanges for place in _places(row.prompt)],
        len(exchanges),
    )


def _places(words: str) -> Sequence[Place]:
    return [(int(sender), int(number)) for number, sender in _NUMBER.findall(words)]


def _is_whole(kept: Kept, count: int) -> Verdict:
    each = range(count // SENDERS)
    wanted = [(sender, number) for sender in range(SENDERS) for number in each]
    lost = len(set(wanted) - set(kept.read))
    doubled = len(kept.read) - len(set(kept.read))
    # Those of one sender are in the order in which it sent them, whatever comes between.
    in_order = kept.read == kept.written and sorted(kept.read, key=lambda p: p[0]) == wanted
    return judge(
        f"Of them {lost} lost, {doubled} doubled, {'all' if in_order else 'NOT all'} in order",
        kept=not lost and not doubled and in_order,
        bound="none, none, all",
    )


async def _is_bounded(stage: Stage, resident: Resident) -> Verdict:
    runs = await costs_of_runs(stage, f"agent-{resident.id}")
    most = max(run.events for run in runs)
    told = ", ".join(f"{run.events:,} events of {run.bytes / 1_000:,.0f} KB" for run in runs)
    return judge(
        f"Its history, in {len(runs)} runs: {told}",
        kept=most <= MOST_EVENTS,
        bound=f"<= {MOST_EVENTS:,} events a run",
    )


_UNREAD = text(
    "SELECT 1 FROM inbox WHERE agent_id = CAST(:agent_id AS uuid) AND read_at IS NULL LIMIT 1"
)

_WRITTEN = text(
    """
    SELECT content FROM inbox
    WHERE agent_id = CAST(:agent_id AS uuid) AND kind = 'message' ORDER BY seq
    """
)

_EXCHANGES = text(
    """
    SELECT prompt FROM tasks WHERE parent_id = CAST(:agent_id AS uuid)
    ORDER BY CAST(definition ->> 'number' AS int)
    """
)
