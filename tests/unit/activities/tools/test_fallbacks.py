"""Which tool may answer in place of another, and what it is given."""

from dataclasses import replace

import pytest
from pydantic import JsonValue, ValidationError

from activities.tools.fallbacks import problems_of
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from workflows.definitions.fallback import Fallback


def offered(name: str, *arguments: str, **more: object) -> OfferedTool:
    schema = {
        "type": "object",
        "properties": {each: {"type": "string"} for each in arguments},
        "required": list(arguments[:1]),
        "additionalProperties": False,
    }
    return replace(OfferedTool(name, "A tool.", schema), **more)


TOOLS = {
    tool.name: tool
    for tool in (
        offered("mcp.a.find", "query", "limit"),
        offered("mcp.b.find", "query"),
        offered("mcp.c.look", "q", "count"),
        offered("mcp.a.safe", "query", is_retry_safe=True),
        offered("mcp.back", "query", "limit", fallback=Fallback(tool="mcp.a.find")),
        offered("mcp.none"),
        OfferedTool("mcp.any", "Takes anything.", {"type": "object"}),
        OfferedTool("ask", "Asks.", {}, native=Registry().tools["ask_human"]),
    )
}


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (None, {"query": "x", "limit": 5}),
        ({}, {}),
        ({"q": "${query}"}, {"q": "x"}),
        ({"q": "${query}", "count": "${limit}"}, {"q": "x", "count": 5}),
        ({"q": "${nothing}", "kind": "web"}, {"kind": "web"}),
        ({"q": "about ${query}"}, {"q": "about ${query}"}),
        ({"q": "$${query}", "n": 1, "deep": {"a": ["${query}"]}}, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_fallback_is_given_the_same_arguments_or_what_it_names(
    arguments: dict[str, JsonValue] | None, made: dict[str, JsonValue] | None
) -> None:
    fallback = Fallback(tool="other", arguments=arguments)
    wanted = made if made is not None else {"q": "${query}", "n": 1, "deep": {"a": ["${query}"]}}
    assert fallback.arguments_for({"query": "x", "limit": 5}) == wanted


@pytest.mark.parametrize(
    ("name", "fallback", "reason"),
    [
        ("mcp.a.find", {"tool": "mcp.nowhere"}, "there is no active tool 'mcp.nowhere'"),
        ("mcp.a.find", {"tool": "mcp.a.find"}, "leads back to mcp.a.find"),
        ("mcp.a.find", {"tool": "mcp.back"}, "leads back to mcp.a.find"),
        ("mcp.a.find", {"tool": "ask"}, "asks a person"),
        ("mcp.a.safe", {"tool": "mcp.b.find"}, "may be called again"),
        ("mcp.a.find", {"tool": "mcp.b.find"}, "has no argument 'limit'"),
        ("mcp.a.find", {"tool": "mcp.c.look"}, "needs the argument 'q'"),
        (
            "mcp.a.find",
            {"tool": "mcp.c.look", "arguments": {"q": "${query}", "cuont": 1}},
            "did you mean 'count'?",
        ),
        (
            "mcp.a.find",
            {"tool": "mcp.c.look", "arguments": {"q": "${qeury}"}},
            "mcp.a.find has no argument 'qeury'",
        ),
    ],
)
def test_a_fallback_that_cannot_answer_is_refused(
    name: str, fallback: dict[str, JsonValue], reason: str
) -> None:
    found = problems_of(name, Fallback.model_validate(fallback), TOOLS)
    assert any(reason in problem.message for problem in found)


@pytest.mark.parametrize(
    ("name", "fallback", "pointer", "reason"),
    [
        ("mcp.b.find", {"x": "${query}"}, "/fallback/arguments/x", "mcp.none has no argument 'x'"),
        ("mcp.b.find", {"a/b": 1}, "/fallback/arguments/a~1b", "mcp.none has no argument 'a/b'"),
        ("mcp.b.find", None, "/fallback", "mcp.none has no argument 'query'"),
    ],
    ids=["named", "escaped", "passed on"],
)
def test_a_tool_without_arguments_is_given_none(
    name: str, fallback: dict[str, JsonValue] | None, pointer: str, reason: str
) -> None:
    found = problems_of(name, Fallback(tool="mcp.none", arguments=fallback), TOOLS)
    assert [(problem.pointer, problem.message) for problem in found] == [(pointer, reason)]


def test_a_fallback_names_no_argument_of_a_tool_that_has_none() -> None:
    fallback = Fallback(tool="mcp.b.find", arguments={"query": "${query}"})
    [problem] = problems_of("mcp.none", fallback, TOOLS)
    assert problem.pointer == "/fallback/arguments/query"
    assert problem.message == "mcp.none has no argument 'query'"


def test_what_the_other_tool_needs_cannot_come_from_one_without_arguments() -> None:
    [problem] = problems_of("mcp.none", Fallback(tool="mcp.b.find"), TOOLS)
    assert problem.pointer == "/fallback"
    assert problem.message == "mcp.b.find needs the argument 'query'"


@pytest.mark.parametrize(
    "fallback",
    [
        {"tool": "mcp.any"},
        {"tool": "mcp.none", "arguments": {}},
        {"tool": "mcp.b.find", "arguments": {"query": "${query}"}},
        {"tool": "mcp.c.look", "arguments": {"q": "${query}", "count": 10}},
    ],
    ids=lambda value: str(value["tool"]),
)
def test_a_fallback_that_fits_is_taken(fallback: dict[str, JsonValue]) -> None:
    assert list(problems_of("mcp.a.find", Fallback.model_validate(fallback), TOOLS)) == []


@pytest.mark.parametrize(
    "fallback",
    [
        {},
        {"tool": ""},
        {"tool": "a\x00"},
        {"tool": "x" * 201},
        {"tool": "x", "arguments": {"": 1}},
        {"tool": "x", "arguments": {str(n): 1 for n in range(101)}},
        {"tool": "x", "more": 1},
    ],
    ids=range(7),
)
def test_a_fallback_that_makes_no_sense_is_refused(fallback: dict[str, JsonValue]) -> None:
    with pytest.raises(ValidationError):
        Fallback.model_validate(fallback)


def test_fallbacks_of_fallbacks_have_an_end() -> None:
    tools = {
        f"t{n}": replace(TOOLS["mcp.any"], name=f"t{n}", fallback=Fallback(tool=f"t{n + 1}"))
        for n in range(10)
    }
    [problem] = problems_of("mcp.a.find", Fallback(tool="t0"), tools)
    assert "over more than 5" in problem.message
