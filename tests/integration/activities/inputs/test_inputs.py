"""Inputs on the true database and store: checked at submission, fetched once, the same for ever."""

import asyncio
import hashlib
import io
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from minio import Minio
from sqlalchemy import text

from activities.inputs.checking import check_inputs
from activities.inputs.fetching import Inputs
from activities.inputs.policy import InputPolicy
from activities.store import files, tasks
from activities.store.blobs import Blobs, blob_key
from activities.store.database import Database
from activities.store.files import Upload
from activities.store.options import S3Options
from activities.units import MEBIBYTE
from deploy.local.s3 import S3Access
from deploy.local.services import Services
from tests.doubles.https_server import (
    Authority,
    HttpsServer,
    https_server,
    redirects,
    repeats,
    says,
)
from tests.integration.new_tasks import new_task
from tests.pressure import allowed
from tests.security.processes import until
from workflows.definitions.pipeline import Pipeline
from workflows.errors import TemporaryFailure
from workflows.errors.inputs import InputNotFound, InputRefMalformed, InputRefused, InputTooLarge
from workflows.errors.services import BlobCorrupt
from workflows.pointers import Problem
from workflows.states import TaskType


@dataclass
class House:
    """All that inputs are made of, and what tests do with it."""

    database: Database
    options: S3Options
    blobs: Blobs
    s3: Minio
    folder: Path
    policy: InputPolicy
    team: UUID
    other_team: UUID

    def inputs(self, folder: str = "inputs", **changes: object) -> Inputs:
        policy = replace(self.policy, **changes)  # type: ignore[arg-type]
        return Inputs(self.database, self.blobs, self.folder / folder, policy, _on_this_machine)

    async def check(self, refs: Mapping[str, str], *buckets: str) -> list[Problem]:
        policy = replace(self.policy, allowed_buckets=buckets)
        return await check_inputs(self.database, self.blobs, policy, self.team, refs)

    async def read(self, inputs: Inputs, ref: str, task_id: UUID | None = None) -> bytes:
        async with inputs.leased(task_id or uuid4(), self.team, {"data": ref}) as paths:
            return paths["data"].read_bytes()

    async def upload(self, data: bytes, team_id: UUID | None = None) -> str:
        team_id = team_id or self.team
        sha256 = hashlib.sha256(data).hexdigest()
        upload = Upload(uuid4(), "data.csv", len(data), "text/csv", sha256)
        await self.blobs.put(team_id, sha256, len(data), "text/csv", io.BytesIO(data))
        await files.create_file(self.database, team_id, upload)
        return f"file:{upload.id}"

    async def artifact(self, sha256: str | None, size: int) -> str:
        task_id, key = uuid4(), uuid4()
        pipeline = Pipeline.model_validate({"name": "p", "steps": [{"id": "one", "skill": "x"}]})
        await tasks.create_task(
            self.database,
            new_task(TaskType.PIPELINE, pipeline, task_id=task_id, team_id=self.team),
        )
        async with self.database.writing() as connection:
            await connection.execute(
                text(
                    """
                    INSERT INTO task_artifacts
                        (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
                    SELECT :id, team_id, task_id, id, 'file', 'a.csv', :size, 'text/csv', :sha256
                    FROM sub_tasks WHERE task_id = :task_id"""
                ),
                {"id": key, "task_id": task_id, "sha256": sha256, "size": size},
            )
        return f"artifact:{key}"

    async def put(self, bucket: str, key: str, data: bytes) -> None:
        await asyncio.to_thread(self.s3.put_object, bucket, key, io.BytesIO(data), len(data))


