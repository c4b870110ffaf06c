"""The order in which the nodes of a plan run."""

import heapq
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from workflows.schedule import Part, Schedule


@st.composite
def graphs(draw: st.DrawFn) -> Mapping[int, Part]:
    """Parts that depend on some of those before them, then in any order."""
    count = draw(st.integers(1, 12))
    parts: dict[int, Part] = {}
    for number in range(count):
        before = draw(st.sets(st.sampled_from(sorted(parts)), max_size=4)) if parts else set()
        weight = draw(st.integers(1, 9))
        parts[number] = Part(frozenset(before), float(weight))
    return {node: parts[node] for node in draw(st.permutations(sorted(parts)))}


def descendants(parts: Mapping[int, Part], nodes: set[int]) -> set[int]:
    found: set[int] = set()
    while (
        more := {node for node, part in parts.items() if part.depends_on & (nodes | found)} - found
    ):
        found |= more
    return found


def play(
    schedule: Schedule, parts: Mapping[int, Part], failing: set[int]
) -> tuple[Sequence[int], float, int]:
    """Nodes in the order of their start, the time that all took, and the most that ran at once."""
    started: list[str] = []
    running: list[tuple[float, int]] = []
    now, most = 0.0, 0
    while True:
        for node in schedule.begin():
            started.append(node)
            heapq.heappush(running, (now + parts[node].weight, node))
        most = max(most, len(running))
        if not running:
            return started, now, most
        now, ended = heapq.heappop(running)
        schedule.end(ended, completed=ended not in failing)


@given(graphs(), st.integers(1, 5))
def test_every_node_starts_once_after_those_it_depends_on(
    parts: Mapping[int, Part], parallel: int
) -> None:
    schedule = Schedule(parts, parallel)
    started, _, most = play(schedule, parts, set())
    assert sorted(started) == sorted(parts)
    assert most <= parallel
    place = {node: number for number, node in enumerate(started)}
    for node, part in parts.items():
        assert all(place[before] < place[node] for before in part.depends_on)
    assert schedule.is_over
    assert schedule.is_completed


@given(graphs(), st.integers(1, 5), st.data())
def test_only_what_depends_on_a_failed_node_is_never_started(
    parts: Mapping[int, Part], parallel: int, data: st.DataObject
) -> None:
    failing = data.draw(st.sets(st.sampled_from(sorted(parts)), min_size=1, max_size=3))
    schedule = Schedule(parts, parallel)
    started, _, _ = play(schedule, parts, failing)
    assert set(started) == parts.keys() - descendants(parts, failing)
    assert set(schedule.failed) == failing & set(started)
    assert set(schedule.pending) == parts.keys() - set(started)
    assert schedule.is_over
    assert not schedule.is_completed


@given(graphs(), st.integers(1, 5), st.data())
def test_a_later_run_starts_only_what_was_not_completed(
    parts: Mapping[int, Part], parallel: int, data: st.DataObject
) -> None:
    failing = data.draw(st.sets(st.sampled_from(sorted(parts)), min_size=1, max_size=3))
    first, _, _ = play(Schedule(parts, parallel), parts, failing)
    kept = set(first) - failing
    again = Schedule(parts, parallel, completed=kept)
    second, _, _ = play(again, parts, set())
    assert set(second) == parts.keys() - kept
    assert again.is_completed


@given(graphs(), st.integers(1, 5), st.data())
def test_nodes_that_were_put_back_start_later_and_all_are_run(
    parts: Mapping[int, Part], parallel: int, data: st.DataObject
) -> None:
    schedule = Schedule(parts, parallel)
    started: list[int] = []
    while not schedule.is_over:
        ready = schedule.begin()
        may_wait = schedule.running - set(ready)
        back = set(data.draw(st.sets(st.sampled_from(ready)))) if ready else set()
        if back == set(ready) and not may_wait:
            back = set()
        schedule.put_back(back)
        assert not back & schedule.running
        assert not back or not schedule.is_over
        started += [node for node in ready if node not in back]
        schedule.end(min(schedule.running), completed=True)
    assert sorted(started) == sorted(parts)
    assert schedule.is_completed


@given(graphs(), st.integers(1, 5))
def test_the_time_is_within_grahams_bound(parts: Mapping[int, Part], parallel: int) -> None:
    """A list schedule takes at most the critical path and an equal share of the rest."""
    _, seconds, _ = play(Schedule(parts, parallel), parts, set())
    work = sum(part.weight for part in parts.values())
    _, critical, _ = play(Schedule(parts, len(parts)), parts, set())
    assert seconds <= critical + (work - critical) / parallel + 1e-9


def test_a_node_starts_while_others_of_its_level_still_run() -> None:
    quick, slow, after_quick = 1, 2, 3
    parts = {
        quick: Part(weight=1),
        slow: Part(weight=9),
        after_quick: Part(frozenset({quick})),
    }
    schedule = Schedule(parts, 4)
    assert set(schedule.begin()) == {quick, slow}
    schedule.end(quick, completed=True)
    assert schedule.begin() == [after_quick]


def test_the_node_that_the_longest_path_hangs_on_goes_first() -> None:
    alone, first, second = 1, 2, 3
    parts = {
        alone: Part(weight=3),
        first: Part(weight=1),
        second: Part(frozenset({first}), weight=5),
    }
    assert Schedule(parts, 1).begin() == [first]


def test_nothing_begins_without_a_free_place() -> None:
    schedule = Schedule({1: Part(), 2: Part()}, 1)
    assert schedule.begin() == [1]
    assert schedule.begin() == []
    assert not schedule.is_over


def test_a_revised_plan_is_completed_without_the_node_that_was_replaced() -> None:
    parts = {1: Part(), 3: Part(), 2: Part(frozenset({3}))}
    schedule = Schedule(parts, 2, replaced=[1])
    started, _, _ = play(schedule, parts, set())
    assert started == [3, 2]
    assert schedule.is_completed


def test_a_revised_plan_that_still_needs_the_replaced_node_is_not_completed() -> None:
    parts = {1: Part(), 2: Part(frozenset({1})), 3: Part()}
    schedule = Schedule(parts, 2, replaced=[1])
    started, _, _ = play(schedule, parts, set())
    assert started == [3]
    assert not schedule.is_completed


def test_how_far_a_plan_is_does_not_count_what_was_replaced() -> None:
    parts = {number: Part() for number in range(1, 6)}
    schedule = Schedule(parts, 3, completed=[1], replaced=[2])
    schedule.end(schedule.begin()[0], completed=False)
    assert schedule.size == 4
    assert schedule.completed == {1}
    assert schedule.broken == {3}
    assert schedule.running == {4, 5}
