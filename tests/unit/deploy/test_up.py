"""What ``agentos up`` says of the stack."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from activities.llm.base import ModelOptions
from deploy.local.s3 import S3Access
from deploy.local.services import Services
from deploy.offline_model import LABEL
from deploy.up import address_lines, check_settings, ended_by_itself

SERVICES = Services(
    data_dir=Path("/home/somebody/a/folder"),
    database_url="postgresql+asyncpg://agentos@/agentos?host=/home/somebody/a/folder/run/postgres",
    s3=S3Access("http://127.0.0.1:8333", "agentos", "key", "secret"),
    temporal_address="127.0.0.1:7233",
    temporal_namespace="default",
    temporal_ui_url="http://127.0.0.1:8233",
    model_url="http://127.0.0.1:9/v1",
    api_url="http://127.0.0.1:8000",
)


def printed(models: ModelOptions | None = None) -> list[str]:
    console = Console(file=io.StringIO(), width=40)
    for line in address_lines(SERVICES, models):
        console.print(line, soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_no_address_is_cut_on_a_narrow_terminal() -> None:
    text = "\n".join(printed())
    for address in (SERVICES.database_url, "/home/somebody/a/folder/services.json"):
        assert f"  {address}\n" in f"{text}\n"


def test_the_offline_model_is_named_as_what_it_is() -> None:
    (line,) = (line for line in printed() if line.startswith("Models"))
    assert line.endswith(f"  http://127.0.0.1:9/v1  {LABEL}")


def test_up_prints_the_server_and_names_of_the_users_own_models() -> None:
    own = ModelOptions(models=("qwen3", "llama"), base_url="http://localhost:11434/v1")
    assert any(line.endswith("  http://localhost:11434/v1  qwen3, llama") for line in printed(own))
    assert any(line.endswith("  OpenAI") for line in printed(ModelOptions()))


def test_up_warns_of_a_variable_that_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGENTOS_POOLSIZE", "3")
    check_settings()
    warned = capsys.readouterr().err
    assert "AGENTOS_POOLSIZE" in warned
    assert "Did you mean AGENTOS_POOL_SIZE?" in warned


async def test_a_start_that_fails_as_it_is_cut_off_leaves_nothing_to_complain_of() -> None:
    """Its parts are stopped while it waits for them, so it may end with their failure."""
    part_is_stopped = asyncio.Event()

    async def start() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await part_is_stopped.wait()
            raise RuntimeError("signal SIGTERM")

    async def end() -> None:
        part_is_stopped.set()

    running, stop = asyncio.create_task(start()), asyncio.create_task(asyncio.sleep(0))
    assert not await ended_by_itself(running, stop, end)
    assert running.done()  # What is left is ended with a traceback by the end of the loop.


async def test_a_failure_before_anybody_stopped_it_is_told_once_all_is_ended() -> None:
    ended = asyncio.Event()

    async def start() -> None:
        raise RuntimeError("no room")

    async def end() -> None:
        ended.set()

    running, stop = asyncio.create_task(start()), asyncio.create_task(asyncio.sleep(600))
    assert await ended_by_itself(running, stop, end)
    assert ended.is_set()
    with pytest.raises(RuntimeError, match="no room"):
        running.result()
    stop.cancel()
