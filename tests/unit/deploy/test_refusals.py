"""What the commands that run a part say when they cannot."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.folders import PROJECT

# Nobody answers at any of them: what is tested is refused before.
ENVIRONMENT = {
    "PYTHONPATH": str(PROJECT),
    "TEMPORAL_CONFIG_FILE": "/dev/null",
    "AGENTOS_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
    "AGENTOS_S3_ENDPOINT": "http://127.0.0.1:1",
}


def refusal(code: int, *words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "deploy.cli", *words],
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("Error: "))
    return line


@pytest.mark.parametrize("host", ["localhost", "nosuch", "127.0.0.1:8000", ""])
def test_the_api_refuses_a_host_that_is_no_address(host: str) -> None:
    line = refusal(2, "api", "--host", host, TEMPORAL_ADDRESS="127.0.0.1:1")
    assert f"--host {host!r} is not an IP address" in line


def test_the_api_says_that_another_program_has_its_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = refusal(1, "api", "--port", str(port), TEMPORAL_ADDRESS="127.0.0.1:1")
    assert f"port {port} of 127.0.0.1" in line
    assert "--port" in line


def test_the_api_says_that_nobody_told_it_where_temporal_is() -> None:
    assert "TEMPORAL_ADDRESS" in refusal(1, "api")


def test_a_worker_whose_data_folder_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refusal(1, "worker", AGENTOS_DATA_DIR=str(tmp_path / "file" / "data"))
    assert f"{tmp_path}/file/data" in line
    assert "AGENTOS_DATA_DIR" in line
