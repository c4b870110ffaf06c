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
