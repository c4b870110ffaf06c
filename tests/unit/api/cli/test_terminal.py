"""Text from strangers, made safe to show."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.terminal import safe_json, safe_line, safe_text

ANY_TEXT = st.text(st.characters(codec=None, categories=None))


@given(ANY_TEXT)
def test_a_line_has_no_character_that_a_terminal_obeys(text: str) -> None:
    shown = safe_line(text)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in shown}
    assert not {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI", "PDF", "PDI"} & {
        unicodedata.bidirectional(character) for character in shown
    }
    shown.encode()


@given(ANY_TEXT)
def test_text_keeps_its_lines_and_tabs_and_nothing_else(text: str) -> None:
    shown = safe_text(text)
    assert "".join(filter("\n\t".count, shown)) == "".join(filter("\n\t".count, text))
    assert safe_line(shown.replace("\n", "").replace("\t", "")) == shown.replace("\n", "").replace(
        "\t", ""
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_stays_the_same_document(text: str) -> None:
    document = json.dumps({"text": text, text: [1]}, ensure_ascii=False, indent=2)
    shown = safe_json(document)
    assert json.loads(shown) == json.loads(document)
    assert safe_text(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Ünïcode 表 👩‍👧 [bold]", "plain, Ünïcode 表 👩‍👧 [bold]"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b", "\\x9b"),
        ("a\nb\t", "a\\x0ab\\x09"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc80", "\\udc80"),
    ],
)
def test_unprintable_characters_are_shown_as_their_codes(text: str, shown: str) -> None:
    assert safe_line(text) == shown


def test_a_long_line_is_cut_before_it_is_worked_on() -> None:
    assert safe_line("\x1b" * 1_000_000, 3) == "\\x1b\\x1b…"


def test_line_ends_of_windows_are_line_ends() -> None:
    assert safe_text("a\r\nb\r") == "a\nb\\x0d"
