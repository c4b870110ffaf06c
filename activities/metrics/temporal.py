"""What Temporal's SDK tells of itself, at the same address as our own numbers.

The SDK could serve it at an address of its own, which nobody would guard. So it puts each change
into a buffer, which is emptied every second.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import accumulate
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetricUpdate,
    LoggingConfig,
    MetricBuffer,
    MetricBufferDurationFormat,
    Runtime,
    TelemetryConfig,
)

from activities.metrics.label_values import LabelValues

_EMPTIED_SECONDS = 1.0
# A busy worker makes some thousands a second.
_BUFFERED = 100_000
_MOST_SERIES = 2_000
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
# The same for all that a process tells.
_LEFT_OUT = frozenset({"service_name", "namespace"})

_Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Series:
    value: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))


@dataclass(slots=True)
class _Family:
    name: str
    kind: str
    help: str
    series: dict[_Labels, _Series] = field(default_factory=dict)


class TemporalNumbers(Collector):
    """``runtime`` is for the clients of this process. There is one in a process."""

    def __init__(self) -> None:
        self._buffer = MetricBuffer(_BUFFERED, MetricBufferDurationFormat.SECONDS)
        telemetry = TelemetryConfig(metrics=self._buffer, logging=LoggingConfig.default)
        self.runtime = Runtime(telemetry=telemetry)
        self._families: dict[str, _Family] = {}
        # By identity, which the SDK keeps for what is equal. The object stays as long as its id.
        self._labels: dict[int, tuple[Mapping[str, object], _Labels]] = {}
        self._bounds: dict[str, LabelValues] = {}
        self._series = 0
        self._taking = Lock()

    @asynccontextmanager
    async def emptied(self) -> AsyncIterator[None]:
        """Empty the buffer while the block runs: what does not fit is lost."""
        emptying = asyncio.create_task(self._empty(), name="temporal-numbers")
        try:
            yield
        finally:
            emptying.cancel()
            await asyncio.wait({emptying})

    async def _empty(self) -> None:
        while True:
            if self._taking.acquire(blocking=False):  # Else whoever collects is at it.
                try:
                    self._take()
                finally:
                    self._taking.release()
            await asyncio.sleep(_EMPTIED_SECONDS)

    def collect(self) -> Iterator[Metric]:
        """In any thread."""
        with self._taking:
            self._take()
            found = deepcopy(list(self._families.values()))
        for family in found:
            metric = Metric(family.name, family.help, family.kind)
            for labels, series in family.series.items():
                _add(metric, dict(labels), series)
            yield metric

    def describe(self) -> Iterator[Metric]:
        """Nothing yet: what there is is known as it comes."""
        return iter(())

    def _take(self) -> None:
        for update in self._buffer.retrieve_updates():
            self._note(update)

    def _note(self, update: BufferedMetricUpdate) -> None:
        kind = update.metric.kind
        family = self._families.get(update.metric.name) or self._new(update)
        labels = self._labels_of(update.attributes)
        series = family.series.get(labels)
        if series is None:
            if self._series >= _MOST_SERIES:
                return
            self._series += 1
            series = family.series[labels] = _Series()
        if kind == BUFFERED_METRIC_KIND_COUNTER:
            series.value += update.value
        elif kind == BUFFERED_METRIC_KIND_HISTOGRAM:
            series.value += update.value
            series.counts[bisect_left(_BUCKETS, update.value)] += 1
        else:
            series.value = update.value

    def _new(self, update: BufferedMetricUpdate) -> _Family:
        metric = update.metric
        name, kind = metric.name.removesuffix("_total"), "gauge"
        if metric.kind == BUFFERED_METRIC_KIND_COUNTER:
            kind = "counter"
        elif metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
            kind, name = "histogram", f"{name}_seconds"
        said = metric.description or "As Temporal's SDK tells it."
        family = _Family(name, kind, said)
        self._families[metric.name] = family
        return family

    def _labels_of(self, attributes: Mapping[str, object]) -> _Labels:
        known = self._labels.get(id(attributes))
        if known is not None:
            return known[1]
        found = tuple(
            (name, self._bounds.setdefault(name, LabelValues()).bounded(str(value)))
            for name, value in sorted(attributes.items())
            if name not in _LEFT_OUT
        )
        if len(self._labels) < _MOST_SERIES:
            self._labels[id(attributes)] = (attributes, found)
        return found


def _add(metric: Metric, labels: dict[str, str], series: _Series) -> None:
    if metric.type != "histogram":
        suffix = "_total" if metric.type == "counter" else ""
        metric.add_sample(f"{metric.name}{suffix}", labels, series.value)
        return
    totals = list(accumulate(series.counts))
    for bound, total in zip((*map(str, _BUCKETS), "+Inf"), totals, strict=True):
        metric.add_sample(f"{metric.name}_bucket", {**labels, "le": bound}, total)
    metric.add_sample(f"{metric.name}_count", labels, totals[-1])
    metric.add_sample(f"{metric.name}_sum", labels, series.value)
