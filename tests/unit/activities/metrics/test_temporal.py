"""What Temporal's SDK tells of itself."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from activities.metrics.numbers import Numbers
from activities.metrics.temporal import TemporalNumbers


@pytest.fixture(scope="module")
def temporal() -> TemporalNumbers:
    return TemporalNumbers()


async def samples(temporal: TemporalNumbers) -> dict[str, float]:
    numbers = Numbers([])
    numbers.add(temporal)
    return {
        f"{sample.name} {' '.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}": (
            sample.value
        )
        for family in text_string_to_metric_families((await numbers.text()).decode())
        for sample in family.samples
    }


async def test_counters_are_added_up_over_every_emptying_of_the_buffer(
    temporal: TemporalNumbers,
) -> None:
    counter = temporal.runtime.metric_meter.create_counter("temporal_polls", "Polls.")
    of_queue = counter.with_additional_attributes({"task_queue": "agentos", "namespace": "x"})
    of_queue.add(2)
    assert (await samples(temporal))["temporal_polls_total task_queue=agentos"] == 2
    of_queue.add(3)
    assert (await samples(temporal))["temporal_polls_total task_queue=agentos"] == 5


async def test_a_counter_that_is_named_as_one_is_named_so_once(temporal: TemporalNumbers) -> None:
    temporal.runtime.metric_meter.create_counter("temporal_calls_total").add(1)
    assert (await samples(temporal))["temporal_calls_total "] == 1


async def test_times_are_told_in_seconds_and_in_buckets(temporal: TemporalNumbers) -> None:
    latency = temporal.runtime.metric_meter.create_histogram_timedelta("temporal_latency")
    for milliseconds in (7, 200, 100_000):
        latency.record(timedelta(milliseconds=milliseconds))
    found = await samples(temporal)
    assert found["temporal_latency_seconds_count "] == 3
    assert found["temporal_latency_seconds_sum "] == pytest.approx(100.207)
    assert found["temporal_latency_seconds_bucket le=0.01"] == 1
    assert found["temporal_latency_seconds_bucket le=60.0"] == 2
    assert found["temporal_latency_seconds_bucket le=+Inf"] == 3


async def test_ids_in_its_labels_are_left_out(temporal: TemporalNumbers) -> None:
    gauge = temporal.runtime.metric_meter.create_gauge("temporal_pollers")
    queue = "temporal-sys/0c9b1e0e-3b7f-4a53-9d6c-0d8f3f8a1c11"
    gauge.with_additional_attributes({"task_queue": queue}).set(4)
    assert (await samples(temporal))["temporal_pollers task_queue=other"] == 4
