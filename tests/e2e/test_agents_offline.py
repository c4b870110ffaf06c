"""Agents without a key: the offline model of the embedded stack, as a newcomer meets it."""

import json
from pathlib import Path

from openai import AsyncOpenAI

from deploy.local.state import running_parts
from deploy.offline_model import LABEL
from tests.live import Live, environment_of

DATA = Path(__file__).parents[2] / "deploy" / "demo" / "penguins_raw.csv"


async def test_one_submit_command_makes_files_and_lists_them(live: Live) -> None:
    prompt = "Clean the csv and profile it."
    command = ("submit", "agent", prompt, "--input", f"data={DATA}", "--wait")
    printed = await live.agentos(*command)
    assert printed.code == 0, printed.stderr
    assert LABEL in printed.stderr
    assert "csv-clean made clean.csv" in printed.stderr

    [task_id] = [
        item["task_id"]
        for item in (await live.http.get("/api/v1/tasks", params={"type": "agent"})).json()["items"]
        if item["prompt"] == prompt
    ]
    task = await live.task(task_id)
    assert task["status"] == "completed"
    assert {artifact["name"] for artifact in task["artifacts"]} >= {"clean.csv", "profile.json"}
    assert all(artifact["size"] > 0 for artifact in task["artifacts"])
    messages = await live.messages_of(task_id)
    assert {message["model"] for message in messages if message["role"] == "assistant"} == {
        "offline-rules"
    }


async def test_a_skill_is_loaded_once_and_its_text_is_told_whole(live: Live) -> None:
    reference = await live.upload("people.csv", b"name,age\nada,36\n")
    task = await live.run_agent("Profile the csv.", inputs={"people": reference})
    assert task["status"] == "completed"
    told = [message["content"] for message in await live.messages_of(task["task_id"])]
    loaded = [text for text in told if text.startswith('<skill_content name="csv-profile">')]
    assert len(loaded) == 1
    assert loaded[0].endswith("</skill_content>")


async def test_json_on_stdout_is_the_result_and_nothing_else(live: Live) -> None:
    command = ("submit", "agent", "Sing.", "--wait", "-o", "json")
    printed = await live.agentos(*command)
    assert printed.code == 0, printed.stderr
    given = json.loads(printed.stdout)
    assert "shares no keyword with any skill" in given["summary"]


async def test_without_a_model_of_the_users_own_the_offline_one_is_served(live: Live) -> None:
    services = live.services
    served = running_parts(services.data_dir)["model"]
    assert served.url == services.model_url
    async with AsyncOpenAI(base_url=services.model_url, api_key="none") as client:
        assert [found.id async for found in client.models.list()] == ["offline-rules"]
    for part in ("api", "worker"):
        environment = environment_of(live.pid_of(part))
        assert environment["OPENAI_BASE_URL"] == services.model_url
    assert "AGENTOS_DATABASE_URL" not in environment_of(served.pid)


async def test_the_offline_model_may_die_while_it_answers(live: Live) -> None:
    """The stack starts it again."""
    data = await live.upload("people.csv", b"name,age\nada,36\n")
    task_id = await live.submit_agent("Clean the csv and profile it.", inputs={"people": data})
    await live.when(task_id, lambda task: task["usage"]["turns"] >= 1)
    live.kill("model")
    task = await live.ended(task_id)
    assert task["status"] == "completed"
    names = sorted(file["name"] for file in task["artifacts"])
    assert names == ["clean.csv", "profile.json", "profile.md"]
