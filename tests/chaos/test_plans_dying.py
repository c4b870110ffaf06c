"""Plans whose worker, database or history is taken away. No node is lost, and none is doubled."""

import asyncio
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from tests.doubles.scripted_models import (
    Conversation,
    Endless,
    ScriptedModels,
    Wanted,
    asks,
    finishes,
)
from tests.live import Live, a_while, release, sleeping, until
from tests.temporal_runs import reset_to_nodes, reset_to_turn

AWAY_SECONDS = 30.0
MANY = 50
HELD = "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])"

Node = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Survivor:
    """A plan whose worker was killed, after its end."""

    talk: Conversation
    task: dict[str, Any]


@dataclass(slots=True)
class Branches:
    """Ten nodes that run until they are let go. ``unsafe`` are those that must not run twice: each
    has a file, with a byte for each time that it did. ``safe`` ones sleep for so long."""

    unsafe: dict[str, Path]
    safe: dict[str, str]
    talks: dict[str, Conversation]

    @property
    def nodes(self) -> Sequence[Node]:
        told_nodes = [told(name, talk.prompt(name)) for name, talk in self.talks.items()]
        return [*told_nodes, *(coded(name, HELD, word) for name, word in self.safe.items())]

    def all_run(self) -> bool:
        begun = all(file.exists() for file in self.unsafe.values())
        return begun and all(map(sleeping, self.safe.values()))


@pytest.fixture(scope="module")
async def live(agents_live: Live) -> Live:
    """The stack, with a tool that says nothing of whether it may be called twice."""
    await agents_live.register_mcp_server("counted")
    return agents_live


@pytest.fixture(scope="module")
def branches(models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory) -> Branches:
    folder = tmp_path_factory.mktemp("branches")
    unsafe = {f"unsafe{number}": folder / str(number) for number in range(5)}
    talks = {
        name: models.conversation(asks(waits(file)), finishes()) for name, file in unsafe.items()
    }
    return Branches(unsafe, {f"safe{number}": a_while() for number in range(5)}, talks)


