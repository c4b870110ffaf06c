"""Three sandboxed steps by AgentOS, by a worker of plain Temporal, and by peers, in turns.

Each keeps to its own defaults, and all of them stand by while one runs. What each promises when a
process dies, and what it keeps of a run, differs, so these figures have no bound.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median

from rich.markup import escape
from rich.table import Table

from tests.benchmarks.judgement import Pair, Verdict
from tests.benchmarks.peers.installing import NotInstalledError, Peer
from tests.benchmarks.peers.process import PeerFailedError, running
from tests.benchmarks.plain_sandbox import STEPS
from tests.benchmarks.report import console, spread
from tests.benchmarks.stage import WRITING_STEPS, Stage, plain_sandbox_line

PEERS = (
    Peer(
        "LangGraph",
        "as a library, SQLite",
        "on_langgraph",
        ("langgraph>=1,<2", "langgraph-checkpoint-sqlite>=3,<4"),
    ),
    Peer("DBOS", "in its own process, SQLite", "on_dbos", ("dbos>=3,<4",)),
    Peer("Prefect", "local server", "on_prefect", ("prefect>=3,<4",)),
)
AT_ONCE = 20
WARM_UPS = 2
LATENCY_ROUNDS = 10
THROUGHPUT_ROUNDS = 3

OURS = "AgentOS over HTTP"
PLAIN = "a plain Temporal worker, same server"

Seconds = Callable[[int], Awaitable[float]]
"""Runs so many pipelines at once; gives how long that takes."""


@dataclass(slots=True)
class Side:
    seconds: Seconds
    alone_ms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    async def warm_up(self) -> None:
        await self.seconds(1)

    async def run_alone(self) -> None:
        self.alone_ms.append(await self.seconds(1) * 1_000)

    async def run_many(self) -> None:
        self.rates.append(AT_ONCE / await self.seconds(AT_ONCE))


async def all_peers(stage: Stage) -> Verdict:
    """One row for each that can be installed here."""
    sides = {
        OURS: Side(_at_once(lambda: stage.run_over_http(*WRITING_STEPS))),
        PLAIN: Side(_at_once(stage.run_plain)),
    }
    async with AsyncExitStack() as stack:
        for peer in PEERS:
            start = running(peer, plain_sandbox_line(), stage.work_folder / peer.module)
            try:
                at_work = await stack.enter_async_context(start)
            except NotInstalledError as error:
                console.print(
                    f"{peer.name} cannot be installed, and is left out: {escape(str(error))}"
                )
            else:
                sides[f"{peer.name}, {peer.way}"] = Side(at_work.seconds)
        for turn, rounds in (
            (Side.warm_up, WARM_UPS),
            (Side.run_alone, LATENCY_ROUNDS),
            (Side.run_many, THROUGHPUT_ROUNDS),
        ):
            for _ in range(rounds):
                await _take_turns(sides, turn)
    show(sides)
    return Verdict.KEPT


async def _take_turns(sides: dict[str, Side], turn: Callable[[Side], Awaitable[None]]) -> None:
    """Each side once. Whoever fails is out."""
    for name, side in list(sides.items()):
        try:
            await turn(side)
        except PeerFailedError as error:
            del sides[name]
            console.print(f"{name}, has failed, and is left out: {escape(str(error))}")


def _at_once(work: Callable[[], Awaitable[object]]) -> Seconds:
    async def seconds(count: int) -> float:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(work())
        return time.perf_counter() - began

    return seconds


def middle_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of each round."""
    return median(Pair(*both).ratio for both in zip(ours, theirs, strict=True))


def show(sides: Mapping[str, Side]) -> None:
    """Print what each takes alone and at once, and what AgentOS takes of that."""
    table = Table(title=f"{STEPS} sandboxed steps elsewhere", title_justify="left")
    table.add_column("")  # A terminal of 80 columns breaks the names, and none of the figures.
    for column in ("alone (ms)", "AgentOS\ntakes", f"{AT_ONCE} at once (1/s)", "AgentOS\nruns"):
        table.add_column(column, no_wrap=True)
    ours = sides[OURS]
    for name, side in sides.items():
        table.add_row(
            name,
            spread(side.alone_ms, 0),
            f"{middle_ratio(ours.alone_ms, side.alone_ms):.2f}x",
            spread(side.rates),
            f"{middle_ratio(ours.rates, side.rates):.2f}x",
        )
    console.print(table)
