"""The order in which the steps of a pipeline run, and the items of its steps."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from workflows.definitions.needs import all_needs_of
from workflows.step_graph import GraphStep, Part, Piece, StepGraph

ITEMS = st.integers(0, 5)


@st.composite
def graphs(draw: st.DrawFn) -> Sequence[GraphStep]:
    """Steps that need some of those before them."""
    steps: list[GraphStep] = []
    for number in range(draw(st.integers(1, 10))):
        names = [step.id for step in steps]
        needs = draw(st.sets(st.sampled_from(names), max_size=3)) if names else set()
        parallel = draw(st.none() | st.integers(1, 3))
        steps.append(GraphStep(f"s{number}", frozenset(needs), draw(st.booleans()), parallel))
    return steps


def play(
    graph: StepGraph,
    steps: Sequence[GraphStep],
    items: Mapping[str, int],
    order: random.Random,
    failing: frozenset[Piece] = frozenset(),
) -> Sequence[tuple[str, Piece]]:
    """What began and ended, in its order; what runs ends in any order."""
    told: list[tuple[str, Piece]] = []
    while True:
        told += [("begin", piece) for piece in graph.begin()]
        if not graph.running:
            return told
        piece = order.choice(sorted(graph.running, key=lambda each: (each.name, each.part)))
        if piece.part is Part.OPENING:
            graph.open(piece.step, range(items[piece.step]))
        graph.end(piece, completed=piece not in failing)
        if piece in failing:
            graph.stop()
        told.append(("end", piece))


def items_of(steps: Sequence[GraphStep], data: st.DataObject) -> Mapping[str, int]:
    return {step.id: data.draw(ITEMS) for step in steps if step.has_items}


@given(graphs(), st.integers(1, 5), st.randoms(use_true_random=False), st.data())
def test_every_step_and_every_item_runs_once_after_all_that_it_needs(
    steps: Sequence[GraphStep], parallel: int, order: random.Random, data: st.DataObject
) -> None:
    items = items_of(steps, data)
    graph = StepGraph(steps, parallel)
    told = play(graph, steps, items, order)
    begun = [piece for word, piece in told if word == "begin"]
    assert len(begun) == len(set(begun))
    expected = Counter({step.id: 2 + items[step.id] if step.has_items else 1 for step in steps})
    assert Counter(piece.step for piece in begun) == expected
    assert graph.is_completed
    needs = all_needs_of({step.id: step.needs for step in steps})
    ended: set[str] = set()
    for word, piece in told:
        if word == "begin":
            assert needs[piece.step] <= ended
        elif piece.part in {Part.WHOLE, Part.CLOSING}:
            ended.add(piece.step)


@given(graphs(), st.integers(1, 5), st.randoms(use_true_random=False), st.data())
def test_no_more_run_at_once_than_the_pipeline_and_the_step_allow(
    steps: Sequence[GraphStep], parallel: int, order: random.Random, data: st.DataObject
) -> None:
    running: Counter[str] = Counter()
    bounds = {step.id: step.parallel or parallel for step in steps}
    for word, piece in play(StepGraph(steps, parallel), steps, items_of(steps, data), order):
        running[piece.step] += 1 if word == "begin" else -1
        assert running.total() <= parallel
        assert all(running[name] <= bound for name, bound in bounds.items())


@given(graphs(), st.integers(1, 5), st.randoms(use_true_random=False), st.data())
def test_once_a_piece_has_failed_nothing_begins_and_what_runs_ends(
    steps: Sequence[GraphStep], parallel: int, order: random.Random, data: st.DataObject
) -> None:
    items = items_of(steps, data)
    pieces = [
        Piece(step.id, Part.ITEM, number)
        for step in steps
        if step.has_items
        for number in range(items[step.id])
    ]
    pieces += [Piece(step.id) for step in steps if not step.has_items]
    if not pieces:
        return
    failing = data.draw(st.sampled_from(pieces))
    graph = StepGraph(steps, parallel)
    told = play(graph, steps, items, order, frozenset({failing}))
    place = told.index(("end", failing))
    assert all(word == "end" for word, _ in told[place:])
    assert not graph.is_completed
    assert failing.step not in graph.completed


@given(graphs(), st.integers(1, 5), st.randoms(use_true_random=False), st.data())
def test_steps_and_items_that_were_completed_before_do_not_run_again(
    steps: Sequence[GraphStep], parallel: int, order: random.Random, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from(steps))
    needs = all_needs_of({step.id: step.needs for step in steps})
    graph = StepGraph(steps, parallel, completed=needs[chosen.id])
    told = play(graph, steps, items_of(steps, data), order)
    assert {piece.step for _, piece in told} == {step.id for step in steps} - needs[chosen.id]
    assert graph.is_completed


def test_steps_go_before_items() -> None:
    graph = StepGraph([GraphStep("each", has_items=True), GraphStep("first"), GraphStep("b")], 2)
    opening, first = graph.begin()
    assert (opening.part, first.step) == (Part.OPENING, "first")
    graph.open("each", range(10))
    graph.end(opening, completed=True)
    assert [piece.name for piece in graph.begin()] == ["b"]


def test_a_step_without_items_to_run_is_closed_at_once() -> None:
    graph = StepGraph([GraphStep("each", has_items=True)], 4)
    [opening] = graph.begin()
    graph.open("each", ())
    graph.end(opening, completed=True)
    assert graph.begin() == [Piece("each", Part.CLOSING)]
    assert graph.begin() == []
