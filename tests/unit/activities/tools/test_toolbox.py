"""Which tools an agent may use, and what each native tool says of itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from activities.tools.context import ToolContext, ToolResult
from activities.tools.options import Need
from activities.tools.registry import Registry
from activities.tools.selection import is_allowed, unknown_names
from activities.tools.skills import AllowedSkills
from tests.equipment import equipment
from tests.unit.conftest import MakeSkill
from workflows.definitions.agent import Agent
from workflows.errors.skills import SkillNotFound
from workflows.errors.tools import ToolTimedOut
from workflows.states import Permission

# Nothing is ever asked of these: no connection is made before it is needed.
DATABASE = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
KNOWN = ("read_file", "mcp.time", "mcp.time.now", "mcp.timer.set", "mcp.git.log")


@pytest.fixture
def nowhere(tmp_path: Path) -> ToolContext:
    return ToolContext(UUID(int=1), UUID(int=2), tmp_path, equipment(DATABASE, BLOBS, tmp_path))


@pytest.mark.parametrize(
    ("tools", "name", "allowed"),
    [
        (None, "read_file", True),
        ([], "read_file", False),
        (["read_file"], "read_file", True),
        (["read_file"], "write_file", False),
        (["read"], "read_file", False),
        (["mcp.time.*"], "mcp.time.now", True),
        (["mcp.time.*"], "mcp.timer.set", False),
        (["mcp.time.*"], "mcp.time", False),
        (["mcp.*"], "mcp.git.log", True),
        (["mcp.time"], "mcp.time.now", False),
        (["*"], "read_file", False),
    ],
)
def test_tools_are_named_exactly_or_by_what_they_are_below(
    tools: list[str] | None, name: str, allowed: bool
) -> None:
    assert is_allowed(Agent.model_validate({"tools": tools}), name) is allowed


def test_skills_that_are_named_bring_their_tools_along() -> None:
    named = Agent.model_validate({"skills": ["chart"], "tools": ["mcp.time.*"]})
    assert is_allowed(named, "run_skill_script", Need.SKILLS)
    assert not is_allowed(named, "run_code")
    assert not is_allowed(Agent.model_validate({"tools": ["x"]}), "run_skill_script", Need.SKILLS)
    without = Agent.model_validate({"skills": [], "tools": ["x"]})
    assert not is_allowed(without, "load_skill", Need.SKILLS)


def test_tools_of_servers_that_are_named_bring_the_one_along_that_finds_them() -> None:
    for tools in (["mcp.time.*"], ["mcp.time.now"]):
        agent = Agent.model_validate({"tools": tools})
        assert is_allowed(agent, "find_tools", Need.SERVER_TOOLS)
    assert not is_allowed(Agent.model_validate({"tools": ["x"]}), "find_tools", Need.SERVER_TOOLS)


def test_names_that_no_tool_has_are_reported() -> None:
    wanted = ("read_file", "reed_file", "mcp.time.*", "mcp.tim.*", "mcp.git.log", "*")
    assert unknown_names(wanted, KNOWN) == ("reed_file", "mcp.tim.*", "*")


FOR_PIPELINES = {"list_files", "read_file", "write_file"}
FOR_AGENTS = {
    "ask_human",
    "find_tools",
    "list_skills",
    "load_skill",
    "read_skill_file",
    "run_code",
    "run_skill_script",
    "web_search",
}


def test_the_native_tools_that_others_rely_on_are_there() -> None:
    registry = Registry()
    assert set(registry.tools) >= FOR_PIPELINES | FOR_AGENTS
    assert set(registry.for_pipelines) >= FOR_PIPELINES
    assert set(registry.for_pipelines) & FOR_AGENTS == set()


@pytest.mark.parametrize("name", sorted(FOR_PIPELINES | FOR_AGENTS))
def test_a_tool_that_comes_along_is_safe_to_repeat_and_needs_no_approval(name: str) -> None:
    tool = Registry().tools[name]
    assert tool.is_retry_safe
    assert tool.permission is Permission.AUTO


def test_properties_of_a_native_tool_are_flags_of_it() -> None:
    known = FOR_PIPELINES | FOR_AGENTS
    tools = {name: tool for name, tool in Registry().tools.items() if name in known}
    types = {name: tool.call_type for name, tool in tools.items() if tool.call_type != "tool"}
    assert types == {"run_code": "code", "run_skill_script": "skill"}
    questions = {name: tool.question for name, tool in tools.items() if tool.question}
    assert questions == {"ask_human": "question"}
    assert [name for name, tool in tools.items() if tool.shows_skills] == ["load_skill"]
    assert [name for name, tool in tools.items() if tool.finds_tools] == ["find_tools"]
    assert [name for name, tool in tools.items() if tool.unsafe_if] == ["run_skill_script"]


@pytest.mark.parametrize("name", list(Registry().tools))
def test_a_tool_describes_itself_in_a_few_words(name: str) -> None:
    tool = Registry().tools[name]
    Draft202012Validator.check_schema(tool.schema)
    assert "title" not in str(tool.schema)
    assert tool.schema["additionalProperties"] is False
    assert 20 < len(tool.description) < 500


async def test_a_skill_that_is_not_allowed_is_as_good_as_missing(
    make_skill: MakeSkill, tmp_path: Path
) -> None:
    make_skill("open", {"references/a.md": "for all"})
    make_skill("closed", {"references/a.md": "for some"})
    catalogue = Catalogue([tmp_path / "skills"])
    some = AllowedSkills(catalogue, ("open", "gone"))
    assert list(await some.all()) == ["open"]
    assert await some.read("open", "references/a.md") == "for all"
    for name in ("closed", "gone"):
        with pytest.raises(SkillNotFound):
            await some.find(name)
    with pytest.raises(SkillNotFound, match=r"Skills: open\."):
        await some.read("closed", "references/a.md")
    every = AllowedSkills(catalogue, None)
    assert list(await every.all()) == ["closed", "open"]
    assert list(await AllowedSkills(catalogue, ()).all()) == []


async def test_a_tool_that_takes_too_long_is_stopped(nowhere: ToolContext) -> None:
    stopped: list[bool] = []

    async def hang(context: ToolContext, arguments: Mapping[str, object]) -> ToolResult:
        try:
            return ToolResult(str(await asyncio.Event().wait()))
        finally:
            stopped.append(True)

    tool = replace(Registry().find("list_files"), function=hang, timeout_seconds=0.01)
    with pytest.raises(ToolTimedOut, match=r"0\.01 s") as raised:
        await tool.call(nowhere, {})
    assert raised.value.remedy == (
        "give it less to do at once. The `timeout` of a step ends it earlier, never later."
    )
    assert stopped == [True]


async def test_a_time_limit_of_the_tools_own_is_not_taken_for_ours(nowhere: ToolContext) -> None:
    async def give_up(context: ToolContext, arguments: Mapping[str, object]) -> ToolResult:
        raise TimeoutError("another one")

    tool = replace(Registry().find("list_files"), function=give_up)
    with pytest.raises(TimeoutError, match="another one"):
        await tool.call(nowhere, {})
