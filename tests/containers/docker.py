"""Docker's command line."""

import shutil
import subprocess

from tests.folders import PROJECT


def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *words], cwd=PROJECT / "deploy", check=check, capture_output=True, text=True
    )


def has_docker() -> bool:
    return shutil.which("docker") is not None and docker("info", check=False).returncode == 0
