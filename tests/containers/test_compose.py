"""The compose file, where Docker and its compose can be had: `make containers`."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import pytest

from deploy.local.tcp_ports import choose_ports
from tests.containers.docker import docker, has_docker
from tests.folders import PROJECT

Compose = Callable[..., str]


def has_compose() -> bool:
    return has_docker() and docker("compose", "version", check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(not has_compose(), reason="no `docker compose` answers"),
    pytest.mark.timeout(1_800),
]


@pytest.fixture(scope="module")
def ports() -> Sequence[int]:
    """Of the API and of Temporal's page."""
    return choose_ports([None, None])


@pytest.fixture(scope="module")
def compose(image: str, ports: Sequence[int]) -> Iterator[Compose]:
    """Does something with the stack of the file, which is up. Its passwords would break a URL."""
    settings = {
        "POSTGRES_PASSWORD": "p@ss/w:rd%1",
        "S3_SECRET_KEY": uuid4().hex,
        "AGENTOS_TEMPORAL_UI_KEY": uuid4().hex,
        "AGENTOS_PORT": str(ports[0]),
        "AGENTOS_TEMPORAL_UI_PORT": str(ports[1]),
    }
    file = ("-p", f"agentos-test-{uuid4().hex[:8]}", "-f", "deploy/compose.yaml")

    def run(*words: str) -> str:
        return subprocess.run(
            ["docker", "compose", *file, "--profile", "ui", *words],
            cwd=PROJECT,
            env=os.environ | settings,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    try:
        run("up", "--detach", "--no-build", "--wait")
        yield run
    finally:
        run("down", "--volumes", "--timeout", "20")


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_stack_of_containers_runs_a_pipeline_for_who_has_a_key(
    compose: Compose, ports: Sequence[int]
) -> None:
    api = f"http://127.0.0.1:{ports[0]}"
    key = compose("exec", "-T", "api", "agentos", "keys", "create", "test").strip()
    assert status(f"{api}/api/v1/tasks") == 401
    assert status(f"{api}/api/v1/tasks", Authorization=f"Bearer {key}") == 200
    code = {"language": "python", "source": "open('made.txt', 'w').write('made')"}
    pipeline = json.dumps({"name": "test", "steps": [{"id": "one", "code": code}]})
    to = ("-e", "AGENTOS_API_URL=http://api:8000", "-e", f"AGENTOS_API_KEY={key}")
    submit = 'printf %s "$1" > test.json && agentos submit pipeline test.json --wait -o json'
    words = ("worker", "sh", "-c", submit, "sh", pipeline)
    given = json.loads(compose("exec", "-T", *to, *words))
    assert [file["name"] for file in given["files"]] == ["made.txt"]


def test_the_page_of_temporal_in_a_container_wants_the_key(
    compose: Compose, ports: Sequence[int]
) -> None:
    page = f"http://127.0.0.1:{ports[1]}/"
    assert status(page) == 401
    assert status(page, Host="evil.example") == 403


def test_a_server_in_a_container_is_known_to_those_only_that_use_it(compose: Compose) -> None:
    """By name; what else is cut off is a matter of Docker's own rules."""
    look = "import socket, sys; socket.gethostbyname(sys.argv[1])"
    for service, other in [("s3", "postgres"), ("s3", "temporal"), ("temporal-ui", "s3")]:
        with pytest.raises(subprocess.CalledProcessError):
            compose("exec", "-T", service, "python", "-c", look, other)
    for other in ("postgres", "temporal", "s3"):
        compose("exec", "-T", "worker", "python", "-c", look, other)
