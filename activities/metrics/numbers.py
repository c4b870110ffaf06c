"""What a process has counted and measured, as Prometheus reads it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import TypeAlias

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from activities.metrics.definitions import Definition, Kind
from activities.metrics.label_values import MOST_VALUES, OURS, LabelValues
from activities.off_loop import off_loop

CONTENT_TYPE = CONTENT_TYPE_LATEST

_Metric: TypeAlias = Counter | Gauge | Histogram

# When a series began, beside each: nobody asks, and it would be a third of all.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Numbers:
    """Those of ``definitions``. Values of labels are bounded here, whoever gives them."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._registry = CollectorRegistry()
        self._metrics = {each: _made(each, self._registry) for each in definitions}
        self._bounds = {each: _bounds_of(each) for each in self._metrics}
        self._readers: list[Callable[[], None]] = []

    def count(self, what: Definition, *labels: str, by: float = 1.0) -> None:
        metric = self._of(what, labels)
        assert isinstance(metric, Counter)
        metric.inc(by)

    def observe(self, what: Definition, value: float, *labels: str) -> None:
        metric = self._of(what, labels)
        assert isinstance(metric, Histogram)
        metric.observe(value)

    def set(self, what: Definition, value: float, *labels: str) -> None:
        metric = self._of(what, labels)
        assert isinstance(metric, Gauge)
        metric.set(value)

    @contextmanager
    def during(self, what: Definition, *labels: str) -> Iterator[None]:
        """One more while the block runs."""
        metric = self._of(what, labels)
        assert isinstance(metric, Gauge)
        metric.inc()
        try:
            yield
        finally:
            metric.dec()

    def before_reading(self, read: Callable[[], None]) -> None:
        """Have ``read`` set what is known only when it is looked at."""
        self._readers.append(read)

    def add(self, collector: Collector) -> None:
        """Have somebody else's numbers told with ours."""
        self._registry.register(collector)

    def add_process(self) -> None:
        """Processor, memory, open files and garbage of this process: once in a process."""
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    async def text(self) -> bytes:
        """All of them. Collectors are asked in another thread."""
        for read in self._readers:
            read()
        return await off_loop(generate_latest, self._registry)

    def _of(self, what: Definition, labels: tuple[str, ...]) -> _Metric:
        metric = self._metrics[what]
        if not labels:
            return metric
        bounds = self._bounds[what]
        return metric.labels(*map(LabelValues.bounded, bounds, labels))


def bounded(
    what: Definition, values: Mapping[tuple[str, ...], float]
) -> Mapping[tuple[str, ...], float]:
    """The same with bounded labels; what becomes one is added up."""
    bounds = _bounds_of(what)
    found: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for labels, value in values.items():
        found[tuple(map(LabelValues.bounded, bounds, labels))] += value
    return found


def _bounds_of(what: Definition) -> tuple[LabelValues, ...]:
    return tuple(LabelValues(inf if label in OURS else MOST_VALUES) for label in what.labels)


def _made(what: Definition, registry: CollectorRegistry) -> _Metric:
    if what.kind is Kind.HISTOGRAM:
        return Histogram(what.name, what.help, what.labels, buckets=what.buckets, registry=registry)
    kind = Counter if what.kind is Kind.COUNTER else Gauge
    return kind(what.name, what.help, what.labels, registry=registry)
