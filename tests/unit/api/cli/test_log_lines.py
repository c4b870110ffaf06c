"""The end of a log alone, and what comes after it."""

import pytest

from api.cli.commands.log_lines import LogLines, Printed
from workflows.events import StepOutput


def output(text: str) -> StepOutput:
    return StepOutput(step="a", stream="stdout", text=text)


@pytest.mark.parametrize(
    ("tail", "before"),
    [(None, ["1", "2", "3"]), (2, ["2", "3"]), (0, []), (9, ["1", "2", "3"])],
)
def test_of_what_was_printed_the_last_lines_are_shown_and_of_what_comes_all(
    capsys: pytest.CaptureFixture[str], tail: int | None, before: list[str]
) -> None:
    printed = Printed(tail)
    lines = LogLines(printed, is_labelled=False)
    lines.take(output("1\n2\n3\n"))
    printed.end()
    assert capsys.readouterr().out.split() == before
    lines.take(output("4\n5\n"))
    printed.end()
    assert capsys.readouterr().out.split() == ["4", "5"]
