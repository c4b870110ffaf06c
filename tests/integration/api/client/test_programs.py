"""The client as a program uses it, against an API that works."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from api.client import (
    AgentOSError,
    ApiProblem,
    ApiUnreachable,
    ApiUrlMalformed,
    AsyncClient,
    Client,
    Conflicting,
    FileUnreadable,
    NothingThere,
    PipelineUnreadable,
    RequestInvalid,
    RequestMistaken,
    StillRunning,
    TaskUnsuccessful,
)
from api.wire.responses.pipeline_changes import PipelineChanges
from api.wire.responses.tasks import Result
from deploy.local.tcp_ports import choose_ports
from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_server import Server, serving
from workflows.states import Status

Given = TypeVar("Given")


async def in_program(url: str, program: Callable[[Client], Given]) -> Given:
    """What a program without an event loop comes to, in a thread as the server is in ours."""

    def run() -> Given:
        with Client(url) as client:
            return program(client)

    return await asyncio.to_thread(run)


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(stage.url) as client:
        yield client


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def test_a_program_submits_follows_and_downloads(stage: Stage, tmp_path: Path) -> None:
    def program(client: Client) -> tuple[Status, list[str], list[Path]]:
        task = client.submit_pipeline(pipeline('print {"rows": 3}\nfile a.txt hello'))
        types = [event.type for event in client.events(task.task_id)]
        result = client.result(task.task_id)
        assert isinstance(result, Result)
        assert (result.step, result.json) == ("a", {"rows": 3})
        paths = client.download_artifacts(task.task_id, tmp_path / "results")
        ended = client.task(task.task_id)
        assert isinstance(ended.status, Status)
        return ended.status, types, paths

    status, types, [path] = await in_program(stage.url, program)
    assert status is Status.COMPLETED
    assert types[0] == types[-1] == "task.status"
    assert "step.completed" in types
    assert (path, path.read_text()) == (tmp_path / "results/a.txt", "hello")


async def test_an_asynchronous_program_does_the_same(client: AsyncClient, tmp_path: Path) -> None:
    task = await client.submit_pipeline(pipeline("print x", "file a.txt hello"))
    assert [event.type async for event in client.events(task.task_id)][-1] == "task.status"
    assert (await client.wait(task.task_id)).status is Status.COMPLETED
    [path] = await client.download_artifacts(task.task_id, tmp_path)
    assert path.read_text() == "hello"


async def test_a_program_with_a_loop_of_its_own_may_use_the_other_client(stage: Stage) -> None:
    """As in a notebook. The server has another loop, or it could not answer."""

    def notebook() -> str:
        async def cell() -> str:
            with Client(stage.url) as client:
                return str(client.submit_pipeline(pipeline("print x")).task_id)

        return asyncio.run(cell())

    assert await stage.until(await asyncio.to_thread(notebook), "completed")


async def test_inputs_are_paths_bytes_or_references_and_each_file_is_sent_once(
    stage: Stage, client: AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    file = await client.upload(b"x,y\n", name="x.csv")
    inputs = {
        "path": tmp_path / "a.csv",
        "text": str(tmp_path / "a.csv"),
        "bytes": b"c,d\n",
        "ref": f"file:{file.id}",
    }
    given = {**pipeline("print x"), "inputs": list(inputs)}
    given["steps"][0]["args"] = [f"${{inputs.{name}}}" for name in inputs]
    task = await client.submit_pipeline(given, inputs=inputs)
    references = (await client.wait(task.task_id)).inputs
    assert references["path"] == references["text"] != references["bytes"]
    assert references["ref"] == f"file:{file.id}"
    shown = (await stage.http.get(f"/tasks/{task.task_id}/inputs")).json()["items"]
    names = {item["name"]: (item["file"]["name"], item["file"]["size"]) for item in shown}
    assert (names["path"], names["bytes"], names["ref"]) == (
        ("a.csv", 4),
        ("bytes", 4),
        ("x.csv", 4),
    )


@pytest.mark.parametrize("form", ["path", "path as text", "text"])
async def test_a_pipeline_is_read_from_a_file_or_a_text(
    client: AsyncClient, tmp_path: Path, form: str
) -> None:
    text = (
        "name: p\nparameters: {n: 1}\n"
        "steps: [{id: a, code: {language: shell, source: print x}, args: ['${parameters.n}']}]\n"
    )
    path = tmp_path / "p.yaml"
    path.write_text(text)
    given = {"path": path, "path as text": str(path), "text": text}[form]
    task = await client.submit_pipeline(given, parameters={"n": 2})
    assert (await client.task(task.task_id)).definition["parameters"] == {"n": 2}


async def test_what_is_submitted_twice_with_a_key_is_one_task(client: AsyncClient) -> None:
    submit = partial(client.submit_pipeline, pipeline("print x"), idempotency_key=uuid4().hex)
    first, second = await submit(), await submit()
    assert first.task_id == second.task_id
    assert (await client.submit_pipeline(pipeline("print x"))).task_id != first.task_id


async def test_what_was_uploaded_or_made_is_an_input_as_it_is(client: AsyncClient) -> None:
    first = await client.submit_pipeline(pipeline("file a.txt hello"))
    [made] = (await client.result(first.task_id)).files
    uploaded = await client.upload(b"x,y\n", name="x.csv")
    given = {**pipeline("print x"), "inputs": ["made", "uploaded"]}
    given["steps"][0]["args"] = ["${inputs.made}", "${inputs.uploaded}"]
    inputs = {"made": made, "uploaded": uploaded}
    task = await client.submit_pipeline(given, inputs=inputs)
    references = {"made": f"artifact:{made.id}", "uploaded": f"file:{uploaded.id}"}
    assert (await client.wait(task.task_id)).inputs == references
    again = await client.submit({"type": "pipeline", "pipeline": given, "inputs": inputs})
    assert (await client.wait(again.task_id)).inputs == references


async def test_a_request_is_a_model_or_a_mapping(client: AsyncClient, tmp_path: Path) -> None:
    task = await client.submit_pipeline(pipeline("print x", "file a.txt hello"))
    await client.wait(task.task_id)
    foreseen = await client.foresee_retry(task.task_id, {"from": "b"})
    assert [each.step for each in foreseen.redone_steps] == ["b"]
    assert foreseen.changes is None
    same = {"from": "b", "pipeline": pipeline("print x", "file a.txt hello")}
    assert (await client.foresee_retry(task.task_id, same)).changes == PipelineChanges()
    await client.retry(task.task_id, {"from": "b"})
    ended = await client.wait(task.task_id)
    [run] = {sub_task.attempts for sub_task in ended.sub_tasks if sub_task.name == "b"}
    assert run == 2
    checked = await client.check_rerun(task.task_id, {"cache": False})
    assert [each.pointer for each in checked.changes] == ["/cache"]
    again = await client.rerun(task.task_id, {"cache": False}, idempotency_key=uuid4())
    result = await client.result(again.task_id)
    assert (await client.download(result.files[0], tmp_path)).read_text() == "hello"
    run = await client.many_tasks.start({"action": "delete", "ids": [str(again.task_id)]})
    assert run.action == "delete"


async def test_a_file_is_downloaded_by_its_id(client: AsyncClient, tmp_path: Path) -> None:
    task = await client.submit_pipeline(pipeline("file a.txt hello"))
    [made] = (await client.result(task.task_id)).files
    for wanted in (made.id, str(made.id)):
        assert (await client.download(wanted, tmp_path)).read_text() == "hello"
    uploaded = await client.upload(b"x,y\n", name="x.csv")
    assert (await client.uploads.download(uploaded.id, tmp_path)).read_text() == "x,y\n"


async def test_events_go_on_after_the_last_that_was_seen(client: AsyncClient) -> None:
    task = await client.submit_pipeline(pipeline("print x"))
    whole = [event.seq async for event in client.events(task.task_id)]
    rest = [event.seq async for event in client.events(task.task_id, after=whole[1])]
    assert rest == whole[2:]
    assert [event async for event in client.events(task.task_id, after=whole[-1])] == []


async def test_a_list_is_filtered_by_keywords(client: AsyncClient) -> None:
    name = uuid4().hex
    for lines in (["print x"], ["fail"]):
        task = await client.submit_pipeline({**pipeline(*lines), "name": name})
        await client.wait(task.task_id)
    [failed] = (await client.tasks(name=name, status=["failed", "blocked"], type=None)).items
    assert failed.task_id == task.task_id
    assert len((await client.tasks({"name": name}, limit=1)).items) == 1


async def test_a_task_that_was_cancelled_says_so_for_a_reason(stage: Stage) -> None:
    stage.steps.released.clear()
    async with AsyncClient(stage.url) as client:
        task = await client.submit_pipeline(pipeline("wait"))
        await client.cancel(task.task_id)
        with pytest.raises(TaskUnsuccessful, match="ended as cancelled: it was cancelled"):
            await client.result(task.task_id)
    stage.steps.released.set()


@pytest.mark.parametrize("length", [0, 65_535, 65_536])
async def test_a_result_has_the_text_that_was_printed_and_says_where_it_was_cut(
    client: AsyncClient, length: int
) -> None:
    task = await client.submit_pipeline(pipeline("print " + "x" * length))
    result = await client.result(task.task_id)
    assert isinstance(result, Result)
    assert result.stdout is not None
    assert result.stdout == ("x" * length + "\n")[:65_536]
    assert result.is_cut is (length == 65_536)
    assert result.json is None
    [attempt] = (await client.attempts(task.task_id)).items
    assert attempt.stdout == "x" * length + "\n"


async def test_a_task_that_gives_nothing_raises_why(client: AsyncClient) -> None:
    task = await client.submit_pipeline(pipeline("fail"))
    with pytest.raises(TaskUnsuccessful, match="It failed as told") as raised:
        await client.result(task.task_id)
    assert (raised.value.status, raised.value.failure) == ("failed", "script-failed")
    assert (await client.wait(task.task_id)).status is Status.FAILED


async def test_who_has_waited_long_enough_is_told_so(stage: Stage) -> None:
    stage.steps.released.clear()

    def program(client: Client) -> str:
        task = client.submit_pipeline(pipeline("wait"))
        with pytest.raises(StillRunning, match=r"has not ended within 0\.3 s"):
            client.wait(task.task_id, timeout_seconds=0.3)
        return str(client.cancel(task.task_id).task_id)

    await stage.until(await in_program(stage.url, program), "cancelled")
    stage.steps.released.set()


async def test_everything_that_goes_wrong_is_one_kind_of_error_and_says_what(
    client: AsyncClient, tmp_path: Path
) -> None:
    task = await client.submit_pipeline(pipeline("print x"))
    await client.wait(task.task_id)
    wrong = {
        RequestMistaken: lambda: client.submit_pipeline({"name": "p", "steps": [], "colour": 1}),
        PipelineUnreadable: lambda: client.submit_pipeline("name: p\nsteps: [\n"),
        FileUnreadable: lambda: client.submit_pipeline(tmp_path / "nosuch.yaml"),
        NothingThere: lambda: client.task(uuid4()),
        Conflicting: lambda: client.cancel(task.task_id),
        RequestInvalid: lambda: client.submit_pipeline(
            {"name": "p", "steps": [{"id": "a", "skill": "nosuch"}]}
        ),
    }
    for kind, call in wrong.items():
        with pytest.raises(kind) as raised:
            await call()
        assert isinstance(raised.value, AgentOSError)
        assert len(str(raised.value)) > 10
    assert issubclass(PipelineUnreadable, RequestInvalid)
    with pytest.raises(ApiProblem) as raised:
        await client.tell(task.task_id, "And Q2.")
    assert (raised.value.status, raised.value.code) == (409, "nobody-listens")


def endless() -> dict[str, object]:
    found: dict[str, object] = {"name": "p"}
    found["steps"] = [found]
    return found


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.submit_pipeline(5), "/pipeline: it must be the path of a file"),
        (lambda c: c.submit_pipeline(pipeline("x"), parameters=5), "/parameters: it must be a map"),
        (
            lambda c: c.submit_pipeline(
                {**pipeline("x"), "parameters": {"a": 1}}, parameters={"b": 2}
            ),
            "/parameters/b: the pipeline has no parameter 'b' (it has: a)",
        ),
        (
            lambda c: c.wait("x", timeout_seconds="5"),
            "/timeout_seconds: it must be a number of sec",
        ),
        (lambda c: c.wait("x", timeout_seconds=-1), "0 or more, not -1"),
        (lambda c: c.submit_auto("x", agent={"model": 5}), "/agent/model: it must be text"),
        (lambda c: c.agents.send("clerk", 5), "it must be a mapping or a MessageRequest"),
        (lambda c: c.submit_pipeline(pipeline("x"), inputs=[1]), "/inputs: it must be a mapping"),
        (lambda c: c.submit_auto("x", inputs={"c": 5}), "/inputs/c: it must be a Path"),
        (lambda c: c.submit_auto("x", callbacks=5), "/callbacks: it must be a list"),
        (lambda c: c.submit_agent("x", {"model": 5}), "/agent/model: it must be text"),
        (lambda c: c.submit_agent("x", "gpt"), "/agent: it must be an object"),
        (lambda c: c.submit({"type": "auto", "inputs": {"c": Path("x")}}), "/inputs/c: it must be"),
        (lambda c: c.submit_pipeline(endless()), "it refers to itself, or is nested too deeply"),
        (lambda c: c.submit_pipeline({1: 2}), "/pipeline/1: "),
        (lambda c: c.submit([]), "it must be a mapping or a TaskRequest, not of type list"),
        (lambda c: c.retry("x", {"form": "s"}), "/form: unknown field form; did you mean from?"),
        (lambda c: c.retry("x", "s"), "it must be a mapping or a RetryRequest"),
        (lambda c: c.retry("x", {"dry_run": True}), "/dry_run: foresee_retry() is the call"),
        (lambda c: c.rerun("x", {"dry_run": True}), "/dry_run: check_rerun() is the call"),
        (lambda c: c.requeue("x", {"note": 5}), "/note: it must be text"),
        (lambda c: c.many_tasks.start({"ids": []}), "/action: it must be 'cancel'"),
        (lambda c: c.foresee_many({"action": "x"}), "/action: it must be 'requeue'"),
        (lambda c: c.approve("x", "4.1", note=5), "/note: it must be text"),
        (lambda c: c.tell("x", 5), "/content: it must be text"),
        (lambda c: c.upload(5), "it must be the path of a file, or bytes"),
        (lambda c: c.download(5, "."), "it must be an artifact"),
        (lambda c: c.agents.create({"nme": "Ann"}), "/nme: unknown field nme; did you mean name?"),
        (lambda c: c.create_schedule({"name": "x", "every": []}), "/every: it must be"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
async def test_what_is_no_request_is_refused_before_it_is_sent_as_the_api_would(
    server: Server, call: Callable[[AsyncClient], Awaitable[object]], words: str
) -> None:
    async with AsyncClient(server.url) as client:
        with pytest.raises(RequestInvalid, match=re.escape(words)) as raised:
            await call(client)
    assert isinstance(raised.value, RequestMistaken)
    assert (raised.value.status, raised.value.code) == (422, "invalid-request")
    assert raised.value.pointers
    assert server.asked == []


async def test_a_key_that_cannot_be_sent_is_refused(server: Server) -> None:
    async with AsyncClient(server.url) as client:
        for key in (5, "a\nb"):
            with pytest.raises(AgentOSError, match="idempotency key"):
                await client.submit_auto("x", idempotency_key=key)  # type: ignore[arg-type]
    with pytest.raises(ApiUrlMalformed):
        AsyncClient(5)  # type: ignore[arg-type]


async def test_an_api_that_is_not_there_is_reported_soon_to_who_has_no_patience() -> None:
    [nobody] = choose_ports([None])
    url = f"http://127.0.0.1:{nobody}"
    with pytest.raises(ApiUnreachable, match="Connection refused"):
        await asyncio.to_thread(lambda: Client(url, patience_seconds=0).tasks())


async def test_the_address_and_the_key_come_from_the_environment(
    stage: Stage, tmp_path: Path
) -> None:
    program = (
        "from api.client import Client\nwith Client() as client:\n"
        "    print(len(client.tasks({'limit': 1}).items) <= 1)"
    )
    import sys

    from tests.folders import PROJECT

    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env={"AGENTOS_API_URL": stage.url, "PYTHONPATH": str(PROJECT)},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await running.communicate()
    assert (running.returncode, printed) == (0, b"True\n")