@pytest.fixture(scope="module")
async def survivors(
    live: Live, models: ScriptedModels, branches: Branches
) -> Mapping[str, Survivor]:
    """A plan of ten branches and one of fifty nodes, whose one worker is killed."""
    source = "open('made.txt', 'w').write('made')"
    quick = [coded(f"n{number}", source) for number in range(MANY)]
    talks = {
        "ten": models.conversation(asks(makes(*branches.nodes)), finishes()),
        "fifty": models.conversation(asks(makes(*quick)), finishes()),
    }
    ten = await live.submit_plan(talks["ten"].prompt(), max_nodes=10, parallel=10)
    await until(lambda: asyncio.to_thread(branches.all_run))
    fifty = await live.submit_plan(talks["fifty"].prompt(), max_nodes=MANY, parallel=8)
    await live.when(fifty, lambda task: _count(task, "completed") >= MANY // 5)
    live.kill("worker")
    await until(lambda: _none_sleeps(branches.safe.values()))
    for word in branches.safe.values():
        await release(word)
    return {
        name: Survivor(talks[name], await live.ended(task_id, seconds=120))
        for name, task_id in (("ten", ten), ("fifty", fifty))
    }


def waits(begun: Path, seconds: float = 600) -> Wanted:
    """A call that must not be made twice; the file has a byte for each time it was."""
    given = {"begun": str(begun), "cancelled": f"{begun}-not", "seconds": seconds}
    return "mcp.counted.wait", given


def coded(name: str, source: str = "print(1)", *args: str, after: Sequence[str] = ()) -> Node:
    """A node that runs a few lines of Python, which may be run twice."""
    code = {"language": "python", "source": source}
    step = {"id": "only", "code": code, "args": list(args)}
    shown = {"id": name, "title": name, "kind": "pipeline", "depends_on": list(after)}
    return {**shown, "steps": [step]}


def told(name: str, prompt: str, **more: object) -> Node:
    """A node of a model, which is told this."""
    return {"id": name, "title": name, "description": prompt, **more}


def makes(*nodes: Node) -> Wanted:
    return "make_plan", {"nodes": list(nodes), "reason": "As the test has it."}


def node_of(task: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(part for part in task["sub_tasks"] if part["name"] == name)


def states(task: Mapping[str, Any]) -> set[str]:
    return {part["status"] for part in task["sub_tasks"]}


async def attempts_of(live: Live, task_id: str) -> Sequence[str]:
    return [log["status"] for log in await live.log_of(task_id)]


async def check_children(live: Live, task: Mapping[str, Any]) -> None:
    """Each node has one task, and there are no others."""
    answer = await live.http.get(
        "/api/v1/tasks", params={"parent_id": task["task_id"], "limit": 100}
    )
    children = answer.raise_for_status().json()["items"]
    nodes = [part["task_id"] for part in task["sub_tasks"]]
    assert sorted(child["task_id"] for child in children) == sorted(nodes)
    assert {child["status"] for child in children} == {"completed"}


async def test_a_worker_killed_while_ten_branches_run_repeats_none_that_is_not_safe(
    live: Live, branches: Branches, survivors: Mapping[str, Survivor]
) -> None:
    talk, task = survivors["ten"].talk, survivors["ten"].task
    assert (task["status"], states(task)) == ("completed", {"completed"}), task["error"]
    assert [file.read_text() for file in branches.unsafe.values()] == ["."] * 5
    assert all("Interrupted" in each.results()[0] for each in branches.talks.values())
    for name in branches.safe:
        child = node_of(task, name)["task_id"]
        assert await attempts_of(live, child) == ["failed", "completed"]
    assert len(talk.requests) == 2  # It was planned once.
    await check_children(live, task)


async def test_a_plan_of_fifty_nodes_whose_worker_is_killed_runs_each_to_its_end(
    live: Live, survivors: Mapping[str, Survivor]
) -> None:
    task = survivors["fifty"].task
    assert task["status"] == "completed", task["error"]
    assert _count(task, "completed") == MANY
    await check_children(live, task)
    made = [file["sub_task"] for file in task["artifacts"] if file["name"] == "made.txt"]
    assert len(made) == len(set(made)) == MANY


async def test_a_database_that_is_away_for_half_a_minute_delays_a_plan_and_no_more(
    live: Live, models: ScriptedModels
) -> None:
    word = a_while()
    nodes = (
        coded("a", HELD, word),
        coded("b", "import time; time.sleep(5)"),
        coded("c", after=["a", "b"]),
    )
    talk = models.conversation(asks(makes(*nodes)))
    task_id = await live.submit_plan(talk.prompt())
    await until(lambda: _sleeps(word))
    killed = await _keep_away(live, "postgres", AWAY_SECONDS, meanwhile=word)
    await live.recovered("postgres", killed)
    task = await live.ended(task_id)
    assert (task["status"], states(task)) == ("completed", {"completed"}), task["error"]
    await check_children(live, task)
    for name in ("a", "b", "c"):
        assert await attempts_of(live, node_of(task, name)["task_id"]) == ["completed"]


async def test_a_plan_that_is_reset_keeps_what_is_completed_and_runs_the_rest_again(
    live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    begun, word = tmp_path / "begun", a_while()
    once = models.conversation(asks(waits(begun, 0.1)), finishes())
    nodes = (told("once", once.prompt("once")), coded("held", HELD, word))
    talk = models.conversation(asks(makes(*nodes)), finishes())
    task_id = await live.submit_plan(talk.prompt())
    running = await live.when(task_id, lambda task: _is_completed(task, "once"))
    await until(lambda: _sleeps(word))
    before = sleeping(word)
    client = await Client.connect(live.services.temporal_address)
    await reset_to_nodes(client, f"task-{task_id}")

    async def is_another() -> bool:
        return bool(sleeping(word)) and sleeping(word) != before

    await until(is_another)
    await release(word)
    task = await live.ended(task_id)
    assert (task["status"], states(task)) == ("completed", {"completed"}), task["error"]
    assert begun.read_text() == "."
    assert len(once.requests) == 2
    assert node_of(task, "once")["task_id"] == node_of(running, "once")["task_id"]
    assert len(talk.requests) == 2  # It was not planned again.
    await check_children(live, task)


async def test_a_completed_plan_that_is_reset_to_its_synthesis_runs_no_node_again(
    live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(makes(coded("a"), coded("b"))), finishes("First."))
    task_id = await live.submit_plan(talk.prompt())
    first = await live.ended(task_id)
    assert first["result"]["summary"] == "First."
    talk.answers += [finishes("Second.")]
    client = await Client.connect(live.services.temporal_address)
    await reset_to_turn(client, f"task-{task_id}", 2)
    again = await live.when(
        task_id, lambda task: bool(task["result"]) and task["result"]["summary"] == "Second."
    )
    assert again["status"] == "completed"
    assert again["sub_tasks"] == first["sub_tasks"]
    await check_children(live, again)


async def test_a_plan_that_is_cancelled_while_it_is_split_ends_without_a_node(
    live: Live, models: ScriptedModels
) -> None:
    endless = Endless("I split it ")
    task_id = await live.submit_plan(models.conversation(endless).prompt())
    await asyncio.wait_for(endless.begun.wait(), 60)
    await _cancel(live, task_id)
    task = await live.ended(task_id)
    assert (task["status"], task["sub_tasks"]) == ("cancelled", [])
    await asyncio.wait_for(endless.left.wait(), 60)


async def test_a_plan_that_is_cancelled_ends_with_all_ten_that_run(
    live: Live, models: ScriptedModels
) -> None:
    words = [a_while() for _ in range(10)]
    nodes = [coded(f"n{number}", HELD, word) for number, word in enumerate(words)]
    last = coded("last", after=["n0"])
    talk = models.conversation(asks(makes(*nodes, last)))
    task_id = await live.submit_plan(talk.prompt(), max_nodes=11, parallel=10)

    async def all_run() -> bool:
        return all(map(sleeping, words))

    await until(all_run)
    await _cancel(live, task_id)
    task = await live.ended(task_id)
    await until(lambda: _none_sleeps(words))
    assert task["status"] == "cancelled"
    assert {node_of(task, f"n{number}")["status"] for number in range(10)} == {"cancelled"}
    assert node_of(task, "last")["task_id"] is None
    for number in range(10):
        child = await live.task(node_of(task, f"n{number}")["task_id"])
        assert child["status"] == "cancelled"
    await _is_cancelled_in_temporal(live, task)


async def test_a_plan_that_is_cancelled_while_it_is_summed_up_keeps_what_its_nodes_made(
    live: Live, models: ScriptedModels
) -> None:
    endless = Endless("To sum up ")
    talk = models.conversation(asks(makes(coded("a"), coded("b"))), endless)
    task_id = await live.submit_plan(talk.prompt())
    await asyncio.wait_for(endless.begun.wait(), 60)
    await _cancel(live, task_id)
    task = await live.ended(task_id)
    assert (task["status"], states(task)) == ("cancelled", {"completed"})
    await asyncio.wait_for(endless.left.wait(), 60)


async def test_cancelling_a_plan_reaches_a_node_three_plans_below(
    live: Live, models: ScriptedModels
) -> None:
    word = a_while()
    task_id = await live.submit_plan(_nested(models, coded("deepest", HELD, word)), depth=3)
    await until(lambda: _sleeps(word))
    client = await Client.connect(live.services.temporal_address)
    await client.get_workflow_handle(f"task-{task_id}").cancel()  # As `temporal` does it.
    task = await live.ended(task_id)
    await until(lambda: _none_sleeps([word]))
    for name in ("second", "third", "deepest"):
        assert task["status"] == "cancelled"
        task = await live.task(node_of(task, name)["task_id"])
    assert task["status"] == "cancelled"


async def test_what_a_node_makes_three_plans_below_is_the_result_of_the_whole(
    live: Live, models: ScriptedModels
) -> None:
    source = "open('deep.txt', 'w').write('deep'); print('{\"deep\": 3}')"
    task_id = await live.submit_plan(_nested(models, coded("deepest", source)), depth=3)
    task = await live.ended(task_id)
    assert task["status"] == "completed", task["error"]
    assert task["result"]["result"] == {"deep": 3}
    assert "deep.txt" in [file["name"] for file in task["artifacts"]]


def _nested(models: ScriptedModels, deepest: Node) -> str:
    """The prompt of a plan whose only node is a plan, whose only node is a plan of ``deepest``."""
    large = {"kind": "plan", "size": "large"}
    third = models.conversation(asks(makes(deepest))).prompt("Third.")
    second = models.conversation(asks(makes(told("third", third, **large)))).prompt("Second.")
    return models.conversation(asks(makes(told("second", second, **large)))).prompt("First.")


async def _cancel(live: Live, task_id: str) -> None:
    assert await live.post(task_id, "cancel") == 202


async def _is_cancelled_in_temporal(live: Live, task: Mapping[str, Any]) -> None:
    client = await Client.connect(live.services.temporal_address)
    for one in (task, *task["sub_tasks"]):
        if one["task_id"] is not None:
            handle = client.get_workflow_handle(f"task-{one['task_id']}")
            assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def _keep_away(live: Live, part: str, seconds: float, meanwhile: str) -> int:
    """Kill a part, and hold back the process that takes its place, for so long; gives the pid of
    the one that was killed. What is held by ``meanwhile`` goes on halfway."""
    killed, begun = live.kill(part), time.monotonic()
    await until(lambda: _is_replaced(live, part, killed))
    following = live.pid_of(part)
    os.killpg(following, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds / 2)
        await release(meanwhile)
        await asyncio.sleep(max(0.0, begun + seconds - time.monotonic()))
    finally:
        os.killpg(following, signal.SIGCONT)
    return killed


async def _is_replaced(live: Live, part: str, killed: int) -> bool:
    return live.pid_of(part) != killed


def _count(task: Mapping[str, Any], status: str) -> int:
    return sum(part["status"] == status for part in task["sub_tasks"])


def _is_completed(task: Mapping[str, Any], name: str) -> bool:
    return any(part["name"] == name and part["status"] == "completed" for part in task["sub_tasks"])


async def _sleeps(word: str) -> bool:
    return bool(sleeping(word))


async def _none_sleeps(words: Iterable[str]) -> bool:
    return not any(map(sleeping, words))
