"""How often an API asks for what it tells."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from activities.metrics.definitions import OF_APIS, TASKS
from activities.metrics.numbers import Numbers
from activities.store.database import Database
from api.metrics.families import Families
from api.metrics.metrics import KEPT_SECONDS, Metrics
from api.services import Services
from workflows.errors import TemporaryFailure

DATABASE = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")


class NoServers:
    connected = 0


@dataclass
class House:
    """Services of which Temporal is away, and a clock that only moves when something takes time."""

    now: float = 1_000.0
    workers_asked: int = 0
    reads: int = 0
    read_seconds: float = 0.01
    numbers: Numbers = field(default_factory=lambda: Numbers(OF_APIS))
    database: Database = DATABASE
    mcp: NoServers = field(default_factory=NoServers)
    disk: None = None
    temporal: "House" = field(init=False)

    def __post_init__(self) -> None:
        self.temporal = self

    async def count_workers(self) -> int:
        self.workers_asked += 1
        self.now += 2.5
        raise TemporaryFailure(service="Temporal", reason="it does not answer")

    async def read(self, services: Services, families: Families) -> None:
        self.reads += 1
        self.now += self.read_seconds
        families.set(TASKS, {("agent", "running"): self.reads})


def metrics_of(house: House) -> Metrics:
    return Metrics(cast(Services, house), [house.read], lambda: house.now)


async def test_the_database_is_asked_as_often_while_temporal_is_away() -> None:
    house = House()
    metrics = metrics_of(house)
    for _ in range(5):
        text = await metrics.text(streams=0)
        house.now += KEPT_SECONDS
    assert house.reads == 5
    assert b'agentos_tasks{status="running",type="agent"} 5.0' in text


@pytest.mark.parametrize(("read_seconds", "reads"), [(0.01, 2), (1.0, 1)])
async def test_the_database_is_asked_for_a_hundredth_of_the_time_at_most(
    read_seconds: float, reads: int
) -> None:
    house = House(read_seconds=read_seconds)
    metrics = metrics_of(house)
    await metrics.text(streams=0)
    house.now += 20
    await metrics.text(streams=0)
    assert house.reads == reads


async def test_workers_are_counted_every_ten_seconds_at_most() -> None:
    house = House()
    metrics = metrics_of(house)
    for _ in range(5):
        text = await metrics.text(streams=0)
    assert house.workers_asked == 1
    assert b"agentos_workers 0.0" in text
