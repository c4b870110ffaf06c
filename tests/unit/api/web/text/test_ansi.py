import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.text.ansi import ansi, ansi_lines, without_escapes
from api.web.text.colours import nearest, of_table
from api.web.text.visible import visible
from tests.unit.api.web.text.hostile import HOSTILE
from tests.unit.api.web.text.tags import Tags

MEGABYTE = 1024 * 1024
SGR = st.lists(st.sampled_from(["", "0", "1", "4", "31", "38", "5", "2", "200", "999", "4:3", "x"]))
PIECES = st.one_of(
    st.text(alphabet="<&ab\n\r\x00", max_size=6),
    SGR.map(lambda codes: f"\x1b[{';'.join(codes)}m"),
    st.sampled_from(
        ["\x1b", "\x1b[2K", "\x1b]0;title\x07", "\x1b]open", "\x1b(B", "\x1b[1", "[0m"]
    ),
)


@pytest.mark.parametrize(
    ("codes", "classes"),
    [
        ("31", "ansi-1"),
        ("91", "ansi-9"),
        ("42", "ansi-on-2"),
        ("103", "ansi-on-11"),
        ("1;4", "ansi-bold ansi-underline"),
        ("1;22;3", "ansi-italic"),
        ("38;5;9", "ansi-9"),
        ("38;5;196", "ansi-9"),
        ("38:5:196", "ansi-9"),
        ("38;2;250;10;10", "ansi-9"),
        ("38:2:250:10:10", "ansi-9"),
        ("38:2::250:10:10", "ansi-9"),
        ("48;5;16;1", "ansi-bold ansi-on-0"),
        ("4:3", "ansi-underline"),
        ("31;39;1", "ansi-bold"),
    ],
)
def test_colours_and_styles_become_classes(codes: str, classes: str) -> None:
    assert ansi(f"\x1b[{codes}mx\x1b[0my") == f'<span class="{classes}">x</span>y'


@pytest.mark.parametrize("codes", ["", "0", "4:0", "38;5;256", "38;2;1;2", "1234", "8", "5", "?25"])
def test_what_means_nothing_to_a_page_leaves_the_text_plain(codes: str) -> None:
    assert ansi(f"\x1b[{codes}mx") == "x"


def test_a_colour_goes_on_over_the_end_of_a_line_and_each_line_stands_alone() -> None:
    red = '<span class="ansi-1">{}</span>'
    assert ansi_lines("a \x1b[31mb\n\nc\x1b[m d") == [
        "a " + red.format("b"),
        "",
        red.format("c") + " d",
    ]


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x1b(B", "\x1b=", "\x1b[1 q"]
)
def test_other_escapes_go(text: str) -> None:
    assert ansi(f"a{text}b") == "ab"


def test_a_string_that_does_not_end_hides_nothing() -> None:
    assert ansi("\x1b]0;secret words\nmore") == "0;secret words\nmore"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_makes_no_tag_but_ours(text: str) -> None:
    assert Tags(ansi(text)).names <= {"span"}


@given(st.lists(PIECES).map("".join))
def test_the_words_survive_and_tags_are_balanced(text: str) -> None:
    html = ansi(text)
    read = Tags(html)
    assert read.words == visible(without_escapes(text))
    assert {tag: set(attributes) for tag, attributes in read.found} in ({}, {"span": {"class"}})
    for line in ansi_lines(text):
        assert line.count("<span ") == line.count("</span>")
        assert re.fullmatch(r"(?:<span class=\"[a-z0-9 -]+\">[^<]*</span>|[^<])*", line)


@pytest.mark.parametrize(
    "unit",
    [
        "\x1b[",
        "\x1b[1",
        "\x1b]",
        "\x1b]a",
        "\x1b",
        "\x1b[31mx\x1b[32mx",
        "\n",
        "\x00",
        "\x1b[;",
        "a",
    ],
)
def test_a_megabyte_takes_a_time_that_grows_with_its_length_only(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    _seconds(text[: MEGABYTE // 8])  # Whatever is made once.
    part = min(_seconds(text[: MEGABYTE // 8]) for _ in range(3))
    assert _seconds(text) < 40 * part + 0.1


def test_long_runs_of_parameters_are_read_in_linear_time() -> None:
    for text in (
        "\x1b[" + "1" * MEGABYTE,
        "\x1b[" + ";" * MEGABYTE + "m",
        "\x1b]" + "a" * MEGABYTE,
    ):
        assert _seconds(text) < 5


def test_colours_of_the_table_come_near_to_one_of_sixteen() -> None:
    assert [of_table(index) for index in range(16)] == list(range(16))
    assert of_table(16) == 0
    assert of_table(231) == 15
    assert of_table(244) == 8
    assert nearest(0, 0, 230) == 4


def _seconds(text: str) -> float:
    start = time.thread_time()
    ansi(text)
    return time.thread_time() - start
