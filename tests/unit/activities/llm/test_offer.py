"""What a model is sent beside the conversation fits it, and says what it leaves out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from activities.llm.base import ToolSpec
from activities.llm.offer import (
    MAX_OFFER_TOKENS,
    MAX_TOOLS,
    MIN_ROOM_TOKENS,
    Offer,
    Offers,
)
from activities.llm.tool_forms import TOOL_TOKENS, ToolForms
from activities.skills.metadata import Skill
from activities.skills.section import SkillSection, split
from activities.tokens import Tokens
from tests.growth import is_about_linear

COUNT = Tokens().count
OFFERS = Offers(COUNT, ToolForms(COUNT))
SEARCH = ToolSpec("find_tools", "Finds more tools.", {"type": "object"}, finds_others=True)
NATIVE = [
    *(ToolSpec(f"native_{n}", "Does a thing.", {"type": "object"}) for n in range(9)),
    ToolSpec("native_9", "Does a thing.", {"type": "object"}, finds_skills=True),
    SEARCH,
]
FINISH = ToolSpec("finish", "Ends the task.", {"type": "object"})
WORDS = "Lists, filters and sorts the records of a repository by the state that they are in. "


def schema(arguments: int = 4, words: str = WORDS) -> dict[str, Any]:
    named = {f"argument_{n}": {"type": "string", "description": words} for n in range(arguments)}
    return {"type": "object", "properties": named, "required": list(named)[:1]}


def server_tools(number: int, source: str = "hub", *, words: str = WORDS * 4) -> list[ToolSpec]:
    names = (f"mcp.{source}.tool_{n:03}" for n in range(number))
    return [ToolSpec(name, words, schema(), source=source) for name in names]


def huge_tool(kibibytes: int = 60) -> ToolSpec:
    """One whose schema alone has more tokens than a small model reads."""
    nested = {"type": "object", "properties": {"deep": {"enum": ["value " * 10] * 10}}}
    named = {f"argument_{n}": nested for n in range(1 + kibibytes * 1_024 // 700)}
    tool = ToolSpec(
        "mcp.huge.tool", "Does all.", {"type": "object", "properties": named}, source="huge"
    )
    assert len(json.dumps(tool.parameters)) > kibibytes * 1_000
    return tool


def skills_of(number: int, words: str) -> dict[str, Skill]:
    return {
        f"skill-{n:03}": Skill(
            name=f"skill-{n:03}",
            description=f"{words} <{n}>",
            folder=Path("/nowhere"),
            digest="",
            scripts=(),
            files=("SKILL.md",),
            warnings=(),
            license=None,
            compatibility=None,
            metadata={},
            allowed_tools=(),
        )
        for n in range(number)
    }


def prompt(skills: int, words: str = WORDS * 6) -> str:
    made = skills_of(skills, words)
    return f"You are an agent.\n\n{SkillSection.of(made)}\n\nEnd well."


def offer(
    others: Sequence[ToolSpec], budget: int, *, skills: int = 0, found: Sequence[str] = ()
) -> Offer:
    return OFFERS.make(prompt(skills), [*NATIVE, *others, FINISH], found, budget)


def tokens(made: Offer) -> int:
    """Counted anew, from what is sent."""
    tools = (COUNT(t.name + t.description + json.dumps(t.parameters)) for t in made.tools)
    return COUNT(made.prompt) + sum(tools) + TOOL_TOKENS * len(made.tools)


def names(made: Offer) -> list[str]:
    return [tool.name for tool in made.tools]


def of_servers(made: Offer) -> list[str]:
    return [tool.name for tool in made.tools if tool.source is not None]


def told(made: Offer) -> str:
    [search] = (tool for tool in made.tools if tool.finds_others)
    return search.description


def unsearched(others: Sequence[ToolSpec], budget: int, *, skills: int = 0) -> Offer:
    """An offer to a model whose team has switched off what finds tools and skills."""
    return OFFERS.make(prompt(skills), [*NATIVE[:9], *others, FINISH], (), budget)


def test_tools_are_not_left_to_a_search_that_is_switched_off() -> None:
    others = server_tools(60)
    made = unsearched(others, 3_000)
    assert of_servers(made) == [tool.name for tool in others]
    assert made.hidden_tools == 0
    assert offer(others, 3_000).hidden_tools > 0


def test_no_shortened_tool_points_to_a_search_that_is_switched_off() -> None:
    sent = json.dumps([tool.description for tool in unsearched([huge_tool()], 3_000).tools])
    assert "find_tools" not in sent
    assert "shortened: not all is told of its arguments" in sent


def test_tools_for_which_a_request_has_no_place_are_said_to_be_out_of_reach() -> None:
    made = unsearched([*server_tools(140), *server_tools(2, "small")], 20_000)
    assert len(made.tools) == MAX_TOOLS
    assert "mcp.small.tool_001" in names(made)
    assert made.hidden_tools == 142 - (MAX_TOOLS - 10)
    assert (
        f"{made.hidden_tools} more tools have no room here, and nothing finds them" in made.prompt
    )


def test_skills_are_not_left_to_a_search_that_is_switched_off() -> None:
    made = unsearched([], 3_000, skills=150)
    assert "list_skills" not in made.prompt
    assert "<skill><name>skill-099</name>" in made.prompt
    assert "50 more: they can be loaded by name." in made.prompt  # As recorded: not all are.
    fewer = unsearched([], 800, skills=80)
    assert "<description></description>" in fewer.prompt


def test_a_list_of_skills_without_a_search_has_all_of_them_and_is_read_again() -> None:
    section = SkillSection.of(skills_of(150, WORDS * 6), is_searched=False)
    assert len(section.entries) == 150
    assert split(f"a{section}b") == ("a", replace(section, is_searched=True), "b")


def test_what_has_room_is_sent_as_it_is_and_without_a_search() -> None:
    others = server_tools(5)
    made = offer(others, MAX_OFFER_TOKENS, skills=5)
    assert made.tools == [*NATIVE[:-1], *others, FINISH]
    assert made.prompt == prompt(5)
    assert (made.hidden_tools, made.hidden_skills) == (0, 0)


def test_descriptions_are_shortened_before_a_tool_is_left_to_a_search() -> None:
    others = server_tools(40)
    made = offer(others, 9_500)
    assert names(made) == [*names(offer([], 9_500)), *(tool.name for tool in others)]
    assert made.hidden_tools == 0
    shortened = made.tools[11:]
    assert any(tool.description.endswith("...") for tool in shortened)
    assert all(tool.description.startswith(WORDS[:100]) for tool in shortened)
    assert all(
        tool.parameters["properties"].keys() == whole.parameters["properties"].keys()
        for tool, whole in zip(shortened, others, strict=True)
    )


def test_skills_are_listed_with_shorter_descriptions_before_some_are_left_to_a_search() -> None:
    made = offer([], 6_000, skills=80)
    assert (made.skills, made.hidden_skills) == (80, 0)
    assert "<skill><name>skill-079</name><description>Lists, filters" in made.prompt
    assert made.prompt.endswith("</available_skills>\n\nEnd well.")
    fewer = offer([], 1_500, skills=80)
    assert fewer.skills + fewer.hidden_skills == 80
    assert fewer.skills > 5
    assert f"{fewer.hidden_skills} more: list_skills finds them." in fewer.prompt


def test_a_small_model_is_sent_what_it_can_read_of_100_skills_and_140_tools() -> None:
    others = server_tools(140)
    whole = len(prompt(100)) + sum(len(json.dumps(tool.parameters)) for tool in others)
    assert whole > 100_000
    made = offer(others, 2_700, skills=100)
    assert tokens(made) <= 2_700
    assert set(names(made)) >= {tool.name for tool in (*NATIVE, FINISH)}
    assert of_servers(made)
    assert made.hidden_tools == 140 - len(of_servers(made))
    assert f"{made.hidden_tools} tools are not listed here, of: hub ({made.hidden_tools})." in (
        told(made)
    )


def test_tools_that_stay_are_sent_whole_even_beyond_the_budget() -> None:
    made = offer(server_tools(140), 0, skills=100)
    assert [*NATIVE[:-1], FINISH] == [tool for tool in made.tools if tool in (*NATIVE, FINISH)]
    assert tokens(made) <= tokens(offer([], 0)) + MIN_ROOM_TOKENS


def test_no_request_has_more_than_128_tools_however_small_they_are() -> None:
    tiny = [ToolSpec(f"mcp.a.{n}", "", {"type": "object"}, source="a") for n in range(140)]
    made = offer(tiny, 100_000, found=[tool.name for tool in tiny[-30:]])
    assert len(made.tools) <= MAX_TOOLS
    assert made.tools[11].finds_others
    assert len(of_servers(made)) + made.hidden_tools == 140
    most = offer(tiny[: MAX_TOOLS - 11], 100_000)
    assert len(most.tools) == MAX_TOOLS
    assert not any(tool.finds_others for tool in most.tools)


def test_a_small_server_has_its_tools_shown_beside_a_large_one() -> None:
    made = offer([*server_tools(200, "large"), *server_tools(2, "small")], 4_000)
    assert {"mcp.small.tool_000", "mcp.small.tool_001"} <= set(names(made))


def test_one_huge_schema_is_shortened_and_the_others_are_left_as_they_are() -> None:
    others = server_tools(3)
    made = offer([*others, huge_tool()], 4_000)
    assert [tool for tool in made.tools if tool.source == "hub"] == others
    [huge] = (tool for tool in made.tools if tool.source == "huge")
    assert "find_tools with this name tells its arguments" in huge.description
    assert huge.parameters["properties"]["argument_0"] == {"type": "object"}
    assert "find_tools" in names(made)


def test_a_tool_that_was_found_is_shown_from_then_on() -> None:
    others = server_tools(140)
    before = offer(others, 3_000)
    assert "mcp.hub.tool_139" not in names(before)
    after = offer(others, 3_000, found=["mcp.hub.tool_139"])
    assert "mcp.hub.tool_139" in names(after)
    assert names(after)[: len(before.tools)] == names(before)


def test_tools_that_are_found_change_nothing_of_what_comes_before_them() -> None:
    """A provider's cache of the prompt holds as far as it begins alike."""
    others = server_tools(140)
    before = offer(others, 4_000, skills=50)
    found = [f"mcp.hub.tool_{n:03}" for n in range(100, 140)]
    for number in range(1, len(found)):
        after = offer(others, 4_000, skills=50, found=found[:number])
        assert after.prompt == before.prompt
        assert list(after.tools[: len(before.tools)]) == list(before.tools)
        assert found[number - 1] in names(after)


