"""Which API commands talk to when none is named, and what `up` says of a stack that runs."""

import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from api.addresses import DEFAULT_URL
from deploy.local.holder import Work
from deploy.local.state import DataFolder, RunningPart
from deploy.local.tcp_ports import choose_ports
from deploy.second_up import lines_on_the_port, why_another_port
from tests.integration.cli_server import Server, a_page, document, serving
from tests.live import Printed, typed

NOBODY = 65_534


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """An API that has no tasks, at a port of its own."""
    async with serving() as server:
        server.tell("GET /tasks", a_page([]))
        yield server


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    """The data folder of `agentos up`, typed in ``tmp_path``."""
    data = DataFolder(tmp_path / ".agentos")
    yield data
    data.release()


def run_api(data: DataFolder, url: str) -> None:
    data.acquire()
    data.publish({"api": RunningPart(url, os.getpid())})


async def agentos(folder: Path, *words: str, **environment: str) -> Printed:
    """Typed in ``folder``, with no API named."""
    inherited = {"AGENTOS_API_URL": "", "AGENTOS_DATA_DIR": "", **environment}
    program = f"import os; os.chdir({str(folder)!r}); from deploy.cli import main; main()"
    return await typed(sys.executable, "-P", "-c", program, *words, **inherited)


async def status(folder: Path, *words: str, **environment: str) -> tuple[int, dict[str, object]]:
    printed = await agentos(folder, "status", "-o", "json", *words, **environment)
    assert printed.stdout, printed.stderr
    return printed.code, json.loads(printed.stdout)


async def test_commands_talk_to_the_stack_of_the_folder_that_they_are_typed_in(
    tmp_path: Path, data: DataFolder, server: Server
) -> None:
    run_api(data, server.url)
    assert (await agentos(tmp_path, "ls")).code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    named = await agentos(elsewhere, "ls", AGENTOS_DATA_DIR=str(data.path))
    assert named.code == 0, named.stderr
    assert len(server.asked) == 2


async def test_an_api_that_is_named_comes_before_that_of_the_folder(
    tmp_path: Path, data: DataFolder, server: Server
) -> None:
    run_api(data, server.url)
    [nobody] = choose_ports([None])
    url = f"http://127.0.0.1:{nobody}"
    for printed in (
        await agentos(tmp_path, "ls", AGENTOS_API_URL=url),
        await agentos(tmp_path, "--api-url", url, "ls"),
    ):
        assert printed.code == 1
        assert f"No AgentOS API answers at {url}" in printed.stderr
    assert server.asked == []


async def test_a_stack_whose_api_is_away_is_not_started_again_by_the_user(
    tmp_path: Path, data: DataFolder
) -> None:
    [nobody] = choose_ports([None])
    run_api(data, f"http://127.0.0.1:{nobody}")
    printed = await agentos(tmp_path, "ls")
    assert printed.code == 1
    assert f"The API of the stack on {data.path} does not answer" in printed.stderr
    assert "Start one" not in printed.stderr
    code, told = await status(tmp_path)
    assert (code, told["readiness"]) == (1, None)
    assert "`agentos up` runs there" in str(told["problem"])


async def test_while_a_stack_starts_commands_do_not_go_to_another(
    tmp_path: Path, data: DataFolder
) -> None:
    data.acquire()
    printed = await agentos(tmp_path, "ls")
    assert printed.code == 1
    assert f"`agentos up` is starting on {data.path}" in printed.stderr
    code, told = await status(tmp_path)
    assert (code, told["stack"], told["api_url"]) == (1, "starting", None)


async def test_what_is_left_of_a_killed_stack_leads_nowhere(
    tmp_path: Path, data: DataFolder, server: Server
) -> None:
    run_api(data, server.url)
    left = (data.path / "services.json").read_text()
    data.release()
    (data.path / "services.json").write_text(left)
    printed = await agentos(tmp_path, "ls")
    assert server.asked == []
    assert "of the stack on" not in printed.stderr


@pytest.mark.parametrize("words", [("ls",), ("cancel", "--all", "--yes"), ("open",)])
async def test_where_the_stack_of_the_folder_is_stopped_commands_go_to_no_other(
    tmp_path: Path, data: DataFolder, words: tuple[str, ...]
) -> None:
    data.acquire()
    data.release()
    printed = await agentos(tmp_path, *words)
    assert printed.code == 1
    for said in (f"No stack runs on {data.path}", "`agentos up`", "--api-url", "AGENTOS_API_URL"):
        assert said in printed.stderr


async def test_an_api_that_is_named_is_reached_from_the_folder_of_a_stopped_stack(
    tmp_path: Path, data: DataFolder, server: Server
) -> None:
    data.acquire()
    data.release()
    assert (await agentos(tmp_path, "ls", AGENTOS_API_URL=server.url)).code == 0
    assert (await agentos(tmp_path, "--api-url", server.url, "ls")).code == 0


async def test_status_says_that_the_api_it_found_is_of_another_stack(
    tmp_path: Path, server: Server
) -> None:
    unready = {"state": "not ready", "dependencies": [], "workers": 1}
    server.tell("GET /readyz", document(unready, 503))
    printed = await agentos(tmp_path, "status", AGENTOS_API_URL=server.url)
    assert f"none on {tmp_path}/.agentos" in printed.stdout
    assert "of another stack, since none is here" in printed.stdout


