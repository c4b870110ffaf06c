"""What Temporal is told of tasks: ids, numbers, names and codes. The words are in the rows.

Each task here has its user's and foreign words wherever one can put them, all of them with the same
mark, and ends as badly as it can.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from temporalio.client import Client, WorkflowHandle

from tests.doubles.model_server import Act, refusal
from tests.doubles.scripted_models import Endless, ScriptedModels, Wanted, asks, finishes
from tests.live import Live, held, python
from workflows import label_names

MARK = "canary"
DOUBLES = Path(__file__).parents[1] / "doubles"
TEXT = f"{MARK}-content\n"

SKILL = {"id": "a", "skill": "csv-clean", "args": ["${inputs.data}", f"--{MARK}"]}
ASKING: Wanted = ("ask_human", {"question": f"{MARK}-question"})
WRITING: Wanted = ("write_file", {"name": f"{MARK}.txt", "text": TEXT})


@pytest.fixture(scope="module", autouse=True)
async def servers(
    agents_live: Live, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[None]:
    """``mcp.marked``, whose tools answer as their arguments say, and ``mcp.asking``, whose tools
    ask a person before."""
    effects = tmp_path_factory.mktemp(MARK) / "effects"
    programs = {"marked": ("mcp_stdio.py", "--mark", MARK), "asking": ("mcp_asking.py", effects)}
    for name, (program, *args) in programs.items():
        body = {
            "name": name,
            "transport": "stdio",
            "command": sys.executable,
            "args": ["-I", str(DOUBLES / program), *map(str, args)],
        }
        answer = await agents_live.http.post("/api/v1/tools/register", json=body)
        assert answer.status_code == 201, answer.text
    yield
    for name in programs:
        (await agents_live.http.delete(f"/api/v1/tools/mcp.{name}")).raise_for_status()


async def workflow_of(live: Live, task_id: str) -> WorkflowHandle[Any, Any]:
    client = await Client.connect(live.services.temporal_address)
    return client.get_workflow_handle(f"task-{task_id}")


async def told(live: Live, task_id: str) -> list[Message]:
    """All that Temporal has of a workflow but what it is to show people of it: its name, details,
    and the names of the files that were made."""
    handle = await workflow_of(live, task_id)
    described = (await handle.describe()).raw_description
    described.execution_config.ClearField("user_metadata")
    history = list((await handle.fetch_history()).events)
    # The title is told with the first event.
    history[0].ClearField("user_metadata")
    started = history[0].workflow_execution_started_event_attributes
    for info in (described.workflow_execution_info, started):
        info.search_attributes.indexed_fields.pop(label_names.NAME, None)
    for event in history:
        for payload in (
            *event.activity_task_completed_event_attributes.result.payloads,
            *event.workflow_execution_completed_event_attributes.result.payloads,
        ):
            payload.data = _without_made(payload.data)
    return [described, *history]


def _without_made(data: bytes) -> bytes:
    result = json.loads(data)
    return json.dumps({**result, "made": (), "files": ()}).encode()


async def assert_silent(live: Live, task_id: str, *words: str) -> None:
    """No word that is somebody's has come to Temporal. Payloads are in there as they are."""
    for part in await told(live, task_id):
        raw = part.SerializeToString()
        found = [word for word in (MARK, *words) if word.encode() in raw]
        assert not found, f"{found} in {MessageToJson(part)}\n{raw!r}"


async def codes_told(live: Live, task_id: str) -> set[str]:
    """The types of the failures in a history."""
    codes = set()
    for part in await told(live, task_id):
        document = json.loads(MessageToJson(part))
        found = [document]
        while found:
            match found.pop():
                case dict() as item:
                    if info := item.get("applicationFailureInfo"):
                        codes.add(info.get("type", ""))
                    found += item.values()
                case list() as items:
                    found += items
    return codes


def step(id_: str, tool: str, /, **args: object) -> dict[str, object]:
    return {"id": id_, "tool": tool, "args": args}


