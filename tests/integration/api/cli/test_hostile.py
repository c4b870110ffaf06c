"""What scripts and strangers write reaches the terminal and the disk as harmless text."""

import hashlib
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from api.wire.responses.pages import Page
from api.wire.responses.tasks import TaskSummary
from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import (
    ENDED,
    TASK_ID,
    Server,
    a_page,
    a_step,
    a_task,
    an_artifact,
    answer,
    document,
    serving,
    stream,
)
from tests.live import typed

TASK = f"/tasks/{TASK_ID}"
# Retitles the window; a C1 control that some terminals take for ESC [; text the other way round.
EVIL = "\x1b]0;owned\x07 \x9b31m \u202egpj.exe [bold red]x[/] :smile: \r"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EVENTS = (
    ENDED[0],
    (2, "step.started", {"step": f"clean{EVIL}", "attempt": 1}),
    (3, "step.output", {"step": f"clean{EVIL}", "stream": "stdout", "text": f"a{EVIL}\nb{EVIL}"}),
    (4, "artifact.created", {"step": f"clean{EVIL}", "name": f"f{EVIL}", "size": 3}),
    (
        5,
        "step.failed",
        {"step": f"clean{EVIL}", "error": {"code": "x", "message": EVIL, "step": f"clean{EVIL}"}},
    ),
    (6, "task.status", {"status": "failed", "error": {"code": "x", "message": EVIL}}),
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        evil_step = a_step(f"clean{EVIL}", 0, error={"code": "x", "message": EVIL}, refused=[EVIL])
        task = a_task(
            name=f"sales{EVIL}",
            prompt=EVIL,
            temporal_url=f"http://x/{EVIL}",
            sub_tasks=[evil_step],
            artifacts=[an_artifact(1, EVIL)],
            error={"code": "x", "message": EVIL},
        )
        server.tell(f"GET {TASK}", document(task))
        server.tell("GET /tasks", a_page([TaskSummary(**task.model_dump())]))
        server.tell(f"GET {TASK}/events", stream(EVENTS))
        server.tell(f"GET {TASK}/artifacts", a_page(task.artifacts))
        yield server


def is_harmless(text: str) -> bool:
    """No control character, no turning mark; what stood there is shown."""
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text) and "\\x1b]0;owned" in text


@pytest.mark.parametrize(
    "words",
    [
        ("ls",),
        ("show", str(TASK_ID)),
        ("artifacts", "ls", str(TASK_ID)),
        ("logs", "-f", str(TASK_ID)),
    ],
)
async def test_names_and_output_are_shown_not_obeyed(server: Server, words: list[str]) -> None:
    printed = await agentos(server.url, *words)
    assert printed.code == 0
    assert is_harmless(printed.stdout)
    assert "[bold red]x[/]" in printed.stdout
    assert ":smile:" in printed.stdout


async def test_progress_in_plain_lines_is_harmless(server: Server) -> None:
    printed = await agentos(server.url, "watch", str(TASK_ID))
    assert printed.code == 1
    assert is_harmless(printed.stderr)


async def test_json_on_a_terminal_is_harmless_and_the_same_document(server: Server) -> None:
    printed = await agentos(server.url, "show", str(TASK_ID), "-o", "json")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", printed.stdout)
    assert json.loads(printed.stdout)["prompt"] == EVIL


async def drawn_on_a_terminal(
    server: Server, kind: str = "xterm-256color", **environment: str
) -> tuple[int, str]:
    """What ``watch`` writes to a terminal that is its stderr, and its exit code."""
    running = await start(
        server.url, "watch", str(TASK_ID), terminal=True, TERM=kind, **environment
    )
    printed = await running.end()
    return printed.code, printed.stderr


async def test_the_moving_picture_is_harmless(server: Server) -> None:
    code, drawn = await drawn_on_a_terminal(server)
    assert code == 1
    assert "\x1b[?25l" in drawn  # It did move.
    assert COLOUR.search(drawn)
    assert "\x1b]" not in drawn
    assert "\x07" not in drawn
    assert "\x9b" not in drawn
    assert "\u202e" not in drawn
    assert "\\x1b]0;owned" in drawn
    assert "[bold red]x[/]" in drawn


