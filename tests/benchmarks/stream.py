"""What a model says, through the event stream of a task against the bare client of the model.

The first token is timed from the beginning of its turn, as the database dates it. What comes
before, the acceptance of the task and the start of its workflow, is shown as well.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openai import AsyncOpenAI

from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.model import finish
from tests.benchmarks.report import compare, judge_median, spread
from tests.benchmarks.stage import Stage

TOKEN = "word "
PACE = Bound(least=0.9)
FIRST_TOKEN_MS = Bound(most=100)


@dataclass(frozen=True, slots=True)
class Pace:
    name: str
    tokens: int
    pause_seconds: float


PACES = (
    Pace("at 100 tokens a second", tokens=150, pause_seconds=0.01),
    Pace("as fast as it can", tokens=10_000, pause_seconds=0.0),
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


async def deltas(stage: Stage) -> Verdict:
    """Tokens a second, and the time to the first, at a pace of models and at full pace."""
    return max([await _at(stage, pace) for pace in PACES])


async def _at(stage: Stage, pace: Pace) -> Verdict:
    words = [TOKEN] * pace.tokens
    model = await stage.models.add("stream", [finish(*words, pause_seconds=pace.pause_seconds)])
    through_events: list[Heard] = []
    by_client: list[Heard] = []
    async with AsyncOpenAI(base_url=stage.models.base_url, api_key="none", max_retries=0) as client:

        async def ours() -> float:
            through_events.append(await _through_events(stage, model))
            return through_events[-1].tokens_per_second

        async def bare() -> float:
            by_client.append(await _bare(client, request))
            return by_client[-1].tokens_per_second

        await ours()  # These make the connections.
        request = await stage.models.last_request("stream")
        await bare()
        del through_events[0], by_client[0]
        pairs = await measure(ours, bare, PACE, Effort(most=10, seconds=25))
    assert {sum(heard.tokens) for heard in (*through_events, *by_client)} == {pace.tokens}
    is_quick = compare(
        f"Tokens of a model that speaks {pace.name}, through the event stream",
        pairs,
        baseline_name="the bare openai client",
        unit="tokens/s",
        bound=PACE,
        rows=[
            (
                "turn begins after the request (ms)",
                spread([heard.began_ms for heard in through_events]),
            ),
            ("first token after that (ms)", spread(list(_first(through_events)))),
            ("first token of the bare client (ms)", spread(list(_first(by_client)))),
        ],
    )
    firsts = zip(_first(through_events), _first(by_client), strict=True)
    later = [mine - base for mine, base in firsts]
    is_early = judge_median("The first token of a turn comes later by", later, "ms", FIRST_TOKEN_MS)
    return max(is_quick, is_early)


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
