"""What the commands that run a part say when they cannot."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from temporalio.client import Client

from deploy import temporal_connection
from deploy.doctor import services
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


@pytest.mark.parametrize("words", [("api",), ("worker",), ("worker", "--check")])
def test_all_variables_that_are_missing_are_named_at_once(words: tuple[str, ...]) -> None:
    nothing = {"AGENTOS_DATABASE_URL": "", "AGENTOS_S3_ENDPOINT": "", "AGENTOS_POOL_SIZE": "many"}
    line = refusal(1, *words, **nothing)
    for name in (*nothing, "TEMPORAL_ADDRESS"):
        assert f"{name}: " in line


def test_what_is_wrong_with_temporal_is_said_before_a_database_is_changed() -> None:
    line = refusal(1, "migrate", TEMPORAL_ADDRESS="http://temporal")
    assert "TEMPORAL_ADDRESS: it must be HOST:PORT" in line


def test_a_database_that_is_away_is_told_in_words() -> None:
    line = refusal(1, "migrate")
    assert "could not be reached: nothing listens there." in line
    line = refusal(1, "migrate", AGENTOS_DATABASE_URL="postgres://nobody@nowhere.invalid/nothing")
    assert "[Errno" not in line


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


# What is said, and where it is a file, what is in it.
WRONG_TEMPORAL = [
    ({"TEMPORAL_ADDRESS": "https://127.0.0.1:1"}, "without a scheme"),
    ({"TEMPORAL_ADDRESS": "127.0.0.1:abc"}, "HOST:PORT"),
    ({"TEMPORAL_ADDRESS": "127.0.0.1:65536"}, "HOST:PORT"),
    ({"TEMPORAL_ADDRESS": "127.0.0.1"}, "HOST:PORT"),
    ({"TEMPORAL_ADDRESS": " "}, "HOST:PORT"),
    ({"TEMPORAL_TLS_CLIENT_CERT_PATH": "/nope"}, "/nope: No such file"),
    ({"TEMPORAL_TLS_CLIENT_CERT_PATH": __file__}, "set both"),
    ({"TEMPORAL_TLS_CLIENT_KEY_PATH": __file__}, "set both"),
    ({"TEMPORAL_TLS_SERVER_CA_CERT_PATH": __file__}, "a file in PEM"),
    ({"TEMPORAL_CONFIG_FILE": __file__}, "TOML"),
    ({"TEMPORAL_PROFILE": "nope"}, "nope"),
]


@pytest.mark.parametrize("command", ["api", "worker"])
def test_what_the_client_of_temporal_cannot_use_is_refused_in_words(
    command: str, tmp_path: Path
) -> None:
    line = refusal(
        *(1, command), TEMPORAL_ADDRESS="https://127.0.0.1:1", AGENTOS_DATA_DIR=str(tmp_path)
    )
    assert line.startswith("Error: The environment is incomplete or wrong: TEMPORAL_ADDRESS: ")
    assert "HOST:PORT, without a scheme" in line


@pytest.mark.parametrize(("given", "words"), WRONG_TEMPORAL)
def test_the_doctor_finds_what_the_client_of_temporal_cannot_use(
    given: Mapping[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TEMPORAL_ADDRESS": "127.0.0.1:1", **given}.items():
        monkeypatch.setenv(name, value)

    async def connect() -> Client:
        return await Client.connect(**temporal_connection.connection())

    finding = asyncio.run(services.checks(services.Remote(None, None, connect))["temporal"]())
    assert not finding.ok
    assert words in finding.detail
    assert finding.remedy


def test_the_api_says_that_nobody_told_it_where_temporal_is() -> None:
    assert "TEMPORAL_ADDRESS" in refusal(1, "api")


def test_a_worker_whose_data_folder_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refusal(
        1,
        "worker",
        TEMPORAL_ADDRESS="127.0.0.1:1",
        AGENTOS_DATA_DIR=str(tmp_path / "file" / "data"),
    )
    assert f"{tmp_path}/file/data" in line
    assert "AGENTOS_DATA_DIR" in line


def test_up_refuses_a_bad_setting_before_it_makes_anything(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    line = refusal(1, "up", "--data-dir", str(folder), AGENTOS_POOL_SIZE="abc")
    assert "AGENTOS_POOL_SIZE: it must be a whole number" in line
    assert not folder.exists()
