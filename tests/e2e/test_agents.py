"""Agents on the whole stack: from the prompt over true HTTP to the model, the tools and back."""

import re
from pathlib import Path
from typing import Any

from deploy.local.state import running_parts
from tests.doubles.model_server import Exchange
from tests.doubles.scripted_models import Conversation, ScriptedModels, Wanted, asks, finishes
from tests.live import Live, a_while, environment_of, release

URL = re.compile(r"File '([^']+)' created at (\S+)")


def python(source: str, *args: str) -> Wanted:
    return "run_code", {"language": "python", "source": source, "args": list(args)}


async def test_two_variables_are_enough_to_use_a_model_of_ones_own(
    agents_live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    data = tmp_path / "people.csv"
    data.write_text("name,age\nada,36\n")
    talk = models.conversation(
        asks(python("import shutil; shutil.copy('/workspace/input/data', 'copy.csv')")),
        finishes("I copied it to copy.csv."),
    )
    command = ("submit", "agent", talk.prompt(), "--input", f"data={data}", "--wait")
    printed = await agents_live.agentos(*command)
    assert printed.code == 0, printed.stderr
    task = await agents_live.task(printed.stdout.strip())
    assert task["result"]["summary"] == "I copied it to copy.csv."
    [artifact] = task["artifacts"]
    assert await agents_live.text_of(artifact) == data.read_text()
    assert talk.models == ["first", "first"]
    assert talk.requests[0].headers["authorization"] == "Bearer sk-only-for-tests"
    assert task["usage"]["tokens_used"] == 30


async def test_a_model_of_the_users_own_leaves_the_offline_one_out(
    agents_live: Live, models: ScriptedModels
) -> None:
    assert agents_live.services.model_url is None
    assert "model" not in running_parts(agents_live.services.data_dir)
    worker = environment_of(agents_live.pid_of("worker"))
    assert worker["OPENAI_BASE_URL"] == models.url


async def test_calls_of_one_turn_run_side_by_side_and_are_told_in_their_order(
    agents_live: Live, models: ScriptedModels
) -> None:
    word = a_while()
    slow = "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]]); print('slow')"
    talk = models.conversation(asks(python(slow, word), python("print('quick')")), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    await agents_live.when(task_id, lambda task: "completed" in _states(task))
    assert _states(await agents_live.task(task_id)) == ["running", "completed"]
    await release(word)
    assert (await agents_live.ended(task_id))["status"] == "completed"
    results = [result.split("\n")[1] for result in talk.results()]
    assert results == ["slow", "quick"]


async def test_a_file_of_one_call_is_the_input_of_the_next_by_name_and_by_url(
    agents_live: Live, models: ScriptedModels
) -> None:
    read = "import sys; print(open(sys.argv[1]).read())"

    async def use_it(exchange: Exchange) -> None:
        [(name, url)] = URL.findall(talk.results()[0])
        await asks(
            *(("read_file", {"file": file}) for file in (name, url)),
            *(python(read, file) for file in (name, url)),
        )(exchange)

    talk = models.conversation(
        asks(python("open('report.csv', 'w').write('a,b')")), use_it, finishes()
    )
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    assert [result.split("\n")[1] for result in talk.results()] == ["a,b"] * 4
    [artifact] = task["artifacts"]
    assert talk.results(1)[0].endswith(f"File 'report.csv' created at {artifact['url']}")


async def test_mistakes_in_calls_go_back_to_the_model_and_harm_nothing(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(
        asks(
            ("list_files", '{"cut": '),
            ("list_files", "[]"),
            ("no_such_tool", {}),
            ("write_file", {"name": "a.txt"}),
            ("read_file", {"file": "nothing.csv"}),
            python("import sys; print('no such column', file=sys.stderr); sys.exit(3)"),
            ("write_file", {"name": "good.txt", "text": "good"}),
        ),
        finishes(),
    )
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    malformed, no_object, unknown, incomplete, missing, failed, good = talk.results()
    assert "not valid JSON" in malformed
    assert "one JSON object" in no_object
    assert "no_such_tool" in unknown
    assert "read_file" in unknown  # It is told what there is.
    assert "text" in incomplete
    assert "nothing.csv" in missing
    assert "exit code 3" in failed
    assert "no such column" in failed
    assert "good.txt" in good
    assert [artifact["name"] for artifact in task["artifacts"]] == ["good.txt"]
    states = {step["name"]: step["status"] for step in task["sub_tasks"]}
    assert states["1.5 read_file"] == "failed"
    assert states["1.7 write_file"] == "completed"


async def test_a_result_that_does_not_fit_is_given_back_until_it_is_mended(
    agents_live: Live, models: ScriptedModels
) -> None:
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "integer", "minimum": 1}},
        "required": ["rows"],
    }
    talk = models.conversation(
        finishes("Three rows."),
        finishes("Three rows.", result={"rows": "three"}),
        finishes("Three rows.", result={"rows": 3}),
    )
    task = await agents_live.run_agent(talk.prompt(), output_schema=schema)
    assert task["status"] == "completed"
    assert task["result"]["result"] == {"rows": 3}
    assert "'result' is missing" in talk.results(1)[0]
    assert "/result/rows" in talk.results(2)[0]


