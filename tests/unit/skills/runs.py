"""Running a built-in skill's script as the sandbox does: another process, few variables."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SKILLS = Path(__file__).parents[3] / "skills"
SCRIPTS = {
    "csv-clean": "clean.py",
    "csv-profile": "profile.py",
    "csv-join": "join.py",
    "chart": "chart.py",
    "report": "report.py",
    "text-extract": "extract.py",
}
SYSTEM_PYTHON = Path("/usr/bin/python3")
PYTHON = SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else Path(sys.executable)
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Run:
    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> Any:
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)

    def refuses(self, *words: str) -> bool:
        """It ended with exit code 2, nothing printed, and one message that says all of this."""
        told = self.stderr.strip()
        return (
            self.code == 2
            and self.stdout == ""
            and "Traceback" not in told
            and all(word in told for word in words)
        )


def run(skill: str, *arguments: object, cwd: Path, python: Path = PYTHON, **variables: str) -> Run:
    done = subprocess.run(
        [str(python), "-B", *_command(skill, arguments)],
        cwd=cwd,
        env=_environment(cwd) | variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


Draw = Callable[..., Run]


@contextmanager
def drawing(python: Path, folder: Path) -> Iterator[Draw]:
    """Gives ``draw(*arguments, cwd=...)``, which runs chart as ``run`` does, at half the cost: its
    processes are forked from one that has loaded matplotlib, and has the folder for itself."""
    server = subprocess.Popen(
        [str(python), "-B", str(Path(__file__).with_name("fork_server.py"))],
        env=_environment(folder) | {"MPLCONFIGDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdin is not None
        assert server.stdout is not None
        orders, answers = server.stdin, server.stdout

        def draw(*arguments: object, cwd: Path) -> Run:
            order = {
                "command": _command("chart", arguments),
                "cwd": str(cwd),
                "environment": _environment(cwd),
                "seconds": TIMEOUT_SECONDS,
            }
            orders.write(json.dumps(order) + "\n")
            orders.flush()
            return Run(*json.loads(answers.readline()))

        yield draw


def _command(skill: str, arguments: tuple[object, ...]) -> list[str]:
    return [str(SKILLS / skill / "scripts" / SCRIPTS[skill]), *map(str, arguments)]


def _environment(folder: Path) -> dict[str, str]:
    home = str(folder)
    return {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "TMPDIR": home}
