"""What a job that may use the network reaches: public hosts and what was named, by a proxy only."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.egress import Egress
from activities.sandbox.interpreter import sandbox_python
from tests.integration.sandboxes import Bench, open_folder

# Sends the text that it is given to the proxy of its environment, and prints the answer.
_SAY = """
import os, socket, sys
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTPS_PROXY"])
with socket.create_connection((proxy.hostname, proxy.port), timeout=30) as way_out:
    way_out.sendall(os.environ["SAY"].encode())
    answer = b""
    while piece := way_out.recv(65536):
        answer += piece
print(answer.decode())
"""

INSIDE = (
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.5",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "2130706433",
    "0x7f.1",
    "127.1",
)


class Names:
    """A name server; a name that is not in it is an address."""

    def __init__(self) -> None:
        self.known: dict[str, list[list[str]]] = {}

    async def resolve(self, host: str, port: int) -> list[str]:
        answers = self.known.get(host)
        if answers is None:
            found = await asyncio.get_running_loop().getaddrinfo(host, port)
            return [str(item[4][0]) for item in found]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Server:
    """A host of this machine that answers once, and remembers what it was told and by whom."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[str] = []
        self.sources: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sources.append(writer.get_extra_info("peername")[0])
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


@asynccontextmanager
async def bench_of(names: Names, private_hosts: Sequence[str] = ()) -> AsyncIterator[Bench]:
    with open_folder() as folder:
        egress = Egress(private_hosts, resolve=names.resolve)
        sandbox = Bubblewrap(folder / "work", python=sandbox_python(), egress=egress)
        try:
            yield Bench(sandbox, folder)
        finally:
            await sandbox.close()


@pytest.fixture
def names() -> Names:
    return Names()


async def say(bench: Bench, text: str) -> str:
    """What the proxy answers to a job."""
    ended = await bench.python(_SAY, environment={"SAY": text}, network=True)
    assert ended.ok, bench.stderr
    return bench.stdout


def connect(host: str, port: int) -> str:
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"


async def test_nothing_inside_the_house_is_reached_under_any_spelling(names: Names) -> None:
    """One job tries them all: what is refused must be so for each."""
    source = """
import json, os, socket
answers = {}
for host in json.loads(os.environ["HOSTS"]):
    for text in ("CONNECT %s:%d HTTP/1.1\\r\\n\\r\\n", "GET http://%s:%d/ HTTP/1.1\\r\\n\\r\\n"):
        with socket.create_connection(("127.0.0.1", 3128), timeout=60) as way_out:
            way_out.sendall((text % (host, int(os.environ["PORT"]))).encode())
            answers[host + text[:3]] = way_out.recv(65536).decode().partition("\\r\\n")[0]
print(json.dumps(answers))
"""
    async with serving() as server, bench_of(names) as bench:
        environment = {"HOSTS": json.dumps(INSIDE), "PORT": str(server.port)}
        ended = await bench.python(source, environment=environment, network=True)
        assert ended.ok, bench.stderr
        answers = json.loads(bench.stdout)
    assert server.requests == []
    assert len(answers) == 2 * len(INSIDE)
    refusals = {host: line.split()[1] for host, line in answers.items()}
    assert set(refusals.values()) <= {"403", "502"}, refusals
    assert all(refusals[host + "CON"] == "403" for host in INSIDE if host[0] in "127[l")


async def test_a_refusal_names_the_setting_where_clients_show_it(names: Names) -> None:
    async with bench_of(names) as bench:
        answer = await say(bench, connect("127.0.0.1", 8000))
    status_line = answer.partition("\r\n")[0]
    assert "AGENTOS_SKILL_PRIVATE_HOSTS" in status_line
    assert "127.0.0.1:8000" in status_line


async def test_a_name_with_one_address_inside_is_refused(names: Names) -> None:
    names.known["both.example"] = [["93.184.216.34", "10.0.0.1"]]
    async with bench_of(names) as bench:
        answer = await say(bench, connect("both.example", 443))
    assert answer.startswith("HTTP/1.1 403 ")


async def test_a_name_that_changes_its_address_leads_to_the_one_that_was_judged(
    names: Names,
) -> None:
    """The first answer is harmless (and reached by nobody here), the second is this machine."""
    async with serving() as server, bench_of(names) as bench:
        names.known["rebinding.example"] = [["198.18.0.1"], ["127.0.0.1"]]
        answer = await say(bench, connect("rebinding.example", server.port))
        assert answer.startswith("HTTP/1.1 403 ")
        names.known["rebinding.example"] = [["127.0.0.1"]]
        answer = await say(bench, connect("rebinding.example", server.port))
    assert answer.startswith("HTTP/1.1 403 ")
    assert server.requests == []