def test_of_tools_that_were_found_the_latest_ones_are_shown() -> None:
    found = [f"mcp.hub.tool_{n:03}" for n in range(60, 140)]
    shown = of_servers(offer(server_tools(140), 2_500, found=found))
    late = [name for name in found if name in shown]
    assert late == found[-len(late) :]


def test_a_shortened_tool_is_shown_in_more_words_once_it_was_found() -> None:
    others = [*server_tools(30), huge_tool(4)]
    short = next(tool for tool in offer(others, 7_000).tools if tool.source == "huge")
    made = offer(others, 7_000, found=["mcp.huge.tool"])
    [longer] = (tool for tool in made.tools if tool.source == "huge")
    assert len(json.dumps(longer.parameters)) > len(json.dumps(short.parameters))
    assert tokens(made) <= 7_000


def test_the_same_tools_make_the_same_offer() -> None:
    others = server_tools(140)
    found = ["mcp.hub.tool_100", "gone", "native_1", "finish"]
    first = offer(others, 3_000, skills=100, found=found)
    forms = ToolForms(COUNT)
    again = Offers(COUNT, forms).make(prompt(100), [*NATIVE, *others, FINISH], list(found), 3_000)
    assert again == first


def test_a_shortened_prompt_can_be_shortened_again() -> None:
    """One that was recorded by an earlier version, or for a larger model."""
    once = offer([], 6_000, skills=100).prompt
    twice = OFFERS.make(once, NATIVE, (), 1_000)
    assert twice.skills + twice.hidden_skills == 100
    older = once.replace(
        "</available_skills>", "7 more: list_skills shows them.\n</available_skills>"
    )
    assert OFFERS.make(older, NATIVE, (), 1_000).hidden_skills == twice.hidden_skills + 7


