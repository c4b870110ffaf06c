"""Who is let in without a key: the kernel says whose connection it is."""

import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from activities import socket_owner
from activities.socket_owner import Endpoint, owner_of
from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage
from tests.security.users import OTHER_UID, PYTHON, as_root, as_user, printed_by

NOBODY = 65_534
_ASK = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], timeout=30)
connection.request("GET", "/api/v1/tasks")
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""

_REGISTER = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], timeout=60)
headers = {"Authorization": sys.argv[2], "Content-Type": "application/json"}
connection.request("POST", "/api/v1/tools/register", sys.argv[3], headers)
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""


@pytest.fixture(scope="module")
async def stage(
    infrastructure: Services, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with api_stage(infrastructure, tmp_path_factory.mktemp("skills"), works=False) as stage:
        yield stage


@contextmanager
def connection_of(uid: int, family: int, address: str) -> Iterator[socket.socket]:
    """The server's end of a connection that another user has made."""
    listening = socket.AF_INET6 if address == "::1" else socket.AF_INET
    bound = address.removeprefix("::ffff:")
    with closing(socket.create_server((bound, 0), family=listening)) as server:
        port = server.getsockname()[1]
        code = (
            f"import socket, sys; made = socket.socket({int(family)}); "
            f"made.connect(({address!r}, {port})); print('made', flush=True); sys.stdin.read()"
        )
        client = subprocess.Popen(
            [*as_user(uid), PYTHON, "-I", "-S", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert client.stdout
            assert client.stdout.readline() == b"made\n"
            accepted, _ = server.accept()
            with closing(accepted):
                yield accepted
        finally:
            client.communicate()


def ends_of(accepted: socket.socket) -> tuple[Endpoint, Endpoint]:
    return Endpoint.of(accepted.getpeername()), Endpoint.of(accepted.getsockname())


async def answer_to(
    uid: int, stage: Stage, code: str = _ASK, *arguments: str
) -> tuple[int, dict[str, object]]:
    """What the API answers to a process of another user, which sends no key by itself."""
    printed = await printed_by(uid, code, stage.url.removeprefix("http://"), *arguments)
    status, _, body = printed.partition(" ")
    return int(status), json.loads(body)


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::ffff:127.0.0.1"),
    ],
)
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("uid", [pytest.param(OTHER_UID, marks=as_root), os.geteuid()])
async def test_the_kernel_tells_whose_connection_it_is(
    uid: int, asked: bool, family: int, address: str
) -> None:
    look_up = socket_owner._ask if asked else socket_owner._read
    with connection_of(uid, family, address) as accepted:
        assert look_up(*ends_of(accepted)) == uid
        assert owner_of(*ends_of(accepted)) == uid


async def test_a_connection_that_its_maker_has_closed_is_nobodys() -> None:
    """The kernel says that such a socket is root's."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with closing(accepted):
            ends = ends_of(accepted)
            client.close()
            assert owner_of(*ends) is None
            assert socket_owner._read(*ends) is None


async def test_who_listens_on_a_port_is_not_taken_for_who_connects_from_it() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        listening = Endpoint.of(server.getsockname())
        assert owner_of(listening, Endpoint("127.0.0.1", 9)) is None
        assert socket_owner._read(listening, Endpoint("127.0.0.1", 9)) is None


async def test_the_user_who_runs_the_api_needs_no_key(stage: Stage) -> None:
    status, _ = await answer_to(os.geteuid(), stage)
    assert status == 200


@as_root
@pytest.mark.parametrize("uid", [OTHER_UID, NOBODY])
async def test_another_user_of_the_machine_needs_a_key_and_is_told_how_to_get_one(
    uid: int, stage: Stage
) -> None:
    status, problem = await answer_to(uid, stage)
    assert status == 401
    for words in (f"uid {uid}", "agentos keys create", "AGENTOS_OPEN_LOOPBACK"):
        assert words in str(problem["detail"])


@as_root
async def test_loopback_can_be_opened_to_every_user(
    infrastructure: Services, tmp_path: Path
) -> None:
    async with api_stage(infrastructure, tmp_path, works=False, open_loopback=True) as stage:
        status, _ = await answer_to(OTHER_UID, stage)
        assert status == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"]
)
async def test_what_a_proxy_passes_on_is_not_taken_for_the_owners(
    header: str, stage: Stage
) -> None:
    answer = await stage.http.get("/tasks", headers={header: "127.0.0.1"})
    assert answer.status_code == 401
    assert "proxy" in answer.json()["detail"]


async def test_a_connection_from_another_loopback_address_is_not_taken_for_the_owners(
    stage: Stage,
) -> None:
    """It is how sandboxes come, whose way out is a process of the same user."""
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(transport=transport) as client:
        answer = await client.get(f"{stage.url}/api/v1/tasks")
    assert answer.status_code == 401
    assert "127.0.0.2" in answer.json()["detail"]


async def test_a_key_lets_others_in(stage: Stage) -> None:
    team = await stage.team()
    answer = await team.get("/tasks", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 200


@as_root
async def test_a_key_gives_another_user_no_programs_of_the_one_who_runs_the_api(
    stage: Stage,
) -> None:
    team = await stage.team()
    order = {"name": "shell", "transport": "stdio", "command": "true"}
    code, headers = _REGISTER, team.headers["Authorization"]
    status, problem = await answer_to(OTHER_UID, stage, code, headers, json.dumps(order))
    assert status == 403
    assert "AGENTOS_MCP_COMMANDS" in str(problem["detail"])
    status, problem = await answer_to(os.geteuid(), stage, code, headers, json.dumps(order))
    assert status == 424  # It was started, and is no MCP server.
