"""What stands before the embedded Temporal: whom it lets in, and where the server itself is."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.local.front import NO_NAMESPACE
from deploy.local.services import Services
from deploy.local.state import running_parts
from deploy.local.tcp_ports import choose_ports
from tests.folders import PROJECT
from tests.live import until
from tests.security.users import OTHER_UID, as_root, printed_by

# Prints how many bytes a server sends after the preface of HTTP/2, which is what gRPC speaks.
_PREFACE = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) as server:
    try:
        server.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + b"\\0\\0\\0\\4\\0\\0\\0\\0\\0")
        print(len(server.recv(4096)))
    except OSError:
        print(0)
"""

# Logs in to the web page with a key; prints the status of the page before, of logging in, after.
_LOG_IN = """
import http.client, sys
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Set-Cookie", "").partition(";")[0]
before, _ = ask("GET", "/")
form = {"Content-Type": "application/x-www-form-urlencoded"}
status, cookie = ask("POST", "/agentos-login", "key=" + sys.argv[2], **form)
after, _ = ask("GET", "/", Cookie=cookie)
print(before, status, after)
"""

# A server of three ports, as Temporal is, that says which of them was asked.
_SERVER = """
import socketserver, sys, threading
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        name = self.server.name.encode()
        head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(name)
        self.wfile.write(head + name)
for flag, port in zip(sys.argv[1::2], sys.argv[2::2]):
    server = socketserver.ThreadingTCPServer(("127.0.0.1", int(port)), Handler)
    server.name = flag
    threading.Thread(target=server.serve_forever).start()
"""


def key_of(services: Services) -> str:
    return (services.data_dir / "secrets" / "temporal-key").read_text()


def port_of(address: str) -> str:
    return str(urlsplit(f"//{address.removeprefix('http://')}").port)


async def test_the_user_who_runs_the_stack_reaches_temporal(infrastructure: Services) -> None:
    port = port_of(infrastructure.temporal_address)
    assert int(await printed_by(os.geteuid(), _PREFACE, port)) > 0


@as_root
async def test_another_user_does_not_reach_temporal(infrastructure: Services) -> None:
    port = port_of(infrastructure.temporal_address)
    assert int(await printed_by(OTHER_UID, _PREFACE, port)) == 0


@as_root
async def test_another_user_logs_in_to_the_web_page_with_the_key(infrastructure: Services) -> None:
    port, key = port_of(infrastructure.temporal_ui_url), key_of(infrastructure)
    assert await printed_by(OTHER_UID, _LOG_IN, port, key) == "401 303 200\n"
    assert await printed_by(OTHER_UID, _LOG_IN, port, "wrong") == "401 401 401\n"
    assert await printed_by(OTHER_UID, _LOG_IN, port, "") == "401 401 401\n"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "192.168.1.7"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_foreign_pages_and_rebound_names_do_not_reach_the_web_page(
    headers: dict[str, str], status: int, infrastructure: Services
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{infrastructure.temporal_ui_url}/", headers=headers)
    assert answer.status_code == status


async def test_the_server_itself_is_in_another_network(infrastructure: Services) -> None:
    front = running_parts(infrastructure.data_dir)["temporal"].pid
    networks = {network_of(pid) for pid in below(front)}
    assert len(below(front)) == 2
    assert network_of(front) == network_of(os.getpid())
    assert network_of(front) not in networks


def network_of(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def below(pid: int) -> list[int]:
    """The processes under this one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, children) for each in (child, *below(child))]


@asynccontextmanager
async def front(folder: Path, *before: str) -> AsyncIterator[tuple[list[int], Path]]:
    """The ports of a front of its own before a small server, and its log."""
    ports, log, key = choose_ports([None] * 3), folder / "log", folder / "key"
    key.write_text("key")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(*before, sys.executable, "-P", "-m", "deploy.local.front", str(key)),
            *(*map(str, ports), sys.executable, "-c", _SERVER),
            stderr=output,
            env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
        )
    try:
        yield ports, log
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def ask(port: int) -> str:
    async with httpx.AsyncClient(timeout=60) as client:
        with suppress(httpx.TransportError):
            return (await client.get(f"http://127.0.0.1:{port}/")).text
    return ""


async def test_where_there_are_no_namespaces_the_front_serves_and_says_so(tmp_path: Path) -> None:
    none = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
    async with front(tmp_path, "/usr/bin/unshare", "-Ur", "sh", "-c", none, "sh") as (ports, log):

        async def serves() -> bool:
            return await ask(ports[1]) == "--ui-port"

        await until(serves)
        assert [await ask(port) for port in ports] == ["--port", "--ui-port", "--http-port"]
    assert NO_NAMESPACE in log.read_text()


# Lets a process into a user namespace and refuses it the map of its users, as Ubuntu does.
_REFUSES_THE_MAP = """
import sys
from pathlib import Path
write = Path.write_text
def refuse(path, *words):
    if path.name == "uid_map":
        raise PermissionError(1, "Operation not permitted")
    return write(path, *words)
Path.write_text = refuse
from deploy.local.front import main
main(*sys.argv[5:])
"""


async def test_where_a_namespace_cannot_be_used_the_front_stays_out_of_it(tmp_path: Path) -> None:
    refusing = (sys.executable, "-c", _REFUSES_THE_MAP)
    async with front(tmp_path, *refusing) as (ports, log):

        async def serves() -> bool:
            return await ask(ports[1]) == "--ui-port"

        await until(serves)
    assert NO_NAMESPACE in log.read_text()


async def test_the_server_ends_with_its_front(tmp_path: Path) -> None:
    async with front(tmp_path) as (ports, log):

        async def serves() -> bool:
            return await ask(ports[2]) == "--http-port"

        await until(serves)
        assert NO_NAMESPACE not in log.read_text()

    async def is_gone() -> bool:
        return await ask(ports[2]) == ""

    await until(is_gone)
