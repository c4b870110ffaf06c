"""A command whose output nobody reads to its end."""

import os
import subprocess
import sys

import pytest

from tests.folders import PROJECT

MANY_LINES = """
import typer
from api.cli import terminal
from api.cli.usage_errors import Commands

app = typer.Typer(cls=Commands)

@app.callback()
def group() -> None: ...

@app.command()
def lines(count: int) -> None:
    for number in range(count):
        print(number)

@app.command()
def styled(count: int) -> None:
    for number in range(count):
        terminal.stdout().print(number)

app()
"""


@pytest.mark.parametrize("command", ["lines", "styled"])
@pytest.mark.parametrize("count", [1_000, 20_000], ids=["buffered", "long"])
def test_whoever_has_seen_enough_makes_no_failure_of_a_command(command: str, count: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MANY_LINES, command, str(count)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        if count > 1_000:
            assert run.stdout.readline() == b"0\n"
        run.stdout.close()
        assert (run.wait(60), run.stderr.read()) == (0, b"")


@pytest.mark.parametrize("words", [("--help",), ("submit", "--help"), ("openapi",)], ids=" ".join)
def test_whoever_has_seen_enough_of_the_help_makes_no_failure_of_it(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = (sys.executable, "-m", "deploy.cli", *words)
    done = subprocess.run(command, cwd=PROJECT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
