"""The end of every command, which does not take the interpreter down."""

import os
import subprocess
import sys

import pytest

from tests.folders import PROJECT

COMMAND = """
import atexit, sys, typer
from deploy.cli import app, main

@app.command()
def work() -> None:
    atexit.register(print, "and put away")
    sys.stdout.write("worked ")
    {ending}

sys.argv[1:] = ["work"]
main()
"""

LOADED = """
import gc, sys
from deploy.cli import main
sys.argv[1:] = ["init", "--help"]
try:
    main()
except SystemExit:
    print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count() > 10_000)
"""


@pytest.mark.parametrize(("ending", "code"), [("pass", 0), ("raise typer.Exit(3)", 3)])
def test_all_is_written_and_put_away_before_a_command_ends(ending: str, code: int) -> None:
    done = _run(ending)
    assert (done.returncode, done.stdout, done.stderr) == (code, "worked and put away\n", "")


def test_an_error_that_nobody_foresaw_is_told_and_ends_a_command_badly() -> None:
    done = _run("raise ZeroDivisionError")
    assert (done.returncode, done.stdout) == (1, "worked and put away\n")
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(
    "words", [("--version",), ("--help",), ("openapi",), ("openapi", "--help")], ids=" ".join
)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_disk_without_room_for_the_output_is_told_in_a_line(
    words: tuple[str, ...], unbuffered: str
) -> None:
    command = (sys.executable, "-m", "deploy.cli", *words)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The output cannot be written: No space left on device.")
    assert done.stderr.count("\n") == 1


def test_what_is_printed_at_the_very_end_and_finds_no_room_makes_the_command_fail() -> None:
    command = COMMAND.replace('sys.stdout.write("worked ")', "pass").format(ending="pass")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", command],
            cwd=PROJECT,
            env=os.environ | {"PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_garbage_is_looked_for_seldom_once_a_command_has_been_loaded() -> None:
    words = [sys.executable, "-c", LOADED]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "True 10000 True"


def _run(ending: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", COMMAND.format(ending=ending)]
    return subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
