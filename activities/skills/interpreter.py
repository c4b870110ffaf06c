"""What the sandbox's Python is, asked of itself."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

from workflows.errors.skills import DependenciesUnavailable

ASKING_SECONDS = 30.0

_QUESTION = """
import platform, sysconfig
print(platform.python_version(), sysconfig.get_config_var("SOABI"))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """``version`` such as 3.11.2; ``abi`` such as cpython-311-x86_64-linux-gnu."""

    path: Path
    version: str
    abi: str


async def ask_interpreter(python: Path, skill: str) -> Interpreter:
    """Ask an interpreter for its version, without its environment or site packages.

    Raises:
        DependenciesUnavailable: it cannot be run.
    """
    try:
        answer = await asyncio.to_thread(
            subprocess.run,
            (str(python), "-I", "-S", "-c", _QUESTION),
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=ASKING_SECONDS,
        )
        version, abi = answer.stdout.decode().split()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        reason = f"{python} is not a Python that can be run: {error}"
        raise DependenciesUnavailable(skill=skill, reason=reason) from error
    return Interpreter(python, version, abi)
