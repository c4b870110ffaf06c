"""Following a task that becomes one of another type: what is drawn follows it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import TASK_ID, Server, a_task, answer, document, serving, stream

TASK = f"/tasks/{TASK_ID}"
WHY = "a fixed\nsequence"
AUTO = {**a_task().model_dump(mode="json"), "type": "auto", "status": "running", "sub_tasks": []}
ENDED = {"attempt": 1, "duration_ms": 5}
BEGINNING: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (1, "task.status", {"status": "pending"}),
    (2, "task.status", {"status": "running"}),
    (3, "turn.started", {"turn": 1}),
    (
        4,
        "tool.called",
        {"step": "1.1 compile_pipeline", "call_id": "c", "tool": "compile_pipeline"},
    ),
)
REST: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (6, "step.started", {"step": "clean", "attempt": 1}),
    (7, "step.completed", {"step": "clean", **ENDED, "exit_code": 0, "files": 1}),
    (8, "task.status", {"status": "completed"}),
)


def become(server: Server, task_type: str) -> None:
    """Have a task become one of this type while it is followed."""
    routed = {"type": task_type, "reason": WHY}
    chosen = {**a_task().model_dump(mode="json"), "type": task_type}
    chosen["route"] = {"requested": "auto", **routed}
    server.tell(f"GET {TASK}", document(AUTO), document(chosen))
    events = (*BEGINNING, (5, "task.routed", routed), *REST)
    server.tell(f"GET {TASK}/events", stream(events), answer(b"", 204))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.mark.parametrize("task_type", ["pipeline", "plan", "dream"])
async def test_a_task_that_becomes_another_is_followed_to_its_end(
    server: Server, task_type: str
) -> None:
    """Also as a type that the client does not know."""
    become(server, task_type)
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert printed.code == 0, printed.stderr
    lines = printed.stderr.splitlines()
    routed = [number for number, line in enumerate(lines) if line.startswith("routed: ")]
    assert len(routed) == 1
    assert lines[routed[0]].startswith(f"routed: {task_type} (a fixed")
    assert any("1.1 compile_pipeline" in line for line in lines[: routed[0]])
    assert not any("1.1 compile_pipeline" in line for line in lines[routed[0] :])


async def test_the_steps_of_a_pipeline_are_told_once_a_task_has_become_one(server: Server) -> None:
    become(server, "pipeline")
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert "clean: started" in printed.stderr
    assert "clean: completed in 0.0s" in printed.stderr


async def test_a_terminal_keeps_the_choice_above_what_the_task_has_become(server: Server) -> None:
    become(server, "pipeline")
    run = await start(server.url, "watch", str(TASK_ID), terminal=True)
    printed = await run.end()
    assert printed.code == 0
    before, _, after = printed.stderr.partition("routed: pipeline")
    assert "compile_pipeline" in before
    assert "clean" in after


async def test_events_that_are_printed_as_data_are_all_that_is_printed(server: Server) -> None:
    become(server, "pipeline")
    printed = await agentos(server.url, "watch", str(TASK_ID), "-o", "json")
    assert "routed: " not in printed.stderr
    names = [json.loads(line)["type"] for line in printed.stdout.splitlines()]
    assert len(names) == 8
    assert "task.routed" in names


async def test_the_choice_of_an_earlier_run_is_not_told_again(server: Server) -> None:
    """Whoever retries a task knows what it has become."""
    become(server, "pipeline")
    chosen = {**a_task().model_dump(mode="json"), "type": "pipeline", "run": 2}
    server.tell(f"GET {TASK}", document(chosen))
    again = (
        *((1, "task.status", {"status": "pending"}), (2, "task.routed", {"type": "pipeline"})),
        *((3, "task.status", {"status": "cancelled"}), (4, "task.status", {"status": "pending"})),
        *REST,
    )
    server.tell(f"GET {TASK}/events", stream(again), answer(b"", 204))
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert printed.code == 0, printed.stderr
    assert "routed: " not in printed.stderr
    assert "clean: started" in printed.stderr


async def test_a_task_shows_what_it_has_become_and_why(server: Server) -> None:
    become(server, "pipeline")
    await agentos(server.url, "show", str(TASK_ID))
    printed = await agentos(server.url, "show", str(TASK_ID))
    [line] = [line for line in printed.stdout.splitlines() if line.startswith("Routed")]
    assert "pipeline (a fixed" in line
