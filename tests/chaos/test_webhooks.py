"""Webhooks while their receiver is ill and the API dies: each notice comes, and holds."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.doubles.webhook_receiver import Received, webhook_receiver
from tests.live import Live, live_stack, python

# For the minute that is promised, with pauses a tenth as long as the usual ones.
ILL_SECONDS = 5.0
SETTINGS = {
    "AGENTOS_WEBHOOK_TIMEOUT_SECONDS": "1",
    "AGENTOS_WEBHOOK_FIRST_PAUSE_SECONDS": "0.5",
    "AGENTOS_WEBHOOK_LONGEST_PAUSE_SECONDS": "2",
}


@pytest.fixture(scope="module")
async def hooked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    async with live_stack(tmp_path_factory.mktemp("hooked"), **SETTINGS) as live:
        yield live


async def test_each_notice_comes_though_its_receiver_answers_500_and_the_api_is_killed(
    hooked: Live,
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
        made = await hooked.http.post("/api/v1/webhooks", json={"url": receiver.url()})
        assert made.status_code == 201, made.text
        secret = made.json()["secret"]
        tasks = [await hooked.submit(python("one", "print(1)")) for _ in range(6)]
        for task_id in tasks:
            await hooked.ended(task_id)
        await receiver.once(3)
        await hooked.recovered("api", hooked.kill("api"))

        def told() -> dict[str, Received]:
            return {got.id: got for got in receiver.received if got.at >= well_at}

        async with asyncio.timeout(100):
            while len(told()) < len(tasks):
                await asyncio.sleep(0.1)
        said = [got.verified(secret) for got in told().values()]
        assert {each["type"] for each in said} == {"task.completed"}
        assert {each["data"]["task"]["task_id"] for each in said} == set(tasks)
        for got in receiver.received:
            assert got.body == told()[got.id].body