def says(**result: object) -> dict[str, object]:
    return step("call", "mcp.marked.parts", **result)


ARGUMENTS = [f"--{MARK}", "${inputs.data}"]
MORE = {"env": {"WORD": f"{MARK}-value"}}
RAISES = f"""
import sys, pathlib
pathlib.Path("{MARK}.csv").write_text("{MARK}")
print("{MARK}-printed")
raise ValueError("{MARK}-raised")
"""

# The steps of a pipeline, how it ends, and with which word in the row of the task.
PIPELINES: dict[str, tuple[list[Mapping[str, object]], str, str]] = {
    "a script fails": ([python("a", RAISES, *ARGUMENTS, **MORE)], "script-failed", MARK),
    "a script asks for a retry": (
        [python("a", f"print('{MARK}'); raise SystemExit(75)", *ARGUMENTS, retries=0)],
        "script-failed",
        "exit code 75",
    ),
    "a module is missing": (
        [python("a", f"__import__('{MARK}_module')")],
        "module-missing",
        f"{MARK}_module",
    ),
    "a skill refuses its arguments": ([SKILL], "script-failed", MARK),
    "a file is not there": (
        [python("a", "print(1)"), python("b", "1", f"${{steps.a.files['{MARK}.csv']}}")],
        "reference-unresolved",
        f"{MARK}.csv",
    ),
    "output is not JSON": (
        [python("a", f"print('{MARK}')"), python("b", "1", f"${{steps.a.json.{MARK}}}")],
        "reference-unresolved",
        MARK,
    ),
    "a name is refused": (
        [step("a", "write_file", name=f"../{MARK}.txt", text=TEXT)],
        "file-name-refused",
        MARK,
    ),
    "a tool has no such file": (
        [step("a", "read_file", file=f"{MARK}.txt")],
        "input-ref-malformed",
        MARK,
    ),
    "a server reports an error": (
        [says(content=[{"type": "text", "text": f"{MARK}-told"}], isError=True)],
        "mcp-tool-failed",
        "reported an error",
    ),
    "a server answers nonsense": (
        [says(content=f"{MARK}-text")],
        "mcp-answer-invalid",
        "mcp",
    ),
    "a server refuses": (
        [step("a", "mcp.marked.refuse", message=f"{MARK}-refusal")],
        "mcp-tool-failed",
        MARK,
    ),
    "a server dies": ([step("a", "mcp.marked.die", lines=3)], "mcp-connection-lost", "lost"),
}


@pytest.mark.parametrize(("steps", "code", "word"), PIPELINES.values(), ids=PIPELINES)
async def test_of_a_pipeline_that_fails_temporal_knows_the_code_and_the_row_the_words(
    agents_live: Live, steps: list[Mapping[str, object]], code: str, word: str
) -> None:
    is_given = "${inputs.data}" in json.dumps(steps)
    data = await agents_live.upload(f"{MARK}-data.csv", TEXT.encode())
    task = await agents_live.run(*steps, inputs={"data": data} if is_given else None)
    assert task["error"]["code"] == code, task["error"]
    assert word in json.dumps(task["error"])
    await assert_silent(agents_live, task["task_id"], "secret word", "site-packages")
    assert await codes_told(agents_live, task["task_id"]) == {code}


async def test_of_a_pipeline_that_succeeds_or_is_cancelled_temporal_has_no_word(
    agents_live: Live,
) -> None:
    data = await agents_live.upload(f"{MARK}-data.csv", TEXT.encode())
    prints = python("a", f"open('{MARK}.csv', 'w').write('a'); print('{MARK}')", *ARGUMENTS)
    reads = python("b", "1", f"${{steps.a.files['{MARK}.csv']}}", "${steps.a.stdout}", **MORE)
    done = await agents_live.run(prints, reads, inputs={"data": data})
    assert done["status"] == "completed"
    step, _ = held("c")
    cancelled = await agents_live.submit(prints, step, inputs={"data": data})
    await agents_live.when(cancelled, lambda task: task["progress"]["done"] == 1)
    assert await agents_live.post(cancelled, "cancel") < 300
    assert (await agents_live.ended(cancelled))["status"] == "cancelled"
    for task_id in (done["task_id"], cancelled):
        await assert_silent(agents_live, task_id)


