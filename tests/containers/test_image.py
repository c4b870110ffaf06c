"""The image, where Docker can be had: `make containers`. Building it takes minutes.

DOCKER_HOST says which Docker; AGENTOS_BUILD_OPTIONS are given to `docker build`.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.containers.docker import docker, has_docker
from tests.folders import PROJECT

FOLDER = "/var/lib/agentos/data"


pytestmark = [
    pytest.mark.skipif(not has_docker(), reason="no Docker answers"),
    pytest.mark.timeout(1_800),
]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())["services"])


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"agentos-test-{uuid4().hex[:8]}"
    yield name
    docker("volume", "rm", "-f", name)


def rights(service: dict[str, Any]) -> list[str]:
    """What `docker run` must be told for a container to have the rights that compose gives it."""
    dropped = [word for right in service["cap_drop"] for word in ("--cap-drop", right)]
    return [*dropped, *(w for o in service["security_opt"] for w in ("--security-opt", o))]


def test_the_command_is_the_entry_point(image: str) -> None:
    assert "agentos [OPTIONS] COMMAND" in docker("run", "--rm", image, "--help").stdout


@pytest.mark.parametrize(("program", "version"), [("temporal", "--version"), ("weed", "version")])
def test_the_servers_of_compose_are_in_the_image(image: str, program: str, version: str) -> None:
    assert docker("run", "--rm", "--entrypoint", program, image, version).stdout


def test_a_sandbox_works_with_the_rights_that_compose_gives_a_worker(
    image: str, services: dict[str, Any], volume: str
) -> None:
    given = rights(services["worker"])
    done = docker("run", "--rm", *given, "-v", f"{volume}:{FOLDER}", image, "doctor", check=False)
    assert done.returncode == 0, done.stdout
    assert "bubblewrap ran a command" in done.stdout


def test_with_the_rights_of_any_container_the_doctor_names_those_that_are_missing(
    image: str,
) -> None:
    done = docker("run", "--rm", image, "doctor", check=False)
    assert done.returncode == 1
    assert "seccomp=deploy/seccomp.json" in done.stdout.replace("\n", "")


@pytest.mark.parametrize("name", ["worker", "temporal", "s3"])
def test_a_new_volume_can_be_written(
    image: str, services: dict[str, Any], volume: str, name: str
) -> None:
    given = [*rights(services[name]), "-v", f"{volume}:{FOLDER}", "--entrypoint", "touch"]
    docker("run", "--rm", *given, image, f"{FOLDER}/written")


def test_a_worker_without_settings_says_which_it_wants(image: str) -> None:
    done = docker("run", "--rm", image, "worker", check=False)
    assert done.returncode == 1
    assert "AGENTOS_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_page_without_a_key_is_not_served(image: str) -> None:
    words = ["--entrypoint", "python", image, "-P", "-m", "deploy.temporal_page", "localhost", "1"]
    done = docker("run", "--rm", *words, check=False)
    assert done.returncode == 1
    assert "AGENTOS_TEMPORAL_UI_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_volume_of_another_user_is_refused_in_words(image: str, volume: str) -> None:
    settings = [
        "-e",
        "AGENTOS_DATABASE_URL=postgresql+asyncpg://x",
        "-e",
        "AGENTOS_S3_ENDPOINT=http://x",
    ]
    mounted = ["-v", f"{volume}:{FOLDER}"]
    made = ["--user", "root", *mounted, "--entrypoint", "chown", image, "root:root", FOLDER]
    docker("run", "--rm", *made)
    done = docker("run", "--rm", *settings, *mounted, image, "worker", check=False)
    assert done.returncode == 1
    assert FOLDER in done.stderr
    assert "Traceback" not in done.stderr
