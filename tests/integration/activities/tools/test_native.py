"""The native tools of agents, on the true database, store and sandbox."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import JsonValue

from activities.agents.observations import observation, shorten
from activities.skills.catalogue import Catalogue
from activities.tokens import Tokens
from activities.tools.native.list_skills import MAX_LISTED
from activities.tools.native.load_skill import MAX_SKILL_CHARACTERS
from activities.tools.registry import Registry
from activities.tools.working_files import working_files
from deploy.local.services import Services
from tests.integration.agent_desk import Desk, agent_desk
from workflows.definitions.agent import Agent
from workflows.errors.scripts import FileNameRefused, ModuleMissing, ScriptFailed, ScriptKilled
from workflows.errors.skills import (
    ScriptNotNamed,
    SkillFileNotFound,
    SkillFileUnreadable,
    SkillNotFound,
)
from workflows.errors.tools import (
    FileNotText,
    ToolArgumentsInvalid,
    ToolNotFound,
    ToolNotRun,
    WorkingFileNotFound,
)

COUNT = """\
import os, pathlib, sys
data = pathlib.Path(sys.argv[1]).read_text()
pathlib.Path(sys.argv[2]).write_text(data.upper())
print(len(data), os.environ.get("INPUT_SALES"))
print("a warning", file=sys.stderr)
"""
FAIL = "import sys; print('half'); print('no such column', file=sys.stderr); sys.exit(3)"


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skills")
    content = {
        "shout": {"scripts/shout.py": COUNT, "references/how & why.md": "é" * 30_000},
        "two": {"scripts/fail.py": FAIL, "scripts/die.py": "import os; os.kill(os.getpid(), 9)"},
        "huge": {"SKILL.md": "---\nname: huge\ndescription: x\n---\n" + "x" * MAX_SKILL_CHARACTERS},
        "closed": {"scripts/run.py": "print('secret')"},
    }
    for name, files in content.items():
        head = f"---\nname: {name}\ndescription: Does\n  {name}.\n---\n# How to {name}\n\nRun it.\n"
        for path, text in {"SKILL.md": head, **files}.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    (folder / "odd").mkdir()
    head = "---\r\nname: odd\r\ndescription: x\r\n---\r\n# How to be odd\r\n"
    (folder / "odd" / "Skill.md").write_bytes(head.encode("utf-16"))
    return folder


@pytest.fixture
async def desk(
    infrastructure: Services, database_url: str, bucket: str, skills: Path
) -> AsyncIterator[Desk]:
    async with agent_desk(infrastructure, database_url, bucket, skills) as desk:
        desk.agent = Agent.model_validate({"skills": ["shout", "two", "huge", "odd"]})
        yield desk


async def test_a_file_that_a_script_made_is_the_input_of_the_next(desk: Desk) -> None:
    await desk.begin(sales=b"a,b\n1,2\n")
    first = await desk.call("run_skill_script", skill="shout", args=["sales", "up.csv"])
    assert first.error is None
    assert first.text == "8 /workspace/input/sales\n"
    assert desk.reporter.stderr == b"a warning\n"
    phases = [draft.data.get("phase", "log") for draft in desk.reporter.drain()]
    assert (phases[0], phases[-1], {*phases[1:-1]}) == ("executing", "post_process", {"log"})
    url = f"http://localhost:8000/api/v1/artifacts/{desk.made['up.csv']}"
    second = await desk.call(
        "run_skill_script", skill="shout", script="shout.py", args=[url, "./up.csv"]
    )
    assert second.error is None
    read = await desk.call("read_file", file="up.csv")
    assert read.text == "A,B\n1,2\n"


async def test_a_failing_script_gives_its_output_its_errors_and_its_exit_code(desk: Desk) -> None:
    await desk.begin()
    result = await desk.call("run_skill_script", skill="two", script="fail.py")
    assert isinstance(result.error, ScriptFailed)
    assert result.exit_code == 3
    assert result.text == "half\nstderr:\nno such column\n"
    killed = await desk.call("run_skill_script", skill="two", script="die.py")
    assert isinstance(killed.error, ScriptKilled)
    assert killed.exit_code is None


async def test_code_of_the_models_own_sees_the_files_and_leaves_its_own(desk: Desk) -> None:
    await desk.begin(sales=b"data")
    await desk.call("write_file", name="sub/note.txt", text="hello")
    source = """
import pathlib, sys
for path in sorted(pathlib.Path("/workspace/input").iterdir()):
    print(path.name, path.read_text())