async def answered(live: Live, task_id: str) -> None:
    await _decided(live, task_id, decision="approve", note=f"{MARK}-note")


async def denied(live: Live, task_id: str) -> None:
    await _decided(live, task_id, decision="deny", note=f"{MARK}-note")


async def _decided(live: Live, task_id: str, **word: str) -> None:
    task = await live.when(task_id, lambda task: task["status"] == "waiting")
    assert await live.post(task_id, f"approvals/{task['sub_tasks'][-1]['id']}", **word) == 202


async def cancelled(live: Live, task_id: str) -> None:
    await live.when(task_id, lambda task: task["status"] == "running")
    assert await live.post(task_id, "cancel") < 300


async def left(live: Live, task_id: str) -> None:
    """Nothing is done."""


FAILING: Wanted = ("run_code", {"language": "python", "source": RAISES, "args": [MARK]})
TOLD: Wanted = (
    "mcp__marked__parts",
    {"content": [{"type": "text", "text": MARK}], "isError": True},
)
DELETING: Wanted = ("mcp__asking__delete", {"file": f"{MARK}.txt"})
UNKNOWN: Wanted = (f"{MARK}_tool", {MARK: MARK})
LOADING = refusal(503, f"{MARK}-loading", retry_after_ms="1")

People = Callable[[Live, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """What the model says, what people do, how the task ends, and with which word in its row."""

    answers: list[Act]
    people: People
    code: str | None
    word: str


AGENTS = {
    "it finishes": Case(
        [
            asks(WRITING, FAILING, TOLD, UNKNOWN, text=f"{MARK}-text"),
            asks(("read_file", {"file": f"{MARK}.txt"}), ("write_file", {MARK: MARK})),
            finishes(f"{MARK}-summary", result={MARK: MARK}),
        ],
        left,
        None,
        MARK,
    ),
    "a person answers": Case([asks(ASKING), finishes(result={})], answered, None, "Done"),
    "a person denies": Case([asks(ASKING), finishes(result={})], denied, None, "Done"),
    "a server asks a person": Case([asks(DELETING), finishes(result={})], denied, None, "Done"),
    "a model refuses": Case([refusal(400, f"{MARK}-refused")] * 2, left, "model-refused", MARK),
    "models are overloaded": Case([LOADING] * 14, left, "model-unavailable", MARK),
    "it makes no progress": Case([asks(text=MARK)] * 3, left, "never-finishes", "3 times"),
    "it is cancelled": Case([Endless(MARK)], cancelled, None, "cancelled"),
}


@pytest.mark.parametrize("case", AGENTS.values(), ids=AGENTS)
async def test_of_an_agent_temporal_knows_the_code_and_the_row_the_words(
    agents_live: Live, models: ScriptedModels, case: Case
) -> None:
    talk = models.conversation(*case.answers)
    data = await agents_live.upload(f"{MARK}-data.csv", TEXT.encode())
    profile = {"name": MARK, "role": MARK, "goal": MARK, "tone": MARK}
    schema = {"type": "object", "properties": {MARK: {"type": "string", "description": MARK}}}
    task_id = await agents_live.submit_agent(
        talk.prompt(f"{MARK} " * 1_000),
        inputs={"data": data},
        profile=profile,
        output_schema=schema,
    )
    _, task = await asyncio.gather(case.people(agents_live, task_id), agents_live.ended(task_id))
    assert (task["error"] or {}).get("code") == case.code, task["error"]
    assert case.word in json.dumps([task["error"], task["result"], task["status"]])
    # "In a row": words of an error that the workflow itself has found.
    await assert_silent(agents_live, task_id, "site-packages", "in a row")
    assert await codes_told(agents_live, task_id) == ({case.code} if case.code else set())
