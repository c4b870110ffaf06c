"""The embedded stack, started for real: what it survives, and what it leaves behind."""

import asyncio
import io
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import sys
import sysconfig
import tempfile
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from minio import Minio
from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from activities.payloads import Codec
from activities.store import migrations
from deploy import variables
from deploy.local import certificates, model, s3
from deploy.local.errors import PortTaken, SecretsKeyUnusable, StackInUse
from deploy.local.services import Services, StackOptions
from deploy.local.sockets import remove_socket_folder
from deploy.local.stack import Stack
from deploy.local.state import DataFolder, running_parts
from deploy.local.tcp_ports import choose_ports
from tests.folders import PROJECT
from tests.live import environment_of

ENTRY = Path(__file__).with_name("stack_process.py")
NOBODY, NAMELESS = 65534, 54321
PATIENCE_SECONDS = 60
# Of the store, which wakes some 200 times a second, and did 1,300 times when it was started again.
MOST_WAKES_A_SECOND = 600
QUIET_AFTER_SECONDS, WATCHED_SECONDS = 4.0, 3.0
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(autouse=True)
def tidy(tmp_path: Path) -> Iterator[None]:
    """Removes what a killed stack leaves outside its folder until the next one starts there."""
    yield
    data_dir = tmp_path / "data"
    if data_dir.exists():
        s3.clear(DataFolder(data_dir))
        remove_socket_folder(data_dir / "run")