async def test_no_color_leaves_no_colour_and_no_style(server: Server) -> None:
    code, drawn = await drawn_on_a_terminal(server, NO_COLOR="1")
    assert code == 1
    assert "sales" in drawn
    assert not COLOUR.search(drawn)


async def test_a_dumb_terminal_gets_plain_lines(server: Server) -> None:
    _, drawn = await drawn_on_a_terminal(server, "dumb")
    assert "\x1b" not in drawn
    assert "[   0.0s] sales" in drawn


@pytest.mark.parametrize("name", ["../../x", "link/x"])
async def test_an_artifact_that_would_leave_the_folder_is_refused(
    server: Server, tmp_path: Path, name: str
) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    sound = an_artifact(1, "sound.txt", sha256=hashlib.sha256(b"hello").hexdigest())
    evil = an_artifact(2, name, sha256=hashlib.sha256(b"hello").hexdigest())
    server.tell(f"GET {TASK}/artifacts", a_page([sound, evil]))
    for number in (1, 2):
        server.tell(f"GET /artifacts/{UUID(int=number)}", answer(b"hello"))
    words = ("artifacts", "get", "--task", str(TASK_ID), "-o", str(folder))
    printed = await agentos(server.url, *words)
    assert printed.code == 1
    assert "would be written outside" in printed.stderr
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found == []


async def test_a_name_in_a_header_is_no_way_out_either(server: Server, tmp_path: Path) -> None:
    made = UUID(int=3)
    header = "Content-Disposition: attachment; filename*=UTF-8''..%2F..%2Fx"
    server.tell(f"HEAD /artifacts/{made}", answer(b"", 200, header))
    printed = await agentos(server.url, "artifacts", "get", str(made), "-o", str(tmp_path / "out"))
    assert printed.code == 1
    assert "would be written outside" in printed.stderr


@pytest.mark.parametrize("name", ["日本.txt", "日本/a.txt"])
async def test_a_name_that_this_machine_cannot_write_is_told_as_such(
    server: Server, tmp_path: Path, name: str
) -> None:
    made = an_artifact(1, name, sha256=hashlib.sha256(b"hello").hexdigest())
    server.tell(f"GET {TASK}/artifacts", a_page([made]))
    server.tell(f"GET /artifacts/{made.id}", answer(b"hello"))
    words = ("artifacts", "get", "--task", str(TASK_ID), "-o", str(tmp_path))
    settings = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = (sys.executable, "-P", "-m", "deploy.cli")
    printed = await typed(*command, *words, AGENTOS_API_URL=server.url, **settings)
    assert printed.code == 1
    assert "names of files are in ascii here" in printed.stderr
    assert list(tmp_path.iterdir()) == []


async def test_a_link_is_not_fetched(server: Server, tmp_path: Path) -> None:
    made = an_artifact(1, "elsewhere", url="http://169.254.169.254/secret")
    link = made.model_dump(mode="json") | {"type": "link"}
    server.tell(f"GET {TASK}/artifacts", document({"items": [link]}))
    words = ("artifacts", "get", "--task", str(TASK_ID), "-o", str(tmp_path), "--output", "json")
    printed = await agentos(server.url, *words)
    assert printed.code == 0
    assert Page[dict[str, str]].model_validate_json(printed.stdout).items == []
    assert len(server.asked) == 1


async def test_a_download_leaves_everything_else_in_its_folder_alone(
    server: Server, tmp_path: Path
) -> None:
    folder, victim = tmp_path / "folder", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("mine")
    (folder / "data.txt.part").symlink_to(victim)
    (folder / "data.txt").symlink_to(victim)
    made = an_artifact(1, "data.txt", sha256=hashlib.sha256(b"hello").hexdigest())
    server.tell(f"GET {TASK}/artifacts", a_page([made]))
    server.tell(f"GET /artifacts/{made.id}", answer(b"hello"))
    words = ("artifacts", "get", "--task", str(TASK_ID), "-o", str(folder))
    assert (await agentos(server.url, *words)).code == 2
    assert (await agentos(server.url, *words, "--force")).code == 0
    assert (folder / "data.txt").read_text() == "hello"
    assert victim.read_text() == "mine"
    assert {path.name for path in folder.iterdir()} == {"data.txt", "data.txt.part"}
    assert (folder / "data.txt.part").is_symlink()
