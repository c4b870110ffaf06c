"""Bulk runs whose API is killed: they go on where they were, and requeue nothing twice."""

from typing import Any

from tests.live import Live, python, until

COUNT = 5


async def test_a_bulk_run_whose_api_is_killed_goes_on_and_requeues_each_letter_once(
    live: Live,
) -> None:
    ids = [await live.submit(python("bulky", "import sys; sys.exit(1)")) for _ in range(COUNT)]
    for task_id in ids:
        assert (await live.ended(task_id))["status"] == "failed"
    [letter] = await items(live, "dead-letters", task_id=ids[0])
    body = {"filter": {"fingerprint": letter["fingerprint"]}, "canary": 0, "rate": 60}
    run = (await live.http.post("/api/v1/dead-letters/requeue", json=body)).json()
    assert run["counts"]["total"] == COUNT
    for done in (1, 3):  # It is killed twice.
        await counted(live, run, "requeued", done)
        await live.recovered("api", live.kill("api"))
    await counted(live, run, "failed", COUNT)
    assert [(await live.task(task_id))["run"] for task_id in ids] == [2] * COUNT
    deeds = await items(live, "audit", action="dead_letter.requeued")
    assert len([deed for deed in deeds if deed["details"]["bulk_id"] == run["id"]]) == COUNT


async def counted(live: Live, run: dict[str, Any], name: str, count: int) -> None:
    async def is_reached() -> bool:
        found = (await live.http.get(f"/api/v1/bulk/{run['id']}")).json()
        return bool(found["counts"][name] >= count)

    await until(is_reached)


async def items(live: Live, path: str, **query: str) -> list[dict[str, Any]]:
    answer = await live.http.get(f"/api/v1/{path}", params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])
