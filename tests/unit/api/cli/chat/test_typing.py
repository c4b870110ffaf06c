"""What is typed becomes keys, and keys a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from api.cli.chat.editor import Editor
from api.cli.chat.keys import Key, Keyboard, Typed


def keys_of(*pieces: bytes) -> list[Key | Typed]:
    keyboard = Keyboard()
    return [key for piece in pieces for key in keyboard.feed(piece)]


def typed(text: str) -> Editor:
    editor = Editor()
    for key in keys_of(text.encode()):
        editor.take(key)
    return editor


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"\r", Key.ENTER),
        (b"\x03", Key.INTERRUPT),
        (b"\x04", Key.END_OF_INPUT),
        (b"\x1b[A", Key.UP),
        (b"\x1bOD", Key.LEFT),
        (b"\x1b[3~", Key.DELETE),
        (b"\x1b[1;5C", Key.WORD_RIGHT),
        (b"\x1bb", Key.WORD_LEFT),
        (b"\x17", Key.KILL_WORD),
    ],
)
def test_a_key_is_known_by_its_bytes_however_they_arrive(content: bytes, key: Key) -> None:
    assert keys_of(content) == [key]
    assert keys_of(*(bytes([byte]) for byte in content)) == [key]


def test_what_no_key_sends_is_left_out() -> None:
    assert keys_of(b"\x1b[99;99~a\x1b[?25hb\x00\x07c") == [Typed("a"), Typed("b"), Typed("c")]


def test_half_a_character_waits_for_the_other_half() -> None:
    whole = "日".encode()
    assert keys_of(whole[:1], whole[1:]) == [Typed("日")]


def test_a_paste_is_text_with_its_lines_and_presses_no_key() -> None:
    pasted = b"\x1b[200~rm -rf\r\nls\x03\x1b[A\tend\x1b[201~\r"
    wanted = [Typed("rm -rf\nls[A end"), Key.ENTER]
    assert keys_of(pasted) == wanted
    pieces = keys_of(*(bytes([byte]) for byte in pasted))
    assert "".join(k.text for k in pieces if isinstance(k, Typed)) == "rm -rf\nls[A end"
    assert pieces[-1] is Key.ENTER


@given(st.binary(max_size=60), st.integers(1, 5))
def test_no_bytes_break_the_keyboard_and_no_control_character_passes(
    content: bytes, size: int
) -> None:
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    for key in keys_of(*pieces):
        if isinstance(key, Typed):
            assert all(c == "\n" or (c >= " " and not "\x7f" <= c <= "\x9f") for c in key.text)


def test_a_line_is_edited_where_the_cursor_is() -> None:
    assert typed("helo\x1b[Dl").text == "hello"
    assert typed("one two three\x17\x17").text == "one "
    assert typed("abc\x01X\x05Y").text == "XabcY"
    assert typed("abc\x02\x02\x0b").text == "a"
    assert typed("abc\x02\x15").text == "c"
    assert typed("ab\x7f\x7f\x7f").text == ""


def test_lines_that_were_sent_come_back_and_the_draft_too() -> None:
    editor = Editor(["first"])
    for key in (Typed("second"),):
        editor.take(key)
    assert editor.submit() == "second"
    editor.take(Typed("draft"))
    editor.take(Key.UP)
    assert editor.text == "second"
    editor.take(Key.UP)
    editor.take(Key.UP)
    assert editor.text == "first"
    editor.take(Key.DOWN)
    editor.take(Key.DOWN)
    assert editor.text == "draft"


@given(st.lists(st.sampled_from([*Key, Typed("a b"), Typed("日本\n")]), max_size=40))
def test_the_cursor_is_always_within_the_line_and_in_sight(keys: list[Key | Typed]) -> None:
    editor = Editor(["before"])
    for key in keys:
        editor.take(key)
        assert 0 <= editor.at <= len(editor.text)
        shown, column = editor.seen(20)
        assert 0 <= column < 20
        assert cell_len(shown) <= 20