async def test_a_host_that_was_named_is_reached_by_tunnel_and_by_plain_request(
    names: Names,
) -> None:
    async with serving() as server:
        host = f"tracker.example:{server.port}"
        names.known["tracker.example"] = [["127.0.0.1"]]
        async with bench_of(names, [host]) as bench:
            tunnelled = f"{connect('tracker.example', server.port)}GET /a HTTP/1.1\r\n\r\n"
            assert "hello" in await say(bench, tunnelled)
            plain = (
                f"GET http://{host}/b?c=d HTTP/1.1\r\nHost: {host}\r\n"
                "Proxy-Authorization: Basic eDp5\r\nConnection: keep-alive\r\n\r\n"
            )
            assert "hello" in await say(bench, plain)
    assert server.requests == [
        "GET /a HTTP/1.1\r\n\r\n",
        f"GET /b?c=d HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
    ]


async def test_libraries_find_the_way_out_in_their_environment(names: Names) -> None:
    async with serving() as server:
        host = f"tracker.example:{server.port}"
        names.known["tracker.example"] = [["127.0.0.1"]]
        async with bench_of(names, [host]) as bench:
            source = "import sys, urllib.request as web; print(web.urlopen(sys.argv[1]).read())"
            ended = await bench.run("python3", "-c", source, f"http://{host}/", network=True)
        assert ended.ok, bench.stderr
        assert bench.stdout.strip() == "b'hello'"


async def test_the_way_to_loopback_is_told_from_programs_of_the_owner(names: Names) -> None:
    """Both are processes of one user, whom our API asks for no key."""
    async with serving() as server, bench_of(names, [f"127.0.0.1:{server.port}"]) as bench:
        await say(bench, f"{connect('127.0.0.1', server.port)}GET / HTTP/1.1\r\n\r\n")
    assert server.sources == ["127.0.0.2"]


async def test_only_the_named_port_of_a_host_is_reached(names: Names) -> None:
    async with serving() as server, bench_of(names, ["127.0.0.1:1"]) as bench:
        answer = await say(bench, connect("127.0.0.1", server.port))
    assert answer.startswith("HTTP/1.1 403 ")
    assert server.requests == []


@pytest.mark.parametrize(
    "text",
    [
        "GET / HTTP/1.1\r\n\r\n",
        "CONNECT example HTTP/1.1\r\n\r\n",
        "CONNECT example:99999 HTTP/1.1\r\n\r\n",
        "CONNECT :443 HTTP/1.1\r\n\r\n",
        "GET ftp://example/ HTTP/1.1\r\n\r\n",
        "GET file:///etc/passwd HTTP/1.1\r\n\r\n",
        "nonsense\r\n\r\n",
        "\x05\x01\x01\r\n\r\n",
        "G\u00c9T http://example/ HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_to_a_proxy_is_refused(text: str, names: Names) -> None:
    async with bench_of(names) as bench:
        assert (await say(bench, text)).startswith("HTTP/1.1 400 ")


async def test_a_head_without_end_is_refused(names: Names) -> None:
    async with bench_of(names) as bench:
        answer = await say(bench, "GET http://example/ HTTP/1.1\r\n" + "a: b\r\n" * 8_000)
    assert answer.startswith("HTTP/1.1 431 ")


async def test_a_host_that_does_not_answer_fails_with_its_name(names: Names) -> None:
    async with bench_of(names, ["127.0.0.1:1"]) as bench:
        answer = await say(bench, connect("127.0.0.1", 1))
    assert answer.startswith("HTTP/1.1 502 127.0.0.1:1 ")


async def test_a_program_that_knows_of_no_proxy_fails_at_once(names: Names) -> None:
    source = """
import socket
for address in (("192.0.2.1", 80), ("93.184.216.34", 443)):
    try:
        socket.create_connection(address, timeout=30)
    except OSError as error:
        print(error.strerror)
"""
    async with bench_of(names) as bench:
        assert (await bench.python(source, network=True)).ok
    assert bench.stdout.splitlines() == ["Network is unreachable"] * 2


async def test_the_exit_code_and_the_folder_of_a_job_with_network_are_its_own(
    names: Names,
) -> None:
    async with bench_of(names) as bench:
        ended = await bench.shell("pwd; ls /proc/self/fd; exit 7", network=True)
        assert ended.code == 7
        assert bench.stdout.split() == ["/workspace/output", "0", "1", "2", "3"]
        ended = await bench.run("/nowhere", network=True)
        assert (ended.code, Path("/nowhere").name in bench.stderr) == (127, True)


async def test_a_job_with_network_ignores_no_signal_that_others_do_not(names: Names) -> None:
    ignored = []
    async with bench_of(names) as bench:
        for network in (False, True):
            assert (await bench.shell("grep SigIgn /proc/self/status", network=network)).ok
            ignored.append(bench.stdout)
    assert ignored[0] == ignored[1]


async def test_what_is_no_program_is_said_as_a_shell_says_it(names: Names) -> None:
    async with bench_of(names) as bench:
        assert (await bench.run("/etc", network=True)).code == 126
        assert "/etc" in bench.stderr
