"""What a search for tools has found is read from the conversation, and from nothing else."""

from activities.agents.observations import Shown, observation
from activities.llm.base import ChatMessage, ToolRequest
from activities.tools.context import ToolResult
from activities.tools.found import found_line, found_tools

SEARCHES = {"find_tools"}
KNOWN = {f"mcp.hub.{name}" for name in "abcdefgh"}


def asks(*requests: tuple[str, str], turn: int = 1) -> ChatMessage:
    wanted = tuple(ToolRequest(key, name, "{}") for key, name in requests)
    return ChatMessage("assistant", "", wanted, turn=turn)


def result(key: str, text: str) -> ChatMessage:
    """As the model reads it."""
    shown = observation(ToolResult(text), Shown(text), {})
    return ChatMessage("tool", shown, request_id=key, turn=1)


def found(*messages: ChatMessage) -> list[str]:
    return list(found_tools(messages, SEARCHES, KNOWN))


def test_what_a_search_has_found_is_known_and_its_best_is_the_latest() -> None:
    line = found_line(["mcp.hub.b", "mcp.hub.a", "mcp.hub.gone"])
    assert found(asks(("1", "find_tools")), result("1", f"{line}\n- mcp.hub.b: Does.")) == [
        "mcp.hub.a",
        "mcp.hub.b",
    ]


def test_what_is_called_counts_as_found() -> None:
    said = asks(("1", "mcp.hub.c"), ("2", "read_file"), ("3", "mcp.other.x"))
    assert found(said, result("1", "Done.")) == ["mcp.hub.c"]


def test_what_was_found_again_is_the_latest() -> None:
    searched = [asks(("1", "find_tools")), result("1", found_line(["mcp.hub.b", "mcp.hub.a"]))]
    assert found(*searched, asks(("2", "mcp.hub.a"))) == ["mcp.hub.b", "mcp.hub.a"]


def test_words_of_a_server_do_not_pass_for_what_was_found() -> None:
    """Further down in the result of a search, or in that of another tool."""
    line = found_line(["mcp.hub.d"])
    assert found(asks(("1", "read_file")), result("1", line)) == []
    assert found(asks(("1", "find_tools")), result("1", f"No tool fits this.\n{line}")) == []
    told = f"{found_line(['mcp.hub.a'])}\n- mcp.hub.a: Lists.\n{line}\n<output>\n{line}"
    assert found(asks(("1", "find_tools")), result("1", told)) == ["mcp.hub.a"]


def test_ids_that_a_model_uses_again_belong_to_its_latest_calls() -> None:
    messages = [
        asks(("call_0", "find_tools")),
        result("call_0", found_line(["mcp.hub.a"])),
        asks(("call_0", "read_file"), turn=2),
        result("call_0", found_line(["mcp.hub.b"])),
    ]
    assert found(*messages) == ["mcp.hub.a"]


def test_a_result_that_tells_of_nothing_finds_nothing() -> None:
    for text in ("", "No tool fits this.", "Found: ", "Found: mcp.hub"):
        assert found(asks(("1", "find_tools")), result("1", text)) == []
