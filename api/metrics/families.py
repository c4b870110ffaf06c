"""Metrics that are read from the database, as Prometheus's own client is handed them."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from activities.metrics.definitions import Definition, Kind
from activities.metrics.numbers import bounded
from activities.off_loop import off_loop
from activities.store.reading.figures import Tally

Values = Mapping[tuple[str, ...], float]


class Families(Collector):
    """Whatever was last read, and nothing that is not there any more."""

    def __init__(self) -> None:
        self._found: dict[str, Metric] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def set(self, what: Definition, values: Values | float) -> None:
        metric = _metric(what)
        found: Values = values if isinstance(values, Mapping) else {(): values}
        for labels, value in bounded(what, found).items():
            metric.add_sample(what.name, dict(zip(what.labels, labels, strict=True)), value)
        self._found[what.name] = metric

    def set_histogram(self, what: Definition, tallies: Iterable[Tally]) -> None:
        metric = _metric(what)
        for tally in tallies:
            values = (tally.type, tally.outcome)
            labels = dict(zip(what.labels, values, strict=False))
            for bound in (*what.buckets, float("inf")):
                count = sum(n for most, n in tally.counts.items() if most <= bound)
                told = "+Inf" if bound == float("inf") else str(float(bound))
                metric.add_sample(f"{what.name}_bucket", {**labels, "le": told}, count)
            metric.add_sample(f"{what.name}_count", labels, sum(tally.counts.values()))
            metric.add_sample(f"{what.name}_sum", labels, tally.seconds)
        self._found[what.name] = metric

    def clear(self) -> None:
        self._found.clear()

    def collect(self) -> Iterator[Metric]:
        """Beside the event loop, which may set others meanwhile."""
        return iter(tuple(self._found.values()))

    async def text(self) -> bytes:
        return await off_loop(generate_latest, self._registry)


def _metric(what: Definition) -> Metric:
    name = what.name.removesuffix("_total") if what.kind is Kind.COUNTER else what.name
    return Metric(name, what.help, what.kind.value)
