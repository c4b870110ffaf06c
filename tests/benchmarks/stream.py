"""What a model says, through the event stream of a task against the bare client of the model.

The first token is timed from the beginning of its turn, as the database dates it. What comes
before, the acceptance of the task and the start of its workflow, is shown as well.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openai import AsyncOpenAI

from tests.benchmarks.model import finish
from tests.benchmarks.report import Bound, compare, judge, spread
from tests.benchmarks.stage import Stage

TOKEN = "word "
LATEST_FIRST_TOKEN_MS = 100


@dataclass(frozen=True, slots=True)
class Pace:
    name: str
    tokens: int
    pause_seconds: float
    rounds: int


PACES = (
    Pace("at 100 tokens a second", tokens=300, pause_seconds=0.01, rounds=5),
    Pace("as fast as it can", tokens=10_000, pause_seconds=0.0, rounds=5),
)


@dataclass(slots=True)
class Heard:
    """Tokens with the times at which they came, in seconds since their turn ``began``."""

    submitted: float = field(default_factory=time.time)
    began: float = field(default_factory=time.time)
    times: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.times.append(time.time() - self.began)
        self.tokens.append(len(text) // len(TOKEN))

    @property
    def first_ms(self) -> float:
        return self.times[0] * 1_000

    @property
    def began_ms(self) -> float:
        return (self.began - self.submitted) * 1_000

    @property
    def tokens_per_second(self) -> float:
        """Of those after the first ones, which may be several that come at once."""
        return sum(self.tokens[1:]) / (self.times[-1] - self.times[0])


async def deltas(stage: Stage) -> bool:
    """Tokens a second, and the time to the first, at a pace of models and at full pace."""
    kept = [await _at(stage, pace) for pace in PACES]
    return all(kept)


async def _at(stage: Stage, pace: Pace) -> bool:
    words = [TOKEN] * pace.tokens
    model = await stage.models.add("stream", [finish(*words, pause_seconds=pace.pause_seconds)])
    ours: list[Heard] = []
    bare: list[Heard] = []
    async with AsyncOpenAI(base_url=stage.models.base_url, api_key="none", max_retries=0) as client:
        for _ in range(1 + pace.rounds):
            ours.append(await _through_events(stage, model))
            bare.append(await _bare(client, await stage.models.last_request("stream")))
    assert {sum(heard.tokens) for heard in (*ours, *bare)} == {pace.tokens}
    del ours[0], bare[0]  # They made the connections.
    is_quick = compare(
        f"Tokens of a model that speaks {pace.name}, through the event stream",
        ours=[heard.tokens_per_second for heard in ours],
        baseline=[heard.tokens_per_second for heard in bare],
        baseline_name="the bare openai client",
        unit="tokens/s",
        bound=Bound(least=0.9),
        rows=[
            ("turn begins after the request (ms)", spread([heard.began_ms for heard in ours])),
            ("first token after that (ms)", spread(list(_first(ours)))),
            ("first token of the bare client (ms)", spread(list(_first(bare)))),
        ],
    )
    later = [mine - base for mine, base in zip(_first(ours), _first(bare), strict=True)]
    is_early = judge(
        f"The first token of a turn comes {spread(later)} ms later",
        kept=statistics.median(later) <= LATEST_FIRST_TOKEN_MS,
        bound=f"<= {LATEST_FIRST_TOKEN_MS}",
    )
    return is_quick and is_early


async def _through_events(stage: Stage, model: str) -> Heard:
    heard = Heard()
    workflow_id = await stage.submit_agent(model)
    async for event in stage.events(workflow_id):
        if event.type == "turn.started":
            heard.began = event.created_at.timestamp()  # One machine, one clock.
        elif event.type == "llm.delta":
            heard.add(str(event.data["text"]))
    return heard


async def _bare(client: AsyncOpenAI, request: dict[str, Any]) -> Heard:
    heard = Heard()
    async for chunk in await client.chat.completions.create(**request):
        for choice in chunk.choices:
            if choice.delta.content:
                heard.add(choice.delta.content)
    return heard


def _first(all_heard: list[Heard]) -> Iterator[float]:
    return (heard.first_ms for heard in all_heard)