async def _on_this_machine(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
async def buckets(infrastructure: Services) -> tuple[str, str]:
    """Of AgentOS and of somebody else. Few: to each the store gives a part of its disk."""
    names = (f"house-{uuid4().hex}", f"outer-{uuid4().hex}")
    for name in names:
        await asyncio.to_thread(_client(infrastructure.s3).make_bucket, name)
    return names


@pytest.fixture
async def house(
    infrastructure: Services,
    database_url: str,
    buckets: tuple[str, str],
    tmp_path: Path,
    authority: Authority,
) -> AsyncIterator[House]:
    database, teams, s3 = Database(database_url), (uuid4(), uuid4()), infrastructure.s3
    async with database.writing() as connection:
        for team in teams:
            await connection.execute(
                text("INSERT INTO teams (id, name) VALUES (:id, :name)"),
                {"id": team, "name": str(team)},
            )
    options = S3Options(s3.endpoint, buckets[0], s3.access_key, s3.secret_key)
    policy = InputPolicy(ca_file=authority.certificate)
    yield House(database, options, Blobs(options), _client(s3), tmp_path, policy, *teams)
    await database.close()


@pytest.fixture
def outer_bucket(buckets: tuple[str, str]) -> str:
    return buckets[1]


def _client(s3: S3Access) -> Minio:
    endpoint = s3.endpoint.removeprefix("http://")
    return Minio(endpoint, access_key=s3.access_key, secret_key=s3.secret_key, secure=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority: Authority, house: House) -> AsyncIterator[HttpsServer]:
    async with https_server(authority.server_context("data.example"), {}) as running:
        house.policy = replace(house.policy, private_hosts=(f"data.example:{running.port}",))
        yield running


# Checks at submission.


async def test_files_of_the_team_pass_the_check(house: House) -> None:
    refs = {"file": await house.upload(b"data"), "artifact": await house.artifact("ab" * 32, 4)}
    assert await house.check(refs) == []


async def test_all_wrong_inputs_are_reported_at_once_with_their_places(house: House) -> None:
    unknown = uuid4()
    refs = {
        "fine": await house.upload(b"data"),
        "unknown": f"file:{unknown}",
        "swapped": (await house.upload(b"data")).replace("file:", "artifact:"),
        "link": await house.artifact(None, 0),
        "foreign": await house.upload(b"data", house.other_team),
        "malformed": "ftp://a.example/",
        "host": "https://a.example/x?token=5ec7e7",
        "bucket": "s3://data/key",
        "odd/na~me": "?",
    }
    problems = await house.check(refs)
    assert {problem.pointer for problem in problems} == {
        "/inputs/unknown",
        "/inputs/swapped",
        "/inputs/link",
        "/inputs/foreign",
        "/inputs/malformed",
        "/inputs/host",
        "/inputs/bucket",
        "/inputs/odd~1na~0me",
    }
    told = {problem.pointer: problem.message for problem in problems}
    assert told["/inputs/unknown"].startswith(f"there is no file with the id of file:{unknown}; ")
    assert told["/inputs/unknown"].endswith("--input unknown=FILE")
    assert told["/inputs/foreign"].startswith("there is no file with the id of")
    assert "AGENTOS_ALLOWED_HOSTS" in told["/inputs/host"]
    assert not any("5ec7e7" in message for message in told.values())


async def test_the_bucket_of_the_house_is_refused_even_when_it_is_allowed(house: House) -> None:
    bucket = house.blobs.bucket
    inputs = house.inputs(allowed_buckets=(bucket,))
    ref = f"s3://{bucket}/{blob_key(house.other_team, 'ab' * 32)}"
    [problem] = await house.check({"data": ref}, bucket)
    assert problem.message.endswith("is the one of AgentOS itself")
    with pytest.raises(InputRefused, match="of AgentOS itself"):
        await house.read(inputs, ref)


async def test_a_check_costs_one_query_at_most(house: House, queries: list[str]) -> None:
    files_of_team = {str(number): await house.upload(b"%d" % number) for number in range(5)}
    refs = files_of_team | {"artifact": await house.artifact("ab" * 32, 4)}
    queries.clear()
    assert await house.check({"object": "s3://data/key"}, "data") == []
    assert queries == []
    assert await house.check(refs) == []
    assert len(queries) == 1


# Files and artifacts.


async def test_files_and_artifacts_are_leased_under_their_names(house: House) -> None:
    data = b"x" * (3 * MEBIBYTE + 1)
    refs = {"a": await house.upload(data), "b": await house.upload(b"")}
    refs["c"] = await house.artifact(hashlib.sha256(data).hexdigest(), len(data))
    async with house.inputs().leased(uuid4(), house.team, refs) as paths:
        assert list(paths) == ["a", "b", "c"]
        assert paths["a"].read_bytes() == data
        assert paths["b"].read_bytes() == b""
        assert paths["c"] == paths["a"]
        assert paths["a"].stat().st_mode & 0o777 == 0o444


async def test_a_second_fetch_needs_no_store(house: House) -> None:
    ref, inputs = await house.upload(b"data"), house.inputs()
    await house.read(inputs, ref)
    await _remove_blob(house, b"data")
    assert await house.read(inputs, ref) == b"data"


async def test_many_who_want_one_file_at_once_cause_one_download(house: House) -> None:
    ref, inputs = await house.upload(b"data"), house.inputs()
    reads = [asyncio.ensure_future(house.read(inputs, ref)) for _ in range(20)]
    assert await asyncio.gather(*reads) == [b"data"] * 20
    assert len(left_in(house.folder)) == 1


async def test_a_file_of_another_team_is_not_found(house: House) -> None:
    ref = await house.upload(b"data", house.other_team)
    with pytest.raises(InputNotFound, match="there is no file"):
        await house.read(house.inputs(), ref)


async def test_a_malformed_reference_is_refused(house: House) -> None:
    with pytest.raises(InputRefMalformed):
        await house.read(house.inputs(), "../../etc/passwd")


async def test_a_blob_that_the_store_lost_is_not_found(house: House) -> None:
    ref = await house.upload(b"data")
    await _remove_blob(house, b"data")
    with pytest.raises(InputNotFound, match="has no such object"):
        await house.read(house.inputs(), ref)


async def test_a_blob_with_other_bytes_is_refused_and_not_kept(house: House) -> None:
    ref = await house.upload(b"data")
    key = blob_key(house.team, hashlib.sha256(b"data").hexdigest())
    await house.put(house.blobs.bucket, key, b"date")
    inputs = house.inputs()
    for _ in range(2):
        with pytest.raises(BlobCorrupt):
            await house.read(inputs, ref)
    assert left_in(house.folder) == []


async def test_a_store_that_is_away_for_a_moment_only_delays(house: House) -> None:
    ref = await house.upload(b"data")
    async with _relay(int(house.options.endpoint.rpartition(":")[2])) as (port, refused, back):
        house.blobs = Blobs(replace(house.options, endpoint=f"http://127.0.0.1:{port}"))
        reading = asyncio.ensure_future(house.read(house.inputs(), ref))
        await refused.wait()
        assert not reading.done()
        back.set()
        assert await reading == b"data"


@asynccontextmanager
async def _relay(target: int) -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event]]:
    """A port of the store that ends every connection, which it tells, until it shall be back."""
    refused, back = asyncio.Event(), asyncio.Event()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not back.is_set():
            refused.set()
            writer.close()
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pipe(reader, outer), pipe(inner, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], refused, back
    server.close()


