"""Foreign text on the pages of Temporal stays text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflows.markdown import block, code, codes


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("clean.py", "`clean.py`"),
        ("a `b` c", "`a 'b' c`"),
        ("two\nlines\tand  more", "`two lines and more`"),
        ("![](http://x.example/y.png)", "`![](http://x.example/y.png)`"),
        ("x" * 300, f"`{'x' * 200}`"),
    ],
)
def test_a_name_stands_in_code(name: str, shown: str) -> None:
    assert code(name) == shown


def test_of_many_names_some_are_told_and_how_many_more_there_are() -> None:
    assert codes(["a", "b"]) == "`a`, `b`"
    assert codes(["a", "b", "c"], most=1) == "`a` and 2 more"


@given(st.text(alphabet="`~a \n", max_size=60))
@example("```")
@example("````\n```")
def test_no_text_ends_its_own_block(text: str) -> None:
    first, *lines, last = block(text, 300).split("\n")
    assert first == f"{last}text"
    assert set(last) == {"`"}
    assert all(last not in line for line in lines)
    assert "\n".join(lines) == text


def test_a_long_text_is_cut() -> None:
    assert block("abcdef", 3) == "```text\nabc…\n```"
