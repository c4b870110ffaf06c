"""What processes count: values of labels are few, and none is an id."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from activities.metrics.definitions import (
    OF_APIS,
    OF_PROCESSES,
    OF_WORKERS,
    RECEIVED,
    STORED,
    TOOL_CALLS,
    WAITS,
    Definition,
    Kind,
    Scope,
)
from activities.metrics.label_values import MOST_VALUES, OTHER, LabelValues, looks_like_an_id
from activities.metrics.numbers import Numbers, bounded

ALL = (*OF_PROCESSES, *OF_WORKERS, *OF_APIS, *STORED)
_UNITS = ("_seconds", "_bytes", "_ratio", "_dollars")


async def samples(numbers: Numbers) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families((await numbers.text()).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.mark.parametrize(
    "value",
    [
        "0c9b1e0e-3b7f-4a53-9d6c-0d8f3f8a1c11",
        "task-0C9B1E0E-3B7F-4A53-9D6C-0D8F3F8A1C11",
        "0c9b1e0e3b7f4a539d6c0d8f3f8a1c11",
        "call_1234567890ab",
        "123456789012345",
    ],
)
def test_an_id_is_no_value_of_a_label(value: str) -> None:
    assert looks_like_an_id(value)
    assert LabelValues().bounded(value) == OTHER


@pytest.mark.parametrize(
    "value",
    [
        "gpt-5-mini-2025-08-07",
        "claude-sonnet-4-20250514",
        "mcp.tracker.find_issue",
        "run_skill_script",
        "/tasks/{task_id:uuid}/events",
        "defacedbeefacade",
    ],
)
def test_a_name_is_a_value_of_a_label(value: str) -> None:
    assert LabelValues().bounded(value) == value


@given(st.lists(st.text(max_size=300)))
def test_a_label_has_no_more_values_than_it_may(given: list[str]) -> None:
    values = LabelValues(most=5)
    found = {values.bounded(each) for each in given}
    assert len(found - {OTHER}) <= 5
    assert all(len(each) <= 100 and each.isprintable() for each in found)


async def test_names_that_come_too_late_are_counted_together() -> None:
    numbers = Numbers([TOOL_CALLS])
    for number in range(MOST_VALUES + 10):
        numbers.count(TOOL_CALLS, f"tool_{number}", "ok")
    numbers.count(TOOL_CALLS, f"mcp.{uuid4()}.find", "ok")
    found = (await samples(numbers))["agentos_tool_calls_total"]
    assert found["ok", OTHER] == 11
    assert len(found) == MOST_VALUES + 1


def test_what_becomes_one_value_is_added_up() -> None:
    values = {(f"breaker-{number}", "open"): 1.0 for number in range(MOST_VALUES + 3)}
    breakers = Definition("x", Kind.GAUGE, "X.", ("name", "state"))
    assert bounded(breakers, values)[OTHER, "open"] == 3


async def test_every_route_is_told_by_itself() -> None:
    numbers = Numbers([RECEIVED])
    for number in range(3 * MOST_VALUES):
        numbers.count(RECEIVED, f"/route-{number}")
    assert len((await samples(numbers))["agentos_http_received_bytes_total"]) == 3 * MOST_VALUES


class Slow(Collector):
    """Somebody else's numbers."""

    def __init__(self) -> None:
        self.asked_in: list[threading.Thread] = []

    def collect(self) -> Iterator[Metric]:
        self.asked_in.append(threading.current_thread())
        return iter(())


async def test_numbers_are_written_beside_the_event_loop() -> None:
    numbers, slow, read_in = Numbers([WAITS]), Slow(), list[threading.Thread]()
    numbers.add(slow)
    numbers.before_reading(lambda: read_in.append(threading.current_thread()))
    slow.asked_in.clear()  # It is asked for the names of its numbers.
    await numbers.text()
    assert read_in == [threading.main_thread()]
    assert slow.asked_in
    assert threading.main_thread() not in slow.asked_in


async def test_a_gauge_is_back_when_what_it_counts_has_failed() -> None:
    running = Definition("running", Kind.GAUGE, "Running.", ("kind",))
    numbers = Numbers([running])

    async def fail() -> None:
        with numbers.during(running, "skill"):
            assert (await samples(numbers))["running"]["skill",] == 1
            raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        await fail()
    assert (await samples(numbers))["running"]["skill",] == 0


async def test_what_is_known_only_when_it_is_looked_at_is_asked_for_then() -> None:
    numbers = Numbers([WAITS])
    numbers.before_reading(lambda: numbers.count(WAITS))
    assert (await samples(numbers))[WAITS.name][()] == 1
    assert (await samples(numbers))[WAITS.name][()] == 2


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_has_it_and_says_how_to_add_it_up(
    metric: Definition,
) -> None:
    assert metric.name.startswith("agentos_")
    assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
    assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith(_UNITS)
    assert metric.help.endswith("take the max." if metric.scope is Scope.DATABASE else "up.")
    assert {"task", "task_id", "team", "run", "id"}.isdisjoint(metric.labels)


def test_no_name_is_there_twice() -> None:
    names = [metric.name for metric in ALL]
    assert len(names) == len(set(names))
