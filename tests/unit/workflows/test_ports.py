"""What a worker hosts of a port."""

from temporalio import activity

from workflows import ports


class Tasks(ports.Tasks):
    @activity.defn
    async def mark_task(self, mark: object) -> None: ...

    @activity.defn
    async def close_task(self, close: object) -> None: ...

    async def help_out(self) -> None:
        """What an adapter has beside."""


def test_the_activities_of_an_adapter_are_those_of_its_port() -> None:
    tasks = Tasks()
    assert tasks.activities() == [tasks.close_task, tasks.mark_task]
