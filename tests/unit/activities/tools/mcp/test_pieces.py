"""How messages are found in what a program prints."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.tools.mcp import pieces as module
from activities.tools.mcp.pieces import Pieces

ANSWER = {"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": "a {b\\"}]}}
LINE = json.dumps(ANSWER)
PRETTY = json.dumps(ANSWER, indent=2)


def found_in(*printed: str) -> Sequence[str]:
    """The pieces, with what waits at the end."""
    pieces = Pieces()
    found = [piece for part in printed for piece in pieces.feed(part.encode())]
    return [piece.decode().strip() for piece in (*found, *pieces.rest()) if piece.strip()]


@pytest.mark.parametrize("printed", [LINE, PRETTY, json.dumps(ANSWER, indent="\t")])
def test_a_message_may_take_one_line_or_several(printed: str) -> None:
    assert found_in(f"{printed}\n{LINE}\n{printed}\n") == [printed, LINE, printed]


@given(st.lists(st.sampled_from([LINE, PRETTY, "hello", "", "[1/2] done"]), max_size=5), st.data())
def test_it_does_not_matter_in_which_parts_it_is_read(
    lines: list[str], data: st.DataObject
) -> None:
    printed = "".join(f"{line}\n" for line in lines)
    place = data.draw(st.integers(0, len(printed)))
    assert found_in(printed[:place], printed[place:]) == [line for line in lines if line]


def test_a_text_may_have_a_line_break_in_it() -> None:
    broken = LINE.replace("a {b", "a {\nb")
    assert found_in(f"{broken}\n{LINE}\n") == [broken, LINE]


@pytest.mark.parametrize("babble", ["{", "[INFO] {", '{"a": [', "[1, 2,", '{ "text'])
def test_what_only_looks_like_a_beginning_hides_no_message(babble: str) -> None:
    assert found_in(f"{babble}\n{LINE}\n") == [babble, LINE]


def test_messages_in_a_list_over_several_lines_stay_together() -> None:
    batch = f"[\n{LINE},\n{LINE}\n]"
    assert found_in(f"{batch}\n{LINE}\n") == [batch, LINE]


@pytest.mark.parametrize("count", range(1, 5))
def test_a_message_whose_end_is_missing_is_not_waited_for_in_vain(count: int) -> None:
    cut = f"{LINE[:-count]}\n".encode()
    assert list(Pieces().feed(cut)) == [cut]


def test_a_message_without_an_end_of_line_is_one_as_soon_as_nothing_follows() -> None:
    pieces = Pieces()
    assert list(pieces.feed(LINE.encode())) == []
    assert pieces.patience_seconds == module._LINE_END_SECONDS
    assert list(pieces.wait_no_more()) == [LINE.encode()]
    assert pieces.patience_seconds is None
    half = LINE[:40].encode() + b"}"
    assert list(pieces.feed(half)) == []
    assert list(pieces.wait_no_more()) == []
    assert pieces.patience_seconds is None  # Whether it is whole is not asked again and again.


def test_what_never_ends_is_let_go_of() -> None:
    found = found_in("{\n" + "a,\n" * (module.MAX_LINES + 10))
    assert len(found) > 1
    pieces = Pieces()
    list(pieces.feed(b"{\n" + b"a,\n" * 1_000))
    assert pieces.counted_lines() == 10
    assert list(pieces.wait_no_more())