print(sys.argv[1])
pathlib.Path("out.txt").write_text("made")
"""
    result = await desk.call("run_code", language="python", source=source, args=["sub/note.txt"])
    assert result.text == "sales data\nsub-note.txt hello\n/workspace/input/sub-note.txt\n"
    shell = await desk.call("run_code", language="shell", source="cat /workspace/input/out.txt")
    assert shell.text == "made"


async def test_code_may_use_a_skill_that_the_agent_may_use_and_no_other(desk: Desk) -> None:
    await desk.begin()
    source = "import shout_parts; print(shout_parts.__file__)"
    shell = "ls /skills/shout"
    result = await desk.call("run_code", language="shell", source=shell, skill="shout")
    assert result.text == "SKILL.md\nreferences\nscripts\n"
    failed = await desk.call("run_code", language="python", source=source, skill="shout")
    assert isinstance(failed.error, ModuleMissing)
    refused = await desk.call("run_code", language="shell", source="ls /skills", skill="closed")
    assert isinstance(refused.error, SkillNotFound)


async def test_files_are_listed_with_the_names_that_other_tools_take(desk: Desk) -> None:
    await desk.begin(sales=b"data")
    await desk.call("write_file", name="a.txt", text="one")
    await desk.call("write_file", name="a.txt", text="three")
    listed = json.loads((await desk.call("list_files")).text)
    assert [(item["name"], item["size"], item["type"]) for item in listed] == [
        ("sales", 4, "text/csv"),
        ("a.txt", 5, "text/plain"),
    ]
    assert [item["path"] for item in listed] == ["/workspace/input/sales", "/workspace/input/a.txt"]
    for item in listed:
        by_name = await desk.call("read_file", file=item["name"])
        by_reference = await desk.call("read_file", file=item["file"])
        assert by_name.text == by_reference.text != ""


async def test_a_long_file_is_read_in_pieces(desk: Desk) -> None:
    text = "é" * 12_000
    await desk.begin(sales=text.encode())
    first = await desk.call("read_file", file="sales", limit=10_001)
    assert first.is_kept
    assert first.text == "é" * 5_000 + (
        "\n[bytes 0 to 10000 of 24000; offset=10000 gives the next]"
    )
    rest = await desk.call("read_file", file="sales", offset=10_000, limit=20_000)
    assert rest.text == "é" * 7_000
    assert (await desk.call("read_file", file="sales", offset=99_999)).text == ""


async def test_read_file_refuses_files_that_are_not_text(desk: Desk) -> None:
    await desk.begin(sales=b"\x89PNG\0\0")
    result = await desk.call("read_file", file="sales")
    assert isinstance(result.error, FileNotText)


async def test_files_of_other_tasks_and_of_the_world_are_missing(desk: Desk) -> None:
    await desk.begin()
    foreign = await desk.upload(b"another task's")
    for name in (foreign, f"/api/v1/files/{foreign[5:]}", "https://a.example/x", "/etc/passwd"):
        result = await desk.call("read_file", file=name)
        assert isinstance(result.error, WorkingFileNotFound), name
    args: list[JsonValue] = [foreign, "x"]
    script = await desk.call("run_skill_script", skill="shout", args=args)
    assert script.exit_code == 1
    assert foreign in script.text


async def test_files_that_another_task_made_are_not_found(desk: Desk) -> None:
    await desk.begin(sales=b"theirs")
    await desk.call("write_file", name="theirs.txt", text="secret")
    key, their_task = desk.made["theirs.txt"], desk.task_id
    desk.task_id = uuid4()
    await desk.begin()
    for name in ("theirs.txt", f"artifact:{key}", f"/api/v1/artifacts/{key}"):
        result = await desk.call("read_file", file=name)
        assert isinstance(result.error, WorkingFileNotFound), name
    assert (await desk.call("list_files")).text == "[]"
    of_another_team = await working_files(desk.database, their_task, uuid4())
    assert of_another_team.files == ()


@pytest.mark.parametrize(
    "name", ["../up.txt", "/etc/x", "-rf", "a\u202eb", "a\\b", ".", "a\nb", "é" * 130]
)
async def test_a_name_that_the_collector_would_not_take_is_refused(desk: Desk, name: str) -> None:
    await desk.begin()
    result = await desk.call("write_file", name=name, text="x")
    assert isinstance(result.error, FileNameRefused)
    assert desk.made == {}


async def test_a_skill_is_loaded_once_and_says_what_it_brings(desk: Desk) -> None:
    await desk.begin()
    loaded = await desk.call("load_skill", skill="shout")
    assert loaded.is_protected
    assert loaded.text.startswith('<skill_content name="shout">\n# How to shout\n\nRun it.\n')
    assert "<script>scripts/shout.py</script>" in loaded.text
    assert "<file>references/how &amp; why.md</file>" in loaded.text
    assert "description:" not in loaded.text
    shown = await shorten(loaded, Tokens(), desk.folder, "1.1 load_skill")
    await desk.say(observation(loaded, shown, {}))
    again = await desk.call("load_skill", skill="shout")
    assert "is loaded already" in again.text
    assert not again.is_protected
    assert (await desk.call("load_skill", skill="two")).is_protected


async def test_a_skill_of_another_system_is_loaded(desk: Desk) -> None:
    """Its SKILL.md has other letters, and another encoding."""
    await desk.begin()
    loaded = await desk.call("load_skill", skill="odd")
    assert loaded.text.startswith('<skill_content name="odd">\n# How to be odd\n')
    assert "<skill_files>" not in loaded.text


async def test_a_skill_that_is_too_long_to_stay_in_mind_is_not_loaded(desk: Desk) -> None:
    await desk.begin()
    result = await desk.call("load_skill", skill="huge")
    assert isinstance(result.error, SkillFileUnreadable)
    assert "read_skill_file" in str(result.error)


async def test_a_file_of_a_skill_is_read_in_pieces(desk: Desk) -> None:
    await desk.begin()
    where: dict[str, JsonValue] = {"skill": "shout", "path": "references/how & why.md"}
    first = await desk.call("read_skill_file", **where)
    assert first.text.endswith("\n[characters 0 to 12000 of 30000; offset=12000 gives the next]")
    rest = await desk.call("read_skill_file", **where, offset=12_000, limit=50_000)
    assert rest.text == "é" * 18_000
    missing = await desk.call("read_skill_file", skill="shout", path="../two/SKILL.md")
    assert isinstance(missing.error, SkillFileNotFound)


@pytest.mark.parametrize("tool", ["load_skill", "read_skill_file", "run_skill_script"])
async def test_a_skill_that_the_agent_may_not_use_is_missing(desk: Desk, tool: str) -> None:
    await desk.begin()
    more: dict[str, JsonValue] = {"path": "SKILL.md"} if tool == "read_skill_file" else {}
    result = await desk.call(tool, skill="closed", **more)
    assert isinstance(result.error, SkillNotFound)
    assert "closed" not in (await desk.call("list_skills")).text


async def test_skills_are_listed_in_a_line_each(desk: Desk) -> None:
    await desk.begin()
    assert (await desk.call("list_skills")).text == (
        "- huge: x\n- odd: x\n- shout: Does shout.\n- two: Does two."
    )
    desk.agent = Agent.model_validate({"skills": ["gone"]})
    assert (await desk.call("list_skills")).text == "There are no skills."


async def test_skills_are_found_by_what_they_do(desk: Desk) -> None:
    await desk.begin()
    assert (await desk.call("list_skills", query="shouting")).text == "- shout: Does shout."
    assert (await desk.call("list_skills", query="closed")).text == (
        "No skill fits this. Try other words."
    )


async def test_a_list_of_many_skills_ends_where_a_query_serves_better(
    desk: Desk, skills: Path
) -> None:
    many = skills.parent / "many"
    for number in range(MAX_LISTED + 3):
        folder = many / f"s-{number:02}"
        folder.mkdir(parents=True)
        words = "word " * 150
        folder.joinpath("SKILL.md").write_text(
            f"---\nname: s-{number:02}\ndescription: {words}\n---\n"
        )
    desk.agent = Agent()
    desk.equipment = replace(desk.equipment, catalogue=Catalogue([many]))
    await desk.begin()
    listed = (await desk.call("list_skills")).text.splitlines()
    assert len(listed) == MAX_LISTED + 1
    assert listed[-1] == "3 more: narrow them down with a query."
    assert all(len(line) < 320 for line in listed)
    assert (await desk.call("list_skills", query="s-42")).text.startswith("- s-42: word")


async def test_mistakes_in_a_call_are_told_as_its_result(desk: Desk) -> None:
    await desk.begin()
    wrong = await desk.call("run_code", language="cobol", source="x", speed=3)
    assert isinstance(wrong.error, ToolArgumentsInvalid)
    assert "/language" in str(wrong.error)
    assert "/speed" in str(wrong.error)
    unnamed = await desk.call("run_skill_script", skill="two")
    assert isinstance(unnamed.error, ScriptNotNamed)
    unknown = await desk.call("fly")
    assert isinstance(unknown.error, ToolNotFound)
    asked = await desk.call("ask_human", question="Which?")
    assert isinstance(asked.error, ToolNotRun)


async def test_half_of_a_surrogate_pair_is_a_mistake_in_a_call(desk: Desk) -> None:
    await desk.begin()
    for result in (
        await desk.call("write_file", name="a.txt", text="\ud800"),
        await desk.call("run_code", language="python", source="'\ud800'"),
        await desk.call("run_skill_script", skill="shout", args=["\ud800"]),
        await desk.call("read_file", file="\ud800"),
    ):
        assert isinstance(result.error, ToolArgumentsInvalid)


async def test_a_pipeline_reads_references_and_the_whole_text(desk: Desk) -> None:
    await desk.begin()
    text = b"x" * 50_000
    ref = await desk.upload(text)
    read = Registry().find("read_file")
    result = await read.call(desk.pipeline_context(), {"file": ref})
    assert result.text == text.decode()


async def test_a_tool_for_agents_is_none_for_pipelines(desk: Desk) -> None:
    with pytest.raises(ToolNotFound):
        await Registry().find("list_skills").call(desk.pipeline_context(), {})
