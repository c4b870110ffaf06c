"""The client as a program uses it, against an API that works."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from api.client import (
    AgentOSError,
    ApiProblem,
    ApiUnreachable,
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
from api.wire.responses.tasks import Result
from deploy.local.tcp_ports import choose_ports
from tests.integration.api_stage import Stage, pipeline
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


async def test_a_program_submits_follows_and_downloads(stage: Stage, tmp_path: Path) -> None:
    def program(client: Client) -> tuple[Status, list[str], list[Path]]:
        task = client.submit_pipeline(pipeline('print {"rows": 3}\nfile a.txt hello'))
        types = [event.type for event in client.events(task.task_id)]
        result = client.result(task.task_id)
        assert isinstance(result, Result)
        assert (result.step, result.json_) == ("a", {"rows": 3})
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
    with pytest.raises(ApiProblem) as raised:
        await client.tell(task.task_id, "And Q2.")
    assert (raised.value.status, raised.value.code) == (409, "nobody-listens")


async def test_an_api_that_is_not_there_is_reported_at_once() -> None:
    [nobody] = choose_ports([None])
    with pytest.raises(ApiUnreachable, match="Connection refused"):
        await asyncio.to_thread(lambda: Client(f"http://127.0.0.1:{nobody}").tasks())


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
