"""The commands that a newcomer types first."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.live import Live, processes_mentioning, typed, until
from workflows.states import FINAL

AGENTOS = (sys.executable, "-P", "-m", "deploy.cli")
DEMO = Path(__file__).parents[2] / "deploy" / "demo"


@pytest.mark.timeout(240)
async def test_the_demo_makes_a_report_by_pipeline_by_agent_and_by_plan_and_says_where_it_lies(
    tmp_path: Path,
) -> None:
    nothing = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}
    # They are for an API elsewhere.
    nothing |= {"AGENTOS_API_KEY": "ak_of_another", "AGENTOS_KEYS_REQUIRED": "true"}
    demo = await typed(*AGENTOS, "demo", **nothing, TMPDIR=str(tmp_path))
    assert demo.code == 0, demo.stderr
    assert "/namespaces/default/workflows/task-" in demo.stderr
    report = next(Path(line) for line in demo.stdout.splitlines() if line.endswith("report.html"))
    assert "<img" in report.read_text()
    names = sorted(path.name for path in report.parent.iterdir())
    assert names == [
        "chart.png",
        "chart.svg",
        "clean.csv",
        "profile.json",
        "profile.md",
        "report-chart.png",
        "report.html",
        "report.md",
    ]
    folder = report.parent.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        *("agent-artifacts", "artifacts", "plan-artifacts", "species")
    ]
    assert "offline-rules (keyword rules, not a language model)" in demo.stderr
    assert {"clean.csv", "chart.png", "report.html"} < {
        path.name for path in (folder / "agent-artifacts").iterdir()
    }
    assert {"adelie-clean.csv", "gentoo-profile.md", "report.html"} < {
        path.name for path in (folder / "plan-artifacts").iterdir()
    }


async def test_a_demo_whose_stack_does_not_start_keeps_the_log_that_it_names(
    tmp_path: Path,
) -> None:
    demo = await typed(*AGENTOS, "demo", TMPDIR=str(tmp_path), AGENTOS_POOL_SIZE="0")
    assert demo.code == 1
    [named] = {word.strip(";") for word in demo.stderr.split() if ".log" in word}
    assert "AGENTOS_POOL_SIZE" in Path(named).read_text()
    assert [path.name for path in Path(named).parents[1].iterdir() if path.is_dir()] == ["logs"]


async def test_a_demo_that_is_told_to_end_leaves_no_stack_behind(tmp_path: Path) -> None:
    async def is_up() -> bool:
        return any(tmp_path.glob("*/data/services.json"))

    demo = await asyncio.create_subprocess_exec(
        *(*AGENTOS, "demo"),
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(is_up)
        [folder] = tmp_path.iterdir()
        demo.send_signal(signal.SIGTERM)
        assert await demo.wait() == 128 + signal.SIGTERM
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()
    assert processes_mentioning(str(folder)) == []
    assert not (folder / "data").exists()


async def test_up_serves_commands_and_plain_http_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "odd[" / "data]"  # As rich's markup it would be an error.
    up = await asyncio.create_subprocess_exec(
        *AGENTOS, "up", "--data-dir", str(data_dir), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _use(data_dir)
        up.send_signal(signal.SIGINT)
        await asyncio.wait_for(up.wait(), 60)
        assert up.returncode == 0
        assert processes_mentioning(str(data_dir)) == []
    finally:
        if up.returncode is None:
            up.kill()
            await up.wait()


async def _use(data_dir: Path) -> None:
    services = data_dir / "services.json"

    async def is_ready() -> bool:
        return services.exists() and "worker" in json.loads(services.read_text())

    await until(is_ready)
    parts = json.loads(services.read_text())
    url = parts["api"]["url"]
    assert set(parts) >= {"temporal", "temporal_ui", "postgres", "s3", "api", "worker"}

    again = await typed(*AGENTOS, "up", "--data-dir", str(data_dir))
    assert again.code == 0
    assert "is already running" in again.stdout

    job = (str(DEMO / "pipeline.yaml"), "--input", f"data={DEMO / 'penguins_raw.csv'}", "--wait")
    submitted = await typed(*AGENTOS, "submit", "pipeline", *job, AGENTOS_API_URL=url)
    assert submitted.code == 0, submitted.stderr
    told = await typed(*AGENTOS, "status", "--data-dir", str(data_dir), "-o", "json")
    status = json.loads(told.stdout)
    assert (told.code, status["api_url"], status["readiness"]["workers"]) == (0, url, 1)
    assert {part["state"] for part in status["parts"]} == {"runs"}
    assert status["server"]["version"] == status["version"]
    await _run_over_http(url)


async def _run_over_http(url: str) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False, timeout=30) as http:
        with (DEMO / "penguins_raw.csv").open("rb") as data:
            file = (await http.post("/files", files={"file": data})).json()
        pipeline = (DEMO / "pipeline.yaml").read_text()
        body = {"pipeline": pipeline, "inputs": {"data": f"file:{file['id']}"}}
        task_id = (await http.post("/tasks", json=body)).json()["task_id"]

        async def has_ended() -> bool:
            return (await http.get(f"/tasks/{task_id}")).json()["status"] in FINAL

        await until(has_ended)
        task = (await http.get(f"/tasks/{task_id}")).json()
        assert task["status"] == "completed"
        assert len(task["artifacts"]) == 8
        clean = task["sub_tasks"][0]
        assert (clean["name"], clean["attempts"], clean["skill"]["name"]) == (
            *("clean", 1),
            "csv-clean",
        )
        skill = (await http.get("/skills/csv-clean")).json()
        assert skill["digest"].startswith(clean["skill"]["digest"])


async def test_without_services_a_worker_says_which_variables_it_needs() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AGENTOS_")}
    process = await asyncio.create_subprocess_exec(
        *AGENTOS, "worker", env=bare, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate()
    assert process.returncode not in (0, None)
    assert b"AGENTOS_DATABASE_URL" in stderr
    assert b"Traceback" not in stderr


async def test_a_key_is_made_listed_and_revoked(live: Live) -> None:
    database = {
        "AGENTOS_DATABASE_URL": live.services.database_url,
        "AGENTOS_S3_ENDPOINT": live.services.s3.endpoint,
    }
    name = "laptop[/x]"  # As rich's markup it would be an error.
    made = await typed(*AGENTOS, "keys", "create", name, "--team", "blue", **database)
    assert made.stdout.startswith("ak_"), made.stderr
    listed = await typed(*AGENTOS, "keys", "ls", "--team", "blue", **database)
    key_id = next(line.split()[0] for line in listed.stdout.splitlines() if name in line)
    document = await typed(*AGENTOS, "keys", "ls", "--team", "blue", "-o", "json", **database)
    [key] = json.loads(document.stdout)["items"]
    assert (key["id"], key["name"], key["revoked_at"]) == (key_id, name, None)
    bearer = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert (await live.http.get("/api/v1/tasks", headers=bearer)).json()["items"] == []
    revoke = ("keys", "revoke", key_id, "--team", "blue")
    assert (await typed(*AGENTOS, *revoke, **database)).code == 0
    again = await typed(*AGENTOS, *revoke, **database)
    assert again.code != 0
    assert "has no key" in again.stderr
    unknown = await typed(*AGENTOS, "keys", "ls", "--team", "green", **database)
    assert "no team 'green'" in unknown.stderr