async def test_finish_beside_other_calls_is_put_off(
    agents_live: Live, models: ScriptedModels
) -> None:
    write = ("write_file", {"name": "a.txt", "text": "a"})
    talk = models.conversation(asks(write, ("finish", {"summary": "Done."})), finishes("At last."))
    task = await agents_live.run_agent(talk.prompt())
    assert task["result"]["summary"] == "At last."
    assert "alone" in talk.results(1)[1]


async def test_a_long_result_is_cut_and_the_whole_of_it_can_be_read(
    agents_live: Live, models: ScriptedModels
) -> None:
    lines = "for n in range(10_000): print('line', n)"

    async def read_the_middle(exchange: Exchange) -> None:
        [(name, _)] = URL.findall(talk.results()[0])
        await asks(("read_file", {"file": name, "offset": 50_000, "limit": 200}))(exchange)

    talk = models.conversation(asks(python(lines)), read_the_middle, finishes())
    task = await agents_live.run_agent(talk.prompt())
    assert task["status"] == "completed"
    [cut] = talk.results(1)
    assert re.search(r"\.\.\.\[TRUNCATED \d+ tokens\]\.\.\.", cut)
    assert len(cut) < 30_000
    assert "line 0\n" in cut
    assert "line 9999\n" in cut
    whole = "".join(f"line {number}\n" for number in range(10_000))
    assert whole[50_000:50_200] in talk.results()[0]
    [artifact] = task["artifacts"]
    assert await agents_live.text_of(artifact) == whole


async def test_an_agent_is_what_its_profile_says_and_has_no_more_than_it_may(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(
        asks(
            ("run_code", {"language": "python", "source": "print(1)"}),
            ("load_skill", {"skill": "report"}),
        ),
        finishes(),
    )
    profile = {"name": "Ada", "role": "a careful analyst", "tone": "dry"}
    task = await agents_live.run_agent(
        talk.prompt(), profile=profile, tools=["list_files"], skills=["chart"], model="second"
    )
    assert task["status"] == "completed"
    assert talk.models == ["second", "second"]
    system = talk.messages(0)[0]["content"]
    assert "You are Ada, a careful analyst." in system
    assert "<name>chart</name>" in system
    assert "<name>report</name>" not in system
    skills = {"list_skills", "load_skill", "read_skill_file", "run_skill_script"}
    assert _offered(talk) == {"list_files", "finish", *skills}
    refused, unknown_skill = talk.results()
    assert "There is no tool 'run_code'" in refused
    assert "report" in unknown_skill
    assert "skill_content" not in unknown_skill


async def test_viewers_see_every_event_of_an_agent_in_order(
    agents_live: Live, models: ScriptedModels
) -> None:
    write = ("write_file", {"name": "a.txt", "text": "a"})
    talk = models.conversation(asks(write, text="I write it down."), finishes())
    task = await agents_live.run_agent(talk.prompt())
    events = await agents_live.events_of(task["task_id"])
    kinds = [kind for kind, data in events if data.get("status") != "pending"]
    telling = [kind for kind in kinds if kind not in ("task.status", "llm.delta", "step.output")]
    assert telling == [
        *("turn.started", "message.created", "tool.called", "usage"),
        *("step.started", "artifact.created", "tool.result", "step.completed"),
        *("turn.started", "message.created", "usage"),
    ]
    [called] = [data for kind, data in events if kind == "tool.called"]
    assert (called["step"], called["arguments"]) == ("1.1 write_file", write[1])


def _states(task: dict[str, Any]) -> list[str]:
    return [step["status"] for step in task["sub_tasks"]]


def _offered(talk: Conversation) -> set[str]:
    return {tool["function"]["name"] for tool in talk.requests[0].body["tools"]}
