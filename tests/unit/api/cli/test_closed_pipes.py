"""A command whose output nobody reads to its end."""

import subprocess
import sys

import pytest

from tests.folders import PROJECT

MANY_LINES = """
import typer
from api.cli.usage_errors import Commands

app = typer.Typer(cls=Commands)

@app.callback()
def group() -> None: ...

@app.command()
def lines(count: int) -> None:
    for number in range(count):
        print(number)

app()
"""


@pytest.mark.parametrize("count", [1_000, 1_000_000], ids=["buffered", "long"])
def test_whoever_has_seen_enough_makes_no_failure_of_a_command(count: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MANY_LINES, "lines", str(count)],
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
