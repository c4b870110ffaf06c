"""What is longer than the screen, in a pager: on a terminal that a child process has."""

import os
import pty
import sys
from pathlib import Path

import pytest

from tests.folders import PROJECT

_PRINTING = """
import typer
from api.cli import terminal
from api.cli.pager import paged
def command():
    with paged(wanted={wanted}):
        for number in range({lines}):
            if number % 2:
                typer.echo(f"line {{number}}")
            else:
                terminal.stdout().print(f"line {{number}}", style="red")
    print("after")
typer.run(command)
"""


def seen(lines: int, folder: Path, pager: str | None = None, *, wanted: bool = True) -> str:
    """What a terminal of 80 columns and 10 lines shows of so many lines."""
    shown = folder / "shown"
    environment = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "PAGER": f"tee {shown}" if pager is None else pager,
        "COLUMNS": "80",
        "LINES": "10",
    }
    code = _PRINTING.format(lines=lines, wanted=wanted)
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(PROJECT)
        os.execve(sys.executable, [sys.executable, "-c", code], environment)
    content = b""
    while True:
        try:
            part = os.read(descriptor, 65_536)
        except OSError:  # Nobody holds the other end.
            break
        if not part:
            break
        content += part
    os.close(descriptor)
    assert os.waitpid(pid, 0)[1] == 0, content
    return content.decode()


def test_what_fits_stays_on_the_screen(tmp_path: Path) -> None:
    text = seen(5, tmp_path)
    assert not (tmp_path / "shown").exists()
    assert text.endswith("line 3\r\n\x1b[31mline 4\x1b[0m\r\nafter\r\n")


def test_what_is_longer_than_the_screen_goes_through_the_pager_in_its_colours(
    tmp_path: Path,
) -> None:
    text = seen(50, tmp_path)
    told = (tmp_path / "shown").read_text()
    assert told.count("\n") == 50
    assert told.startswith("\x1b[31mline 0\x1b[0m\nline 1\n")
    assert "after" not in told
    assert text.endswith("after\r\n")


@pytest.mark.parametrize("pager", ["", "cat", "/no/such/pager", "'"])
def test_without_a_pager_all_of_it_is_printed(tmp_path: Path, pager: str) -> None:
    assert seen(50, tmp_path, pager).count("line ") == 50


def test_one_may_do_without_it(tmp_path: Path) -> None:
    assert seen(50, tmp_path, wanted=False).count("line ") == 50
    assert not (tmp_path / "shown").exists()


def test_whoever_has_seen_enough_is_told_no_more(tmp_path: Path) -> None:
    text = seen(100_000, tmp_path, "head -n 3")
    assert text.count("line ") == 3
    assert "Traceback" not in text