def test_what_a_person_wrote_of_the_agent_is_not_taken_for_a_list_of_skills() -> None:
    mine = f"Your goal: <available_skills>\n{'be brief ' * 5_000}</available_skills>"
    assert OFFERS.make(mine, NATIVE, (), 1_000).prompt == mine
    both = f"{mine}\n\n{prompt(100)}"
    made = OFFERS.make(both, NATIVE, (), 1_000).prompt
    assert made.startswith(mine)
    assert len(made) < len(both)


def test_shortened_schemas_are_such_as_openai_takes() -> None:
    """An array must say what is in it, and an object must have properties."""
    odd = {
        "type": "object",
        "properties": {
            "ids": {"type": "array", "items": {"$ref": "#/$defs/Id"}, "description": WORDS * 20},
            "either": {"anyOf": [{"type": "array"}, {"type": "null"}]},
            "title": {"type": "string", "title": "Title", "description": "The title."},
            "name" * 40: {"type": "string"},
            "any": True,
        },
        "required": ["ids", "name" * 40, "gone"],
        "$defs": {"Id": {"type": "integer", "description": WORDS * 50}},
    }
    tool = ToolSpec("mcp.a.b", WORDS, odd, source="a")
    whole, *shorter = ToolForms(COUNT).of(tool)
    assert [form.tokens for form in shorter] == sorted({f.tokens for f in shorter}, reverse=True)
    brief, outline, bare = (form.tool.parameters for form in shorter)
    assert brief["properties"]["title"] == {"type": "string", "description": "The title."}
    assert outline == {
        "type": "object",
        "properties": {
            "ids": {
                "type": "array",
                "items": {},
                "description": "Lists, filters and sorts the records...",
            },
            "either": {"type": ["array", "null"], "items": {}},
            "title": {"type": "string", "description": "The title."},
            "any": {},
        },
        "required": ["ids"],
    }
    assert bare == {"type": "object", "properties": {}, "additionalProperties": True}
    assert whole.tool == tool


