"""Running a built-in skill's script as the sandbox does: another process, few variables."""

import json
import subprocess
import sys
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
    script = SKILLS / skill / "scripts" / SCRIPTS[skill]
    command = [str(python), "-B", str(script), *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "LANG": "C.UTF-8", "TMPDIR": str(cwd)}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)
