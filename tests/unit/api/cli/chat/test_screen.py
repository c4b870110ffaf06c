"""What a conversation draws on a terminal, and how it is taken away again."""

import io
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.text import Text

from api.cli.chat.editor import Editor
from api.cli.chat.screen import Screen
from tests.terminal_picture import TerminalPicture

PROMPT = Text("> ")


class Terminal:
    def __init__(self, columns: int) -> None:
        self._sent = io.StringIO()
        console = Console(file=self._sent, width=columns, height=24, force_terminal=True)
        self.screen = Screen(console)

    def draw(self, *live: Text) -> None:
        self.screen.draw(live, PROMPT, Editor())

    def resize(self, columns: int) -> None:
        self.screen.console.width = columns

    def picture(self, columns: int) -> Sequence[str]:
        """As a terminal shows it that has so many columns, or that has become as narrow."""
        picture = TerminalPicture(columns)
        picture.feed(self._sent.getvalue().replace("\n", "\r\n"))  # As ttys do.
        return picture.lines


def test_a_long_line_that_moves_takes_one_row_however_often_it_is_drawn() -> None:
    terminal = Terminal(40)
    for _ in range(3):
        terminal.draw(Text("a call with " + "long arguments " * 20, no_wrap=True))
    assert terminal.picture(40) == ["a call with long arguments long argume…", ">"]


def test_wide_letters_are_cut_by_the_columns_they_take() -> None:
    terminal = Terminal(40)
    for _ in range(3):
        terminal.draw(Text("日本語" * 20))
    assert len(terminal.picture(40)) == 2


def test_a_printed_line_is_cut_unless_it_must_be_whole() -> None:
    terminal = Terminal(40)
    terminal.screen.print([Text("word " * 20), Text("x" * 60, overflow="ignore")])
    assert terminal.picture(40) == ["word " * 7 + "wor…", "x" * 40, "x" * 20, ""]


@pytest.mark.parametrize("narrow", [20, 30, 79])
def test_nothing_is_left_of_lines_that_a_narrower_terminal_has_wrapped(narrow: int) -> None:
    terminal = Terminal(80)
    terminal.draw(Text("word " * 15), Text("next " * 15))
    terminal.resize(narrow)
    terminal.draw(Text("word"), Text("next"))
    assert terminal.picture(narrow) == ["word", "next", ">"]


def test_what_is_printed_stands_above_what_is_drawn_next() -> None:
    terminal = Terminal(40)
    terminal.draw(Text("moving"))
    terminal.screen.print([Text("done")])
    terminal.draw(Text("moving"))
    assert terminal.picture(40) == ["done", "moving", ">"]