async def _remove_blob(house: House, data: bytes) -> None:
    key = blob_key(house.team, hashlib.sha256(data).hexdigest())
    await asyncio.to_thread(house.s3.remove_object, house.blobs.bucket, key)


# Objects of other buckets.


async def test_an_object_stays_what_it_was_when_the_task_first_saw_it(
    house: House, outer_bucket: str
) -> None:
    ref, task_id = f"s3://{outer_bucket}/über/data 1.csv", uuid4()
    key = ref.removeprefix(f"s3://{outer_bucket}/")
    await house.put(outer_bucket, key, b"first")
    this = house.inputs("this machine", allowed_buckets=(outer_bucket,))
    other = house.inputs("other machine", allowed_buckets=(outer_bucket,))
    assert await house.read(this, ref, task_id) == b"first"
    await house.put(outer_bucket, key, b"second")
    assert await house.read(this, ref, task_id) == b"first"
    assert await house.read(other, ref, task_id) == b"first"
    assert await house.read(other, ref, uuid4()) == b"second"


async def test_a_fetched_input_is_listed_as_a_file_of_the_team(
    house: House, outer_bucket: str
) -> None:
    await house.put(outer_bucket, "a/sales.csv", b"data")
    inputs = house.inputs(allowed_buckets=(outer_bucket,))
    await house.read(inputs, f"s3://{outer_bucket}/a/sales.csv")
    async with house.database.reading() as connection:
        row = (await connection.execute(text("SELECT * FROM files"))).one()
    assert (row.name, row.size, row.mime_type) == ("sales.csv", 4, "text/csv")
    assert await house.read(inputs, f"file:{row.id}") == b"data"


