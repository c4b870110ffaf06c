"""Webhooks while their receiver is ill and the API dies: each notice comes, and holds."""

import asyncio
import json

from tests.doubles.webhook_receiver import Received, webhook_receiver
from tests.live import Live, python

# For the minute that is promised: the pauses of this stack are a tenth as long as the usual ones.
ILL_SECONDS = 5.0


async def test_each_notice_comes_though_its_receiver_answers_500_and_the_api_is_killed(
    live: Live,
) -> None:
    loop = asyncio.get_running_loop()
    well_at = loop.time() + ILL_SECONDS

    def answer(got: Received) -> int | None:
        if loop.time() >= well_at:
            return 204
        # One in three hangs, so that the API is killed with some under way.
        return None if len(receiver.received) % 3 == 0 else 500

    async with webhook_receiver() as receiver:
        receiver.answer = answer
        made = await live.http.post("/api/v1/webhooks", json={"url": receiver.url()})
        assert made.status_code == 201, made.text
        hook, secret = made.json()["id"], made.json()["secret"]
        tasks = [await live.submit(python("one", "print(1)")) for _ in range(6)]
        for task_id in tasks:
            await live.ended(task_id)
        await receiver.once(3)
        await live.recovered("api", live.kill("api"))

        def of_these() -> list[Received]:
            return [got for got in receiver.received if _task_of(got) in tasks]

        def told() -> dict[str, Received]:
            return {got.id: got for got in of_these() if got.at >= well_at}

        async with asyncio.timeout(100):
            while len(told()) < len(tasks):
                await asyncio.sleep(0.1)
        said = [got.verified(secret) for got in told().values()]
        assert {each["type"] for each in said} == {"task.completed"}
        assert {each["data"]["task"]["task_id"] for each in said} == set(tasks)
        for got in of_these():
            assert got.body == told()[got.id].body
        assert (await live.http.delete(f"/api/v1/webhooks/{hook}")).status_code == 204


def _task_of(got: Received) -> str:
    """Others of this stack may end meanwhile."""
    return str(json.loads(got.body)["data"]["task"]["task_id"])