async def test_status_counts_the_workers_that_live_and_says_what_is_wrong_with_the_disk(
    tmp_path: Path, data: DataFolder, server: Server
) -> None:
    data.acquire()
    parts = {"api": server.url, "worker": None, "worker-2": None}
    data.publish({name: RunningPart(url, os.getpid()) for name, url in parts.items()})
    disk = {"name": "disk", "state": "down", "latency_ms": 1.0, "detail": "It is full: 2 MiB free."}
    unready = {"state": "not ready", "dependencies": [disk], "workers": 3}
    server.tell("GET /readyz", document(unready, 503))
    printed = await agentos(tmp_path, "status")
    assert printed.code == 1
    assert "2 of this stack; 3 have asked for work in the last 90 s" in printed.stdout
    assert "disk: It is full: 2 MiB free." in printed.stdout


@pytest.mark.parametrize("command", ["status", "down"])
async def test_a_folder_that_is_no_data_folder_is_said_to_be_none(
    tmp_path: Path, data: DataFolder, command: str
) -> None:
    data.acquire()
    outer = await agentos(tmp_path, command, "--data-dir", ".")
    assert outer.code == 1
    assert f"one lies in it. Name that with --data-dir {data.path}." in outer.stderr
    nowhere = await agentos(tmp_path, command, "--data-dir", "nowhere")
    assert (nowhere.code, "nowhere is no data folder" in nowhere.stderr) == (1, True)
    assert "it does not exist" in nowhere.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["lock", "services.json"])
async def test_the_stack_of_another_user_is_not_talked_to(
    tmp_path: Path, data: DataFolder, server: Server, name: str
) -> None:
    run_api(data, server.url)
    os.chown(data.path / name, NOBODY, -1)
    await agentos(tmp_path, "ls")
    assert server.asked == []


async def test_status_tells_nothing_of_an_api_that_is_not_of_the_folder(
    tmp_path: Path, data: DataFolder
) -> None:
    code, told = await status(tmp_path, "--data-dir", "new")
    assert (code, told["stack"], told["api_url"]) == (1, "none", None)
    assert f"{tmp_path / 'new'} is no data folder" in str(told["problem"])
    data.acquire()
    data.release()
    code, told = await status(tmp_path)
    assert (code, told["stack"], told["api_url"], told["readiness"]) == (1, "stopped", None, None)
    printed = await agentos(tmp_path, "status")
    assert "No stack runs on" in printed.stderr
    assert "8000" not in printed.stdout


async def test_status_of_a_folder_that_is_being_backed_up_says_so(
    tmp_path: Path, data: DataFolder
) -> None:
    data.acquire(Work.BACKUP)
    code, told = await status(tmp_path)
    assert (code, told["stack"], told["api_url"]) == (1, "backup", None)
    assert f"`agentos backup` (process {os.getpid()}) is at work" in str(told["problem"])


@pytest.mark.parametrize(
    ("words", "is_same"),
    [
        ((), True),
        (("--port", "8137"), True),
        (("--port", "8137", "--workers", "2"), True),
        (("--port", "8000"), False),
        (("--workers", "1"), False),
    ],
    ids=["same", "port", "port-and-workers", "other-port", "other-workers"],
)
async def test_a_second_up_succeeds_only_if_what_runs_is_what_was_asked_for(
    tmp_path: Path, data: DataFolder, words: tuple[str, ...], is_same: bool
) -> None:
    data.acquire()
    parts = {"api": "http://127.0.0.1:8137", "worker": None, "worker-2": None}
    data.publish({name: RunningPart(url, os.getpid()) for name, url in parts.items()})
    printed = await agentos(tmp_path, "up", *words)
    assert printed.code == (0 if is_same else 1)
    assert "http://127.0.0.1:8137" in (printed.stdout if is_same else printed.stderr)
    if not is_same:
        assert f"not with {' '.join(words)}." in printed.stderr


async def test_a_second_up_with_a_port_does_not_take_a_stack_that_starts_for_its_own(
    tmp_path: Path, data: DataFolder
) -> None:
    data.acquire()
    assert (await agentos(tmp_path, "up")).code == 0
    printed = await agentos(tmp_path, "up", "--port", "8137")
    assert (printed.code, "no API yet" in printed.stderr) == (1, True)


def test_up_says_whether_its_usual_port_is_another_programs() -> None:
    [port] = choose_ports([None])
    assert why_another_port(port) == "It was there last time"
    with socket.create_server(("127.0.0.1", port)):
        assert why_another_port(port) == f"Port {port} is taken by another program"


def test_up_says_what_to_set_where_commands_would_go_elsewhere(
    tmp_path: Path, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGENTOS_API_URL", raising=False)
    monkeypatch.delenv("AGENTOS_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    url = "http://127.0.0.1:8137"
    why, elsewhere = lines_on_the_port(url, was_asked_for=False)
    assert why.endswith(f", so the API is at {url}.")
    assert elsewhere.endswith(f"To have them come here: export AGENTOS_API_URL={url}")
    run_api(data, url)
    [here] = lines_on_the_port(url, was_asked_for=True)
    assert here.startswith("Commands typed in this folder find it.")
    assert here.endswith(f"export AGENTOS_API_URL={url}")
    assert len(list(lines_on_the_port(DEFAULT_URL, was_asked_for=False))) == 1
    data.release()
    [stopped] = lines_on_the_port(url, was_asked_for=True)
    assert stopped.startswith(f"Commands typed in this folder want the stack on {data.path}.")
    monkeypatch.chdir("/")
    assert list(lines_on_the_port(DEFAULT_URL, was_asked_for=False)) == []