async def test_workers_that_fetch_a_changing_source_at_once_agree(
    house: House, server: HttpsServer
) -> None:
    count = 0

    async def changing(writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await says(b"version %d" % count)(writer)

    server.answers["/x"] = changing
    task_id, ref = uuid4(), f"https://data.example:{server.port}/x"
    machines = [house.inputs(str(number)) for number in range(4)]
    seen = await asyncio.gather(*(house.read(inputs, ref, task_id) for inputs in machines))
    assert len(set(seen)) == 1
    assert await house.read(machines[0], ref, task_id) == seen[0]


async def test_an_object_that_is_not_there_is_not_found(house: House, outer_bucket: str) -> None:
    inputs = house.inputs(allowed_buckets=(outer_bucket, "no-such-bucket"))
    for ref in (f"s3://{outer_bucket}/none", "s3://no-such-bucket/key"):
        with pytest.raises(InputNotFound, match="has no such object"):
            await house.read(inputs, ref)


async def test_an_object_of_a_bucket_that_is_not_allowed_is_refused(
    house: House, outer_bucket: str
) -> None:
    await house.put(outer_bucket, "key", b"data")
    with pytest.raises(InputRefused, match="AGENTOS_ALLOWED_BUCKETS"):
        await house.read(house.inputs(allowed_buckets=("other",)), f"s3://{outer_bucket}/key")


async def test_an_object_over_the_limit_is_refused(house: House, outer_bucket: str) -> None:
    inputs = house.inputs(allowed_buckets=(outer_bucket,), max_bytes=10)
    await house.put(outer_bucket, "10", b"x" * 10)
    await house.put(outer_bucket, "11", b"x" * 11)
    assert len(await house.read(inputs, f"s3://{outer_bucket}/10")) == 10
    with pytest.raises(InputTooLarge, match="larger than 10 bytes"):
        await house.read(inputs, f"s3://{outer_bucket}/11")
    assert len(left_in(house.folder)) == 1


# Downloads.


async def test_a_download_happens_once_for_a_task(house: House, server: HttpsServer) -> None:
    server.answers["/go"] = redirects("/a/sales.csv?day=2")
    server.answers["/a/sales.csv?day=2"] = says(b"data")
    inputs, task_id = house.inputs(), uuid4()
    ref = f"https://data.example:{server.port}/go"
    reads = [asyncio.ensure_future(house.read(inputs, ref, task_id)) for _ in range(5)]
    assert await asyncio.gather(*reads) == [b"data"] * 5
    assert await house.read(house.inputs("other machine"), ref, task_id) == b"data"
    assert len(server.requests) == 2


async def test_urls_that_differ_in_their_query_are_different_inputs(
    house: House, server: HttpsServer
) -> None:
    server.answers |= {"/x?a": says(b"a"), "/x?b": says(b"b")}
    inputs, task_id, url = house.inputs(), uuid4(), f"https://data.example:{server.port}/x"
    assert await house.read(inputs, f"{url}?a", task_id) == b"a"
    assert await house.read(inputs, f"{url}?b", task_id) == b"b"


async def test_a_download_is_named_after_the_path_of_its_url(
    house: House, server: HttpsServer
) -> None:
    server.answers |= {"/a/%C3%BCber%0A.csv?x": says(b"a"), "/": says(b"b")}
    for target in ("/a/%C3%BCber%0A.csv?x", "/"):
        await house.read(house.inputs(), f"https://data.example:{server.port}{target}")
    async with house.database.reading() as connection:
        names = await connection.scalars(text("SELECT name FROM files ORDER BY created_at"))
        assert list(names) == ["über.csv", "data.example"]


@pytest.mark.parametrize("length", [None, 10**12])
async def test_a_body_without_an_end_is_cut_at_the_limit(
    house: House, server: HttpsServer, length: int | None
) -> None:
    server.answers["/endless"] = repeats(b"x" * 65_536, length=length)
    inputs = house.inputs(max_bytes=5 * MEBIBYTE)
    with pytest.raises(InputTooLarge, match="5242880 bytes"):
        await house.read(inputs, f"https://data.example:{server.port}/endless")
    assert left_in(house.folder) == []


async def test_a_body_that_only_drips_is_given_up(house: House, server: HttpsServer) -> None:
    server.answers["/slow"] = repeats(b"x", pause_seconds=0.02)
    inputs, begun = house.inputs(timeout_seconds=0.3), time.monotonic()
    with pytest.raises(TemporaryFailure, match=r"did not end within 0\.3 s"):
        await house.read(inputs, f"https://data.example:{server.port}/slow")
    assert time.monotonic() - begun < allowed(2)
    assert left_in(house.folder) == []


async def test_a_cancelled_download_stops_at_once_and_leaves_nothing(
    house: House, server: HttpsServer
) -> None:
    server.answers["/endless"] = repeats(b"x" * 65_536)
    reading = asyncio.ensure_future(
        house.read(house.inputs(), f"https://data.example:{server.port}/endless")
    )
    await until(lambda: any(path.stat().st_size for path in left_in(house.folder)))
    begun = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert time.monotonic() - begun < allowed(1)
    assert left_in(house.folder) == []


async def test_a_store_that_stalls_holds_up_no_cancellation(house: House) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 2_000_000)
        await reader.read()
        writer.close()

    ref = await house.upload(b"data")
    server = await asyncio.start_server(stall, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    house.blobs = Blobs(replace(house.options, endpoint=f"http://127.0.0.1:{port}"))
    reading = asyncio.ensure_future(house.read(house.inputs(), ref))
    await until(lambda: any(path.stat().st_size for path in left_in(house.folder)))
    begun = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert time.monotonic() - begun < allowed(1)
    assert left_in(house.folder) == []
    server.close()
