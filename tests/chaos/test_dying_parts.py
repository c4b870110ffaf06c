"""Parts of the stack that die while a pipeline runs. Nothing that was accepted is lost."""

from uuid import uuid4

import httpx
import pytest

from tests.live import Live, processes_mentioning, python, until

WRITE_AND_WAIT = """
import sys, time
open('made.txt', 'w').write('made')
print('written', flush=True)
time.sleep(float(sys.argv[1]))
"""


async def test_a_worker_killed_in_mid_step_ends_in_a_completed_task(live: Live) -> None:
    mark = f"{2 + uuid4().int % 1_000_000 / 1e9:.9f}"  # Seconds, and a name for the process.
    task_id = await live.submit(
        python("before", "open('before.txt', 'w').write('before')"),
        python("long", WRITE_AND_WAIT, mark),
    )

    async def is_up() -> bool:
        return bool(processes_mentioning(mark))

    await until(is_up)
    live.kill("worker")

    async def is_gone() -> bool:
        return not processes_mentioning(mark)

    # The sandbox died with its worker: the next attempt begins when that is missed, after 10 s.
    await until(is_gone, seconds=8)
    task = await live.ended(task_id)
    assert task["status"] == "completed"
    assert sorted(file["name"] for file in task["artifacts"]) == ["before.txt", "made.txt"]
    attempts = [log["status"] for log in await live.log_of(task_id) if log["step"] == "long"]
    assert attempts == ["failed", "completed"]


async def test_a_worker_killed_in_the_midst_of_items_loses_none_and_doubles_none(
    live: Live,
) -> None:
    mark = f"{1 + uuid4().int % 1_000_000 / 1e9:.9f}"
    task_id = await live.submit(
        {
            **python("each", WRITE_AND_WAIT, mark, "${item}"),
            "foreach": [f"item {number}" for number in range(12)],
        },
        python("end", "import sys; print(len(sys.argv) - 1)", "${steps.each.files}"),
    )

    async def is_in_their_midst() -> bool:
        [step, *_] = (await live.task(task_id))["sub_tasks"]
        return bool(step["items"]) and 0 < step["items"]["completed"] < 12 and _is_up(mark)

    await until(is_in_their_midst)
    live.kill("worker")
    task = await live.ended(task_id, seconds=120)
    assert task["status"] == "completed"
    made = [file["sub_task"] for file in task["artifacts"]]
    assert sorted(made) == sorted(f"each[{number}]" for number in range(12))
    logs = await live.log_of(task_id)
    completed = [log["step"] for log in logs if log["status"] == "completed"]
    assert sorted(completed) == sorted([*made, "end"])
    assert logs[-1]["stdout"] == "12\n"


def _is_up(mark: str) -> bool:
    return bool(processes_mentioning(mark))


@pytest.mark.parametrize("part", ["postgres", "s3", "temporal", "api"])
async def test_a_part_that_dies_in_mid_run_delays_the_task_and_no_more(
    live: Live, part: str
) -> None:
    task_id = await live.submit(
        python("one", "import time; time.sleep(1); open('one.txt', 'w').write('1')"),
        python("two", "import sys; print(open(sys.argv[1]).read())", "${steps.one.files}"),
    )
    await live.recovered(part, live.kill(part))
    task = await live.ended(task_id)
    assert task["status"] == "completed"
    assert [file["name"] for file in task["artifacts"]] == ["one.txt"]


async def test_a_task_submitted_while_temporal_is_away_runs_when_it_is_back(live: Live) -> None:
    live.kill("temporal")
    task_id = await live.submit(python("one", "print(1)"))
    assert (await live.ended(task_id))["status"] == "completed"


async def test_a_submission_while_postgresql_is_away_is_refused_with_a_reason(live: Live) -> None:
    killed = live.kill("postgres")
    pipeline = {"name": "x", "steps": [python("one", "print(1)")]}
    answers: list[httpx.Response] = []

    async def is_refused() -> bool:
        answers.append(await live.http.post("/api/v1/tasks", json={"pipeline": pipeline}))
        return answers[-1].status_code != 202

    await until(is_refused)  # A process of it may take one more before it hears of the end.
    assert answers[-1].status_code == 503
    assert "PostgreSQL" in answers[-1].json()["detail"]
    assert "retry-after" in answers[-1].headers
    await live.recovered("postgres", killed)
