"""A server that is newer than the client: it names states, types, events and fields of its own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import (
    NOW,
    TASK_ID,
    Server,
    a_step,
    a_task,
    an_artifact,
    answer,
    document,
    serving,
    stream,
)

TASK = f"/tasks/{TASK_ID}"
NEWER: dict[str, Any] = {
    **a_task().model_dump(mode="json"),
    "type": "dream",
    "status": "dreaming",
    "phase": "rem",
    "dreamt_by": {"name": "sheep", "count": 3},
    "result": {"meaning": "none", "images": [1, 2]},
}
NEWER["sub_tasks"][0] |= {"type": "image", "status": "dreamt", "depth": 2}
NEWER["artifacts"] = [
    an_artifact(1, "dream.png").model_dump(mode="json") | {"type": "vision", "hue": "blue"}
]
EVENTS = (
    (1, "task.status", {"status": "pending"}),
    (2, "dream.began", {"depth": 2}),
    (3, "step.started", {"step": "clean", "attempt": 1, "colour": "red"}),
    (4, "step.dreamt", {"step": "clean"}),
    (5, "task.status", {"status": "dreamt", "sheep": 3}),
)


@pytest.fixture
async def newer() -> AsyncIterator[Server]:
    async with serving() as server:
        server.tell(f"GET {TASK}", document(NEWER))
        server.tell("GET /tasks", document({"items": [NEWER], "total": 1}))
        server.tell(f"GET {TASK}/events", stream(EVENTS), answer(b"", 204))
        yield server


async def test_a_list_shows_the_names_of_unknown_states_and_types(newer: Server) -> None:
    printed = await agentos(newer.url, "ls")
    assert printed.code == 0, printed.stderr
    [_, row] = printed.stdout.splitlines()
    assert row.split()[:5] == [str(TASK_ID), "?", "dreaming", "dream", "0/2"]


async def test_a_task_of_an_unknown_type_is_shown_with_all_that_it_is(newer: Server) -> None:
    printed = await agentos(newer.url, "show", str(TASK_ID))
    assert printed.code == 0, printed.stderr
    for text in ("? dreaming", "? dreamt", "dream.png", '"meaning": "none"', "STEP"):
        assert text in printed.stdout


@pytest.mark.parametrize("words", [("show", str(TASK_ID)), ("ls",)])
async def test_json_holds_the_fields_that_the_client_does_not_know(
    newer: Server, words: tuple[str, ...]
) -> None:
    printed = await agentos(newer.url, *words, "-o", "json")
    shown = json.loads(printed.stdout)
    assert shown.get("items", [shown]) == [NEWER]


async def test_an_unknown_state_ends_the_wait_once_the_server_has_no_more_to_tell(
    newer: Server,
) -> None:
    printed = await agentos(newer.url, "watch", str(TASK_ID))
    assert printed.code == 1  # Nobody here can say that it went well.
    assert "sales: dreamt" in printed.stderr
    assert "sales dreamt after 0.0s" in printed.stderr
    asked = [item.headers.get("last-event-id") for item in newer.asked_for(f"GET {TASK}/events")]
    assert asked == [None, "5"]


async def test_the_moving_picture_shows_unknown_states(newer: Server) -> None:
    running = await start(newer.url, "watch", str(TASK_ID), terminal=True, TERM="xterm-256color")
    printed = await running.end()
    assert printed.code == 1
    assert "\x1b[?25l" in printed.stderr  # It did move.
    assert "sales dreamt after" in printed.stderr


async def test_unknown_events_are_given_on_as_they_are(newer: Server) -> None:
    printed = await agentos(newer.url, "watch", str(TASK_ID), "-o", "json")
    events = [json.loads(line) for line in printed.stdout.splitlines()]
    assert [(item["seq"], item["type"], item["data"]) for item in events] == [*EVENTS]


async def test_an_agent_with_an_unknown_state_is_watched_to_its_end() -> None:
    async with serving() as server:
        server.tell(f"GET {TASK}", document(NEWER | {"type": "agent"}))
        events = (EVENTS[0], (2, "turn.started", {"turn": 1}), EVENTS[-1])
        server.tell(f"GET {TASK}/events", stream(events), answer(b"", 204))
        printed = await agentos(server.url, "watch", str(TASK_ID))
        assert printed.code == 1
        assert "sales dreamt after" in printed.stderr


async def test_tools_of_unknown_types_and_permissions_are_listed() -> None:
    async with serving() as server:
        tool = {
            "name": "divine",
            "type": "ORACLE",
            "description": "Tells the future.",
            "schema": {},
            "is_active": True,
            "permission_level": "pray",
        }
        server.tell("GET /tools", document({"items": [tool]}))
        printed = await agentos(server.url, "tools", "ls")
        assert printed.code == 0, printed.stderr
        assert "pray" in printed.stdout
        assert "ORACLE" in printed.stdout


async def test_a_trace_with_unknown_states_is_drawn() -> None:
    async with serving() as server:
        span = {
            "name": "sales",
            "kind": "dream",
            "status": "dreamt",
            "start": NOW.isoformat(),
            "end": NOW.isoformat(),
            "duration_ms": 0,
            "children": [],
        }
        server.tell(f"GET {TASK}/trace", document(span))
        printed = await agentos(server.url, "trace", str(TASK_ID))
        assert printed.code == 0, printed.stderr
        assert "? sales" in printed.stdout


async def test_a_call_that_asks_something_unknown_is_shown_and_decided() -> None:
    async with serving() as server:
        approval = {"kind": "blessing", "asked_at": NOW.isoformat(), "expires_at": NOW.isoformat()}
        step = a_step("1.1 x", 3, status="waiting", approval=approval) | {"id": str(TASK_ID)}
        call = {
            **approval,
            "call_id": str(TASK_ID),
            "name": "1.1 x",
            "tool": "x",
            "arguments": {},
            "status": "waiting",
        }
        server.tell(f"GET {TASK}", document(NEWER | {"sub_tasks": [step]}))
        server.tell(f"GET {TASK}/approvals", document({"items": [call]}))
        decided = call | {"decision": "bless"}
        server.tell(f"POST {TASK}/approvals/{TASK_ID}", document(decided, 202))
        printed = await agentos(server.url, "approvals", str(TASK_ID))
        assert printed.code == 0, printed.stderr
        assert f"agentos approve {TASK_ID} 1.1" in printed.stdout
        printed = await agentos(server.url, "approve", str(TASK_ID))
        assert (printed.code, printed.stdout) == (0, "1.1 x  bless\n")


async def test_an_answer_that_is_not_from_the_api_is_refused() -> None:
    async with serving() as server:
        server.tell(f"GET {TASK}", document(NEWER | {"status": 7}))
        printed = await agentos(server.url, "show", str(TASK_ID))
        assert printed.code == 1
        assert "status" in printed.stderr
