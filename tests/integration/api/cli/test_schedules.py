"""``agentos schedules`` against the true API."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_runs import agentos
from tests.integration.cli_server import serving

HOURLY = ("--cron", "0 * * * *")


@pytest.fixture
def written(tmp_path: Path) -> str:
    """A pipeline with an input, in a file."""
    path = tmp_path / "pipeline.yaml"
    path.write_text(json.dumps({**pipeline("print INPUT_DATA"), "inputs": ["data"]}))
    return str(path)


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n")
    return f"data={path}"


async def make(stage: Stage, written: str, data: str, *words: str) -> dict[str, Any]:
    """Make a schedule; gives it as the API has it."""
    task = ("pipeline", written, "--input", data, "-o", "json")
    options = words or HOURLY
    printed = await agentos(stage.url, "schedules", "create", f"test-{uuid4()}", *options, *task)
    assert printed.code == 0, printed.stderr
    return dict(json.loads(printed.stdout))


async def test_a_schedule_is_made_of_what_submit_takes(
    stage: Stage, written: str, data: str
) -> None:
    options = (
        *("--cron", "30 8 * * MON-FRI", "--zone", "Asia/Tokyo", "--overlap", "buffer"),
        *("--catch-up", "5m", "--note", "for the office", "--paused"),
    )
    made = await make(stage, written, data, *options)
    assert (made["cron"], made["time_zone"]) == ("30 8 * * MON-FRI", "Asia/Tokyo")
    assert (made["overlap"], made["catch_up"]) == ("buffer", "5m")
    assert (made["note"], made["paused"]) == ("for the office", True)
    assert made["task"]["inputs"]["data"].startswith("file:")


async def test_schedules_are_listed_and_shown_by_name_and_by_id(
    stage: Stage, written: str, data: str
) -> None:
    made = await make(stage, written, data, "--every", "90m")
    listed = await agentos(stage.url, "schedules", "ls")
    [line] = [line for line in listed.stdout.splitlines() if made["name"] in line]
    assert "every 90m" in line
    assert "active" in line
    as_json = json.loads((await agentos(stage.url, "schedules", "ls", "-o", "json")).stdout)
    assert made["id"] in [item["id"] for item in as_json["items"]]
    for name in (made["name"], made["id"], made["id"][:13]):
        shown = await agentos(stage.url, "schedules", "show", name)
        assert shown.code == 0, shown.stderr
        assert made["next_times"][0][:16] in shown.stdout
        assert ["Catch", "up", "1h"] in [line.split() for line in shown.stdout.splitlines()]
    unknown = await agentos(stage.url, "schedules", "show", "nobody")
    assert "No schedule has the name 'nobody'" in unknown.stderr


async def test_a_schedule_is_run_paused_resumed_changed_and_deleted(
    stage: Stage, written: str, data: str
) -> None:
    made = await make(stage, written, data)
    name = made["name"]
    ran = await agentos(stage.url, "schedules", "run", name, "-o", "json")
    asked = json.loads(ran.stdout)
    assert asked["schedule_id"] == made["id"]
    paused = await agentos(stage.url, "schedules", "pause", name, "--note", "x", "-o", "json")
    assert json.loads(paused.stdout)["paused"]
    resumed = await agentos(stage.url, "schedules", "resume", name, "-o", "json")
    assert not json.loads(resumed.stdout)["paused"]
    edited = await agentos(stage.url, "schedules", "edit", name, "--every", "2h", "-o", "json")
    assert json.loads(edited.stdout)["every"] == "2h"
    words = ("schedules", "edit", name, "--name", f"{name}-2", "pipeline", written, "--input", data)
    edited = await agentos(stage.url, *words, "--priority", "9", "-o", "json")
    changed = json.loads(edited.stdout)
    assert (changed["name"], changed["task"]["priority"]) == (f"{name}-2", 9)
    shown = await agentos(stage.url, "schedules", "show", made["id"])
    assert asked["task_id"] in shown.stdout
    deleted = await agentos(stage.url, "schedules", "delete", f"{name}-2")
    assert (deleted.code, deleted.stdout) == (0, f"{made['id']}\n")
    assert (await agentos(stage.url, "schedules", "show", made["id"])).code == 5


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "give one of cron and every"),
        ((*HOURLY, "--every", "1h"), "give one of cron and every"),
        (("--cron", "61 * * * *"), "'61' is no minute"),
        (("--every", "often"), "is not a duration"),
        ((*HOURLY, "--catch-up", "1s"), "at least 10s"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_what_is_wrong_is_told_before_anything_is_sent(
    written: str, data: str, options: tuple[str, ...], reason: str
) -> None:
    async with serving() as server:
        words = ("schedules", "create", "x", *options, "pipeline", written, "--input", data)
        printed = await agentos(server.url, *words)
        assert server.asked == []
    assert printed.code == 2, printed.stderr
    assert reason in " ".join(printed.stderr.split())


async def test_a_change_of_nothing_is_refused(stage: Stage) -> None:
    printed = await agentos(stage.url, "schedules", "edit", "x")
    assert printed.code == 2
    assert "There is nothing to change." in printed.stderr
