"""Results that equal steps take for their own, on the whole stack."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.live import Live, python

DICE = "import uuid; word = uuid.uuid4().hex; print(word); open('dice.txt', 'w').write(word)"


def steps_of(task: dict[str, Any]) -> dict[str, bool]:
    return {step["name"]: step["cached"] for step in task["sub_tasks"]}


async def printed(live: Live, task: dict[str, Any]) -> list[str]:
    return [log["stdout"] for log in await live.log_of(task["task_id"])]


async def test_a_step_and_the_one_after_it_are_given_what_equal_ones_gave(live: Live) -> None:
    first = python("roll", DICE, uuid4().hex, cache="1h")
    read = "import sys; print(open(sys.argv[1]).read())"
    second = python("read", read, "${steps.roll.files['dice.txt']}", cache="1h")
    made = await live.run(first, second)
    taken = await live.run(first, second)
    assert steps_of(made) == {"roll": False, "read": False}
    assert steps_of(taken) == {"roll": True, "read": True}
    assert await printed(live, taken) == await printed(live, made)
    [file] = taken["artifacts"]
    assert await live.text_of(file) == await live.text_of(made["artifacts"][0])
    assert file["id"] != made["artifacts"][0]["id"]
    ends = [
        data for kind, data in await live.events_of(taken["task_id"]) if kind == "step.completed"
    ]
    assert [end["cached"] for end in ends] == [True, True]
    anew = await live.run(first, second, cache=False)
    assert steps_of(anew) == {"roll": False, "read": False}
    assert await printed(live, anew) != await printed(live, made)


async def test_equal_steps_of_tasks_that_run_at_once_run_once(live: Live) -> None:
    step = python("roll", f"import time; time.sleep(1)\n{DICE}", uuid4().hex, cache="1h")
    tasks = await asyncio.gather(*(live.run(step) for _ in range(3)))
    assert [task["status"] for task in tasks] == ["completed"] * 3
    assert sorted(steps_of(task)["roll"] for task in tasks) == [False, True, True]
    assert len({str(await printed(live, task)) for task in tasks}) == 1


async def test_a_built_in_skill_is_run_once_for_the_same_bytes(live: Live) -> None:
    content = f"a,b\n1,{uuid4().hex}\n".encode()
    profile = {"id": "profile", "skill": "csv-profile", "args": ["${inputs.data}"]}
    runs = [
        await live.run(profile, inputs={"data": await live.upload("data.csv", content)})
        for _ in range(2)
    ]
    assert [steps_of(task) for task in runs] == [{"profile": False}, {"profile": True}]
    sums = [{file["name"]: file["sha256"] for file in task["artifacts"]} for task in runs]
    assert sums[0] == sums[1]
    assert sorted(sums[0]) == ["profile.json", "profile.md"]
