import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.names import Decoder, encode

ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}")
names = st.text(max_size=80) | st.text(alphabet="ab._", max_size=70)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("run_code", "run_code"),
        ("mcp.time.get_current_time", "mcp__time__get_current_time"),
        ("mcp.brave-search.web", "mcp__brave-search__web"),
    ],
)
def test_usual_names_stay_readable(name: str, wire: str) -> None:
    assert encode(name) == wire


@pytest.mark.parametrize("name", ["mcp." + "x" * 80, "mcp.a__b", "a_.b", "über", "a b", "", ".a"])
def test_tool_names_not_allowed_on_the_wire_end_in_a_digest(name: str) -> None:
    assert ALLOWED.fullmatch(encode(name))
    assert re.search(r"_[0-9a-f]{10}$", encode(name))


@given(name=names)
def test_every_name_is_allowed_on_the_wire_and_comes_back(name: str) -> None:
    assert ALLOWED.fullmatch(encode(name))
    assert Decoder([name])(encode(name)) == name


@given(offered=st.sets(names, max_size=20))
def test_no_two_names_are_the_same_on_the_wire(offered: set[str]) -> None:
    assert len({encode(name) for name in offered}) == len(offered)


def test_a_name_that_was_not_offered_is_given_back_as_it_is() -> None:
    decode = Decoder(["mcp.time.now"])
    assert decode("mcp__time__later") == "mcp__time__later"
    assert decode("mcp.time.now") == "mcp.time.now"


OFFERED = ["write_file", "read_file", "mcp.time.now", "mcp.a-b.now"]


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("functions.write_file", "write_file"),
        ("default_api:write_file", "write_file"),
        ("functions.write_file:0", "write_file"),
        ("tools/read_file", "read_file"),
        ("write_file()", "write_file"),
        (" `write_file` ", "write_file"),
        ("write_file<|channel|>commentary", "write_file"),
        ("<|python_tag|>write_file", "write_file"),
        ("[TOOL_CALLS]write_file", "write_file"),
        ("<function=write_file>", "write_file"),
        ("write_file</tool_call>", "write_file"),
        ("functions.mcp__time__now", "mcp.time.now"),
        ("default_api.mcp.time.now", "mcp.time.now"),
        ("mcp.a_b.now", "mcp.a-b.now"),
    ],
)
def test_a_tool_is_recognised_behind_namespaces_and_tokens(wire: str, name: str) -> None:
    assert Decoder(OFFERED)(wire) == name


@pytest.mark.parametrize(
    "wire",
    [
        "now",  # Of two servers.
        "time.now",
        "mcp__other__read_file",  # That server's, and not ours.
        "write_file read_file",
        "functions.write",
        "write_file_2",
        "",
        "<|write_file|>",
        "x." * 500 + "write_file",
    ],
)
def test_a_tool_is_not_guessed(wire: str) -> None:
    assert Decoder(OFFERED)(wire) == wire


def test_of_two_tools_that_fit_none_is_taken() -> None:
    assert Decoder(["a-b", "a_b"])("functions.a_b") == "functions.a_b"
    assert Decoder(["a-b", "a_b"])("a_b") == "a_b"