tools_of_any_kind = st.lists(
    st.builds(
        lambda n, source, words, arguments: ToolSpec(
            f"mcp.{source}.t{n}", "word " * words, schema(arguments, "w " * words), source=source
        ),
        st.integers(0, 400),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([0, 3, 40, 1_500]),
        st.sampled_from([0, 1, 5, 200]),
    ),
    max_size=160,
    unique_by=lambda tool: tool.name,
)


@given(
    others=tools_of_any_kind,
    budget=st.integers(0, 14_000),
    skills=st.sampled_from([0, 1, 20, 100, 130]),
    found=st.lists(st.integers(0, 159), max_size=40),
)
@settings(max_examples=60)
def test_what_is_sent_never_exceeds_the_budget(
    others: list[ToolSpec], budget: int, skills: int, found: list[int]
) -> None:
    asked = [others[n].name for n in found if n < len(others)]
    made = offer(others, budget, skills=skills, found=asked)
    stays = tokens(offer([], 0))
    assert tokens(made) <= max(budget, stays + MIN_ROOM_TOKENS)
    assert made.tokens <= max(budget, stays + MIN_ROOM_TOKENS) + 1
    assert len(made.tools) <= MAX_TOOLS
    assert len(set(names(made))) == len(made.tools)
    assert len(of_servers(made)) + made.hidden_tools == len(others)
    assert made.skills + made.hidden_skills == skills
    assert made.hidden_tools == 0 or "find_tools" in names(made)
    if asked and not any(ord(c) > 127 for c in asked[-1]):
        assert asked[-1] in names(made)


def test_the_time_that_an_offer_takes_grows_with_the_tools() -> None:
    def make(number: int) -> None:
        others = server_tools(number)
        Offers(COUNT, ToolForms(COUNT)).make("", [*NATIVE, *others, FINISH], (), 3_000)

    assert is_about_linear(make, 400)
