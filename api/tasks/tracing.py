"""How what happened within a task nests in time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from activities.store.reading.traces import Trace, TracedAnswer, TracedAttempt, TracedStep
from api.wire.responses.history import Span
from workflows.states import Status


def spans(trace: Trace) -> Span:
    """The task as a tree of spans."""
    whole = _span("task", trace.name, trace, trace.created_at, _parts(trace))
    return whole.model_copy(update={"is_cut": trace.is_cut})


def _parts(trace: Trace) -> list[Span]:
    """Turns with their calls, or else steps with their items. The nodes of a plan belong to the
    call that made them."""
    nodes: defaultdict[int, list[Span]] = defaultdict(list)
    items: defaultdict[UUID, list[Span]] = defaultdict(list)
    for step in trace.steps:
        if step.number is not None:
            nodes[step.order].append(_node(step))
        elif step.item_of is not None:
            items[step.item_of].append(_step(replace(step, kind="item"), ()))
    calls = [step for step in trace.steps if step.number is None and step.item_of is None]
    children = [_step(step, [*nodes.pop(step.order, []), *items[step.id]]) for step in calls]
    if trace.answers:
        orders = [step.order for step in calls]
        children = _turns(trace.answers, list(zip(orders, children, strict=True)))
    return [*children, *(span for left in nodes.values() for span in left)]


def _node(step: TracedStep) -> Span:
    children = _parts(step.inner) if step.inner is not None else []
    span = _span("node", step.name, step, step.started_at, children)
    return span.model_copy(update={"task_id": step.child_id})


def _turns(answers: Sequence[TracedAnswer], calls: Sequence[tuple[int, Span]]) -> list[Span]:
    """A turn is an answer of the model and the calls whose results follow it."""
    ends = [answer.seq for answer in answers[1:]]
    turns = []
    waiting = list(reversed(calls))
    for answer, end in zip(answers, [*ends, None], strict=True):
        made = []
        while waiting and (end is None or waiting[-1][0] < end):
            made.append(waiting.pop()[1])
        turns.append(_turn(answer, made))
    return turns


def _turn(answer: TracedAnswer, calls: list[Span]) -> Span:
    start = answer.created_at - timedelta(milliseconds=answer.duration_ms or 0)
    said = Span(
        name=f"{answer.model or 'model'}, {answer.tokens:,} tokens",
        kind="llm",
        status=Status.COMPLETED,
        start=start,
        end=answer.created_at,
        duration_ms=answer.duration_ms,
        children=[],
    )
    is_open = any(not call.status.is_final for call in calls)
    end = None if is_open else max([answer.created_at, *(c.end for c in calls if c.end)])
    return Span(
        name=f"turn {answer.turn}",
        kind="turn",
        status=Status.RUNNING if is_open else Status.COMPLETED,
        start=start,
        end=end,
        duration_ms=_duration_ms(start, end),
        children=[said, *calls],
    )


def _step(step: TracedStep, parts: Sequence[Span]) -> Span:
    attempts = [
        _span("attempt", f"run {item.run}, attempt {item.number}", item, item.started_at, [])
        for item in step.attempts
    ]
    children = [*attempts, *parts]
    # From the first attempt of the present run, as in the list of steps: what lay between a run
    # and the retry by a person is no time of the step. A retry empties its times; those of its
    # earlier attempts stay. The attempt at a plan begins when its nodes have ended: it tells what
    # became of them.
    run = max((item.run for item in step.attempts), default=0)
    present = [item.started_at for item in step.attempts if item.run == run]
    starts = [*present, *(part.start for part in parts if part.start is not None)]
    start = min(starts, default=step.started_at)
    if step.status is Status.PENDING:
        start = None  # In this run it has not begun, nor will it where that has ended.
    elif step.started_at is not None and any(part.kind == "item" for part in parts):
        start = step.started_at  # Items that are kept have begun in a run before.
    span = _span(step.kind, step.name, step, start, children)
    return span.model_copy(update={"cached": step.cached, "answered_by": step.answered_by})


def _span(
    kind: str,
    name: str,
    traced: Trace | TracedStep | TracedAttempt,
    start: datetime | None,
    children: list[Span],
) -> Span:
    return Span(
        name=name,
        kind=kind,
        status=traced.status,
        start=start,
        end=traced.finished_at,
        duration_ms=_duration_ms(start, traced.finished_at),
        children=children,
    )


def _duration_ms(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return round((end - start).total_seconds() * 1_000)