class Up:
    """A running ``stack_process.py``."""

    def __init__(self, data_dir: Path, process: asyncio.subprocess.Process) -> None:
        self.data_dir = data_dir
        self._process = process

    async def services(self) -> Services:
        """Its addresses, once it is ready."""
        assert self._process.stdout
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self._process.stdout.readline()
        assert line, await self.refusal()
        return TypeAdapter(Services).validate_json(line)

    async def refusal(self) -> str:
        """What it says when it does not start."""
        _, complaint = await self._process.communicate()
        return complaint.decode()

    async def end(self, number: signal.Signals) -> int:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def up(
    data_dir: Path, *words: str, python: str = sys.executable, uid: int = 0
) -> AsyncIterator[Up]:
    user: dict[str, Any] = {"user": uid, "group": uid, "extra_groups": []} if uid else {}
    path = os.pathsep.join([str(PROJECT), sysconfig.get_path("purelib")])
    process = await asyncio.create_subprocess_exec(
        *(python, str(ENTRY), str(data_dir), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PGPORT": "1"},
        cwd="/",
        **user,
    )
    running = Up(data_dir, process)
    try:
        yield running
    finally:
        await running.end(signal.SIGKILL)
        await until_nobody_works_in(data_dir)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="agentos-test-", dir="/tmp"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def working_in(folder: Path) -> set[int]:
    """The processes whose working folder is in ``folder``: every part's is, and its children's."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.add(int(process.name))
    return found


async def until_nobody_works_in(folder: Path) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while working_in(folder):
            await asyncio.sleep(0.02)


async def connect(services: Services) -> asyncpg.Connection:
    return await asyncpg.connect(services.database_url.replace("+asyncpg", ""))


def store(services: Services) -> Minio:
    return Minio(
        services.s3.endpoint.removeprefix("http://"),
        access_key=services.s3.access_key,
        secret_key=services.s3.secret_key,
        secure=False,
    )


async def test_nothing_outlives_a_killed_up_and_the_next_one_has_all_the_data(
    tmp_path: Path,
) -> None:
    async with up(tmp_path / "data") as first:
        services = await first.services()
        database = await connect(services)
        await database.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        store(services).put_object(
            bucket_name="agentos", object_name="kept", data=io.BytesIO(b"bytes"), length=5
        )
        client = await Client.connect(services.temporal_address)
        await client.start_workflow("Sleeper", id="kept", task_queue="nobody-polls-this")
        assert len(working_in(first.data_dir)) > 3
        await first.end(signal.SIGKILL)
        await until_nobody_works_in(first.data_dir)
        # A child that dies lets go of the folder's lock a moment after it is gone from the list.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while running_parts(first.data_dir):
                await asyncio.sleep(0.02)

    async with up(tmp_path / "data") as second:
        services = await second.services()
        database = await connect(services)
        assert await database.fetchval("SELECT answer FROM kept") == 42
        await database.close()
        found = store(services).get_object(bucket_name="agentos", object_name="kept")
        assert found.read() == b"bytes"
        found.close()
        client = await Client.connect(services.temporal_address)
        assert (await client.get_workflow_handle("kept").describe()).id == "kept"


async def test_sigterm_stops_every_part_and_takes_the_addresses_away(tmp_path: Path) -> None:
    async with up(tmp_path / "data") as running:
        await running.services()
        assert set(running_parts(running.data_dir)) == {"postgres", "temporal", "temporal_ui", "s3"}
        assert await running.end(signal.SIGTERM) == 0
        assert working_in(running.data_dir) == set()
        assert not (running.data_dir / "services.json").exists()
        assert not (running.data_dir / "run").exists()


@ONLY_ROOT
@pytest.mark.parametrize("uid", [NOBODY, NAMELESS])
async def test_an_ordinary_user_can_run_the_stack_even_one_without_a_name(uid: int) -> None:
    python = await an_interpreter_for(uid)
    with short_folder() as folder:
        async with up(folder / "data", python=python, uid=uid) as running:
            services = await running.services()
            connection = await connect(services)
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
            assert (folder / "data").stat().st_uid == uid
            assert await running.end(signal.SIGTERM) == 0


async def an_interpreter_for(uid: int) -> str:
    """A Python that this user may run: ours can be in root's home."""
    probe = (
        "import asyncpg, subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    )
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(OSError):
            process = await asyncio.create_subprocess_exec(
                *(python, "-c", probe),
                env={"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"},
                stderr=asyncio.subprocess.DEVNULL,
                cwd="/",
                user=uid,
                group=uid,
                extra_groups=[],
            )
            if await process.wait() == 0:
                return python
    pytest.skip(f"no Python here that user {uid} may run")


async def test_ports_that_are_taken_give_way(tmp_path: Path) -> None:
    usual = {7233, 8233, 8333}
    with taken(usual):
        async with up(tmp_path / "data", "usual") as running:
            services = await running.services()
            urls = (services.temporal_address, services.temporal_ui_url, services.s3.endpoint)
            assert usual.isdisjoint(int(url.rpartition(":")[2]) for url in urls)


async def test_every_part_stays_at_its_port_over_a_restart(tmp_path: Path) -> None:
    urls = []
    for _ in range(2):
        async with up(tmp_path / "data") as running:
            found = await running.services()
            urls.append((found.temporal_ui_url, found.temporal_address, found.s3.endpoint))
            await running.end(signal.SIGTERM)
    assert urls[0] == urls[1]


@contextmanager
def taken(ports: Iterable[int]) -> Iterator[None]:
    """Somebody listens on each port: we do, unless another program does already."""
    with ExitStack() as held:
        for port in ports:
            listener = held.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                listener.bind(("127.0.0.1", port))
                listener.listen()
        yield


@ONLY_ROOT
async def test_a_first_start_avoids_the_sockets_of_other_users() -> None:
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first_outgoing <= 20_000:
        pytest.skip("ports are chosen from a range here that is too wide to be closed")
    python = await an_interpreter_for(NAMELESS)
    with in_the_way(range(20_000, first_outgoing)), short_folder() as folder:
        async with up(folder / "data", python=python, uid=NAMELESS) as running:
            assert store(await running.services()).bucket_exists(bucket_name="agentos")
            assert await running.end(signal.SIGTERM) == 0


@contextmanager
def in_the_way(ports: Iterable[int]) -> Iterator[None]:
    """Files of ours with the names of sockets, where no store has any. One that starts meanwhile
    may put its socket in the place of a file."""
    made = []
    try:
        for port in ports:
            path = Path(f"/tmp/seaweedfs-filer-grpc-{port}.sock")
            with suppress(FileExistsError):
                path.touch(exist_ok=False)
                made.append(path)
        yield
    finally:
        for path in made:
            if path.is_file():
                path.unlink(missing_ok=True)


async def test_a_socket_of_another_user_does_not_stop_the_store(tmp_path: Path) -> None:
    kept_ports = choose_ports([None] * 9)
    while Path(f"/tmp/seaweedfs-master-grpc-{kept_ports[5]}.sock").exists():
        kept_ports = choose_ports([None] * 9)  # Another store that was killed had this one.
    (tmp_path / "data" / "s3").mkdir(parents=True)
    (tmp_path / "data" / "s3" / "inner-ports.json").write_text(json.dumps(kept_ports))
    # The store names sockets in /tmp after its ports, and hangs over one that it cannot replace.
    in_the_way = Path(f"/tmp/seaweedfs-master-grpc-{kept_ports[5]}.sock")
    (in_the_way / "not-empty").mkdir(parents=True)
    try:
        async with up(tmp_path / "data") as running:
            services = await running.services()
            assert store(services).bucket_exists(bucket_name="agentos")
    finally:
        shutil.rmtree(in_the_way)


async def test_a_store_that_was_there_before_does_not_wake_all_the_time(tmp_path: Path) -> None:
    options = StackOptions(tmp_path / "data", application=False, default_ports=False)
    async with Stack(options):
        pass
    async with Stack(options):
        pid = running_parts(options.data_dir)["s3"].pid
        await asyncio.sleep(QUIET_AFTER_SECONDS)
        before = wakes(pid)
        await asyncio.sleep(WATCHED_SECONDS)
        assert (wakes(pid) - before) / WATCHED_SECONDS < MOST_WAKES_A_SECOND


def wakes(pid: int) -> int:
    """How often the threads of a process have waited for something so far."""
    lines: list[str] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # It has just ended.
            lines += (thread / "status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


@pytest.fixture(scope="module")
async def deep(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """A stack in a folder whose path is too long for sockets, and full of odd signs."""
    data_dir = tmp_path_factory.mktemp("deep").joinpath(*["a folder, with: odd=signs? é"] * 5)
    async with Stack(StackOptions(data_dir, application=False, default_ports=False)) as services:
        yield services


async def test_a_data_folder_may_have_a_long_and_odd_path(deep: Services) -> None:
    connection = await connect(deep)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    engine = create_async_engine(deep.database_url)
    async with engine.connect() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await engine.dispose()


async def test_keys_and_sockets_are_closed_to_other_users(deep: Services) -> None:
    secrets = [*(deep.data_dir / "secrets").iterdir(), deep.data_dir / "s3" / "identities.json"]
    assert len(secrets) == 9
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE((deep.data_dir / "run").resolve().stat().st_mode) == 0o700


async def test_the_store_keeps_its_log_with_those_of_the_others(deep: Services) -> None:
    pid = running_parts(deep.data_dir)["s3"].pid
    assert [*Path("/tmp").glob(f"weed.*.{pid}")] == []
    log = (deep.data_dir / "logs" / "s3.log").read_text()
    assert "Starting SeaweedFS" in log
    assert "Reconnection attempt" not in log  # which it says every five seconds
    assert [*(deep.data_dir / "s3" / "logs").glob("weed.*")]


async def test_a_second_up_on_the_same_folder_says_so_and_changes_nothing(deep: Services) -> None:
    before = running_parts(deep.data_dir)
    with pytest.raises(StackInUse, match=f"process {os.getpid()}"):
        await Stack(StackOptions(deep.data_dir, application=False)).start()
    assert before
    assert running_parts(deep.data_dir) == before


@pytest.mark.parametrize("name", ["postgres", "temporal", "s3"])
async def test_a_part_that_is_killed_comes_back(deep: Services, name: str) -> None:
    old = running_parts(deep.data_dir)[name].pid
    os.kill(old, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while running_parts(deep.data_dir)[name].pid == old:
            await asyncio.sleep(0.02)
        while not await answers(name, deep):
            await asyncio.sleep(0.02)


async def answers(name: str, services: Services) -> bool:
    try:
        match name:
            case "postgres":
                await (await connect(services)).close()
            case "temporal":
                await Client.connect(services.temporal_address)
            case _:
                async with httpx.AsyncClient() as client:
                    await client.get(services.s3.endpoint)
    except (OSError, asyncpg.PostgresError, RuntimeError, httpx.TransportError):
        return False
    return True


async def test_the_store_shows_nothing_without_its_key_or_its_certificate(deep: Services) -> None:
    store(deep).put_object(
        bucket_name="agentos", object_name="private", data=io.BytesIO(b"private"), length=7
    )
    inner = json.loads((deep.data_dir / "s3" / "inner-ports.json").read_text())
    assert len(inner) == 9
    strangers = certificates.make("agentos-s3")
    with tempfile.TemporaryDirectory() as folder:
        pair = [Path(folder, name) for name in ("cert.pem", "key.pem")]
        for path, pem in zip(pair, strangers[1:], strict=True):
            path.write_text(pem)
        for port in inner:
            assert not await is_let_in(port, None), f"{port} without TLS"
            assert not await is_let_in(port, tls()), f"{port} without a certificate"
            assert not await is_let_in(port, tls(*pair)), f"{port} with another's certificate"
    own = [deep.data_dir / "secrets" / name for name in ("s3-cert.pem", "s3-key.pem")]
    assert all([await is_let_in(port, tls(*own)) for port in inner])  # else it proves nothing
    async with httpx.AsyncClient() as client:
        s3 = await client.get(f"{deep.s3.endpoint}/agentos/private")
    assert s3.status_code == 403


_HTTP_1 = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
# The preface, and a frame of settings: a server answers with its own.
_HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


def tls(*pair: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if pair:
        context.load_cert_chain(*pair)
    return context


async def is_let_in(port: int, context: ssl.SSLContext | None) -> bool:
    """Whether a port answers more than that it wants something else."""
    for opening in (_HTTP_1, _HTTP_2):
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
                writer.write(opening)
                answer = await reader.read(4096)
                writer.close()
                if answer and b" 400 Bad Request" not in answer:
                    return True
    return False


CODEC_KEY = b64encode(bytes(32)).decode()


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """A stack with API and two workers, all of which end with it."""
    options = StackOptions(
        tmp_path_factory.mktemp("whole") / "data",
        workers=2,
        default_ports=False,
        migrate=migrations.migrate,
        environment=variables.inherited() | {"AGENTOS_CODEC_KEY": CODEC_KEY},
    )
    stack = Stack(options)
    try:
        yield await stack.start()
        parts = running_parts(options.data_dir)
    finally:
        await stack.stop()
    assert not any(Path(f"/proc/{part.pid}").exists() for part in parts.values())
    kept = json.loads((options.data_dir / "ports.json").read_text())
    for name in ("api", "worker", "worker-2"):
        assert str(parts[name].url).endswith(f":{kept[name][0]}")


async def test_api_and_workers_run_and_come_back(whole: Services) -> None:
    parts = running_parts(whole.data_dir)
    assert {"api", "worker", "worker-2"} < set(parts)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{whole.api_url}/readyz")).status_code == 200
    os.kill(parts["worker-2"].pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while running_parts(whole.data_dir)["worker-2"] == parts["worker-2"]:
            await asyncio.sleep(0.02)


async def test_the_temporal_web_ui_has_payloads_decrypted_by_the_api(whole: Services) -> None:
    async with httpx.AsyncClient() as http:
        page = whole.temporal_ui_url
        told = (await http.get(f"{page}/api/v1/settings")).json()["Codec"]["Endpoint"]
        assert told == f"{whole.api_url}/codec"
        [payload] = await Codec([bytes(32)]).encode([Payload(data=b"plain")])
        answer = await http.post(
            f"{told}/decode",
            json={"payloads": [MessageToDict(payload)]},
            headers={"Origin": page},
        )
        assert answer.headers["Access-Control-Allow-Origin"] == page
        assert answer.json()["payloads"] == [{"metadata": {}, "data": b64encode(b"plain").decode()}]
    server = environment_of(running_parts(whole.data_dir)["temporal"].pid)
    assert CODEC_KEY not in server.values()


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, True),
        ({"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}, True),
        ({"OPENAI_API_KEY": "key"}, False),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, False),
    ],
)
def test_the_offline_model_is_wanted_where_no_other_is_named(
    environment: dict[str, str], wanted: bool
) -> None:
    assert model.is_wanted(environment) is wanted


async def test_a_port_that_was_asked_for_does_not_give_way(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            await Stack(StackOptions(tmp_path / "data", port=port)).start()
    assert not (tmp_path / "data").exists()


async def test_a_key_of_secrets_that_is_none_stops_a_start_at_once(tmp_path: Path) -> None:
    (tmp_path / "data" / "secrets").mkdir(parents=True)
    (tmp_path / "data" / "secrets" / "secrets-key").write_text("hunter2")
    with pytest.raises(SecretsKeyUnusable, match="secrets/secrets-key"):
        await Stack(StackOptions(tmp_path / "data", port=choose_ports([None])[0])).start()
    assert not (tmp_path / "data" / "postgres").exists()


async def test_a_second_up_on_the_same_folder_and_port_says_which_stack_has_it(
    tmp_path: Path,
) -> None:
    holder = DataFolder(tmp_path / "data")
    holder.acquire()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(StackInUse, match=f"process {os.getpid()}"):
            await Stack(StackOptions(tmp_path / "data", port=port)).start()
    holder.release()


async def test_a_port_that_is_taken_leaves_a_folder_of_before_free(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            await Stack(StackOptions(tmp_path / "data", port=port)).start()
    again = DataFolder(tmp_path / "data")
    again.acquire()
    again.release()


async def test_a_stack_that_is_stopped_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    stack = Stack(StackOptions(tmp_path / "data", application=False, default_ports=False))
    starting = asyncio.create_task(stack.start())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(working_in(tmp_path / "data")) < 2:
            await asyncio.sleep(0.01)
    starting.cancel()
    await stack.stop()
    with suppress(asyncio.CancelledError):
        await starting
    await until_nobody_works_in(tmp_path / "data")


async def test_the_store_has_room_for_many_buckets(infrastructure: Services) -> None:
    """A bound on its volumes would be one on all that is ever stored: buckets use them up first."""
    client = store(infrastructure)
    for number in range(20):
        bucket = f"many-{number}-{uuid.uuid4().hex}"
        client.make_bucket(bucket_name=bucket)
        client.put_object(bucket, "object", io.BytesIO(b"x"), 1)
