"""Blobs that nothing names are collected, and none that somebody is about to name."""

import asyncio
import hashlib
import io
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest
from minio import Minio
from sqlalchemy import text

from activities.store import condemned
from activities.store.blobs import OWNER_KEY, SmallBlob, Stored
from activities.store.condemned import FoundBlob, Ledger
from activities.store.files import Upload, create_file
from activities.store.housekeeping.errors import BlobGone
from activities.store.keys import DEFAULT_TEAM
from api.housekeeping.housekeeper import Housekeeper
from api.housekeeping.options import HousekeepingOptions
from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage

NEVER = 3_600.0
RESTING = HousekeepingOptions(interval_seconds=NEVER)
# No peace at all: what is not named in this moment may go in this moment.
AT_ONCE = HousekeepingOptions(
    rest_seconds=0.0, round_seconds=0.0, blob_seconds=0.0, work_seconds=5.0
)


@pytest.fixture(scope="module")
def own_bucket(infrastructure: Services) -> str:
    name = f"test-{uuid4().hex}"
    client_of(infrastructure).make_bucket(name)
    return name


@pytest.fixture(scope="module")
async def shared(
    infrastructure: Services, skills_folder: Path, own_bucket: str
) -> AsyncIterator[Stage]:
    async with api_stage(
        infrastructure, skills_folder, works=False, bucket=own_bucket, housekeeping=RESTING
    ) as stage:
        yield stage


@pytest.fixture
async def own(shared: Stage, infrastructure: Services, own_bucket: str) -> Stage:
    """An API whose own housekeeping rests, with an empty bucket."""
    await shared.execute("TRUNCATE files, sweeps, condemned_blobs")
    client = client_of(infrastructure)
    for item in client.list_objects(own_bucket, recursive=True):
        client.remove_object(own_bucket, str(item.object_name))
    return shared


async def sweep(stage: Stage, options: HousekeepingOptions = AT_ONCE) -> None:
    services = replace(
        stage.services, options=replace(stage.services.options, housekeeping=options)
    )
    await Housekeeper(services).sweep()


async def upload(stage: Stage, content: bytes) -> tuple[str, str]:
    """The id and the SHA-256 of a file, which is a new one: no other has its name."""
    file = (f"{uuid4()}.txt", content)
    answer = (await stage.http.post("/files", files={"file": file})).json()
    return answer["id"], answer["sha256"]


async def has(stage: Stage, sha256: str) -> bool:
    return await stage.services.blobs.size_of(DEFAULT_TEAM, sha256) is not None


Put = Callable[[Stage, bytes], Awaitable[str]]


async def put_by_itself(stage: Stage, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    await stage.services.blobs.put(
        DEFAULT_TEAM, sha256, len(content), "text/plain", io.BytesIO(content)
    )
    return sha256


async def put_among_others(stage: Stage, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    small = SmallBlob(sha256, len(content), "text/plain", partial(io.BytesIO, content))
    await stage.services.blobs.put_small(DEFAULT_TEAM, [small], {})
    return sha256


@pytest.fixture(params=[put_by_itself, put_among_others], ids=["by itself", "among others"])
def put(request: pytest.FixtureRequest) -> Put:
    """The ways in which bytes come into the store."""
    way: Put = request.param
    return way


async def name(stage: Stage, sha256: str) -> UUID:
    """Write a row that names a blob; its id."""
    row = Upload(uuid4(), f"{uuid4()}.txt", 1, "text/plain", sha256)
    await create_file(stage.database, DEFAULT_TEAM, row)
    return row.id


def client_of(infrastructure: Services) -> Minio:
    store = infrastructure.s3
    return Minio(
        store.endpoint.removeprefix("http://"),
        access_key=store.access_key,
        secret_key=store.secret_key,
        secure=False,
    )


async def test_bytes_go_once_no_row_names_them_and_others_stay(own: Stage) -> None:
    (_, named), (file_id, unnamed) = await upload(own, b"one"), await upload(own, b"two")
    other, _ = await upload(own, b"two")
    await own.execute("DELETE FROM files WHERE id = :id", id=UUID(file_id))
    for _ in range(2):
        await sweep(own)
    assert await has(own, unnamed)
    await own.execute("DELETE FROM files WHERE id = :id", id=UUID(other))
    for _ in range(2):
        await sweep(own)
    assert not await has(own, unnamed)
    assert await has(own, named)
    shown = (await own.http.get("/housekeeping")).json()["sweeps"]
    blobs = next(item for item in shown if item["name"] == "blobs")
    assert (blobs["removed"], blobs["freed_bytes"]) == (1, 3)


async def test_bytes_that_a_kept_result_names_stay_until_it_expires(own: Stage) -> None:
    sha256 = await put_by_itself(own, b"x")
    await own.execute(
        "INSERT INTO result_cache (id, team_id, key, kind, name, step, expires_at, files, refused,"
        " stdout, stderr, hits) VALUES (gen_random_uuid(), :team, 'k', 'skill', 'n', 'a',"
        " now() + interval '1 hour',"
        " jsonb_build_array(jsonb_build_object('name', 'a.txt', 'sha256', CAST(:sha256 AS text))),"
        " '[]', '', '', 0)",
        team=DEFAULT_TEAM,
        sha256=sha256,
    )
    for _ in range(3):
        await sweep(own)
    assert await has(own, sha256)
    await own.execute("UPDATE result_cache SET expires_at = now() - interval '1 second'")
    for _ in range(3):
        await sweep(own)
    assert not await has(own, sha256)


async def test_new_bytes_are_given_time_until_their_row_is_written(own: Stage) -> None:
    sha256 = await put_by_itself(own, b"x")
    for _ in range(3):
        await sweep(own, replace(AT_ONCE, blob_seconds=3_600.0))
    assert await has(own, sha256)


async def test_an_upload_pardons_the_bytes_that_it_finds(own: Stage, put: Put) -> None:
    sha256 = await put(own, b"x")
    await sweep(own)  # condemns
    await put(own, b"x")
    await name(own, sha256)
    for _ in range(2):
        await sweep(own)
    assert await has(own, sha256)


async def test_no_row_can_name_bytes_that_are_being_removed(own: Stage, put: Put) -> None:
    sha256 = await put(own, b"x")
    found = [FoundBlob(sha256, 1, datetime.now(UTC))]
    assert await condemned.condemn(own.database, DEFAULT_TEAM, found) == 1
    assert await condemned.claim(own.database, DEFAULT_TEAM, sha256)
    with pytest.raises(BlobGone, match=sha256):
        await name(own, sha256)
    await own.services.blobs.remove(DEFAULT_TEAM, sha256)
    await condemned.gone(own.database, DEFAULT_TEAM, sha256)
    with pytest.raises(BlobGone):
        await name(own, sha256)
    await put(own, b"x")
    await name(own, sha256)
    assert await has(own, sha256)


async def test_bytes_are_not_claimed_while_a_row_that_names_them_is_being_written(
    own: Stage,
) -> None:
    sha256 = await put_by_itself(own, b"x")
    found = [FoundBlob(sha256, 1, datetime.now(UTC))]
    await condemned.condemn(own.database, DEFAULT_TEAM, found)
    async with own.database.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO files (id, team_id, name, size, mime_type, sha256)"
                " VALUES (gen_random_uuid(), :team, 'a', 1, 'text/plain', :sha256)"
            ),
            {"team": DEFAULT_TEAM, "sha256": sha256},
        )
        assert not await condemned.claim(own.database, DEFAULT_TEAM, sha256)
    assert not await condemned.claim(own.database, DEFAULT_TEAM, sha256)
    assert await condemned.doomed(own.database, DEFAULT_TEAM, grace_seconds=0, limit=9) == []


async def test_an_upload_waits_while_its_bytes_are_being_removed(own: Stage, put: Put) -> None:
    sha256 = await put(own, b"x")
    await condemned.condemn(own.database, DEFAULT_TEAM, [FoundBlob(sha256, 1, datetime.now(UTC))])
    await condemned.claim(own.database, DEFAULT_TEAM, sha256)
    uploading = asyncio.create_task(upload(own, b"x"))
    await asyncio.sleep(0.2)
    assert not uploading.done()
    await own.services.blobs.remove(DEFAULT_TEAM, sha256)
    await condemned.gone(own.database, DEFAULT_TEAM, sha256)
    await uploading
    assert await has(own, sha256)


async def test_small_bytes_that_were_removed_between_two_tries_are_sent_by_the_second(
    own: Stage,
) -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    small = SmallBlob(sha256, 1, "text/plain", partial(io.BytesIO, b"x"))
    stored: Stored = {}
    await own.services.blobs.put_small(DEFAULT_TEAM, [small], stored)
    await condemned.condemn(own.database, DEFAULT_TEAM, [FoundBlob(sha256, 1, datetime.now(UTC))])
    await condemned.claim(own.database, DEFAULT_TEAM, sha256)
    await own.services.blobs.remove(DEFAULT_TEAM, sha256)
    await condemned.gone(own.database, DEFAULT_TEAM, sha256)
    await own.services.blobs.put_small(DEFAULT_TEAM, [small], stored)
    await name(own, sha256)
    assert await has(own, sha256)


async def test_a_removal_that_a_dead_process_began_is_ended_by_another(own: Stage) -> None:
    sha256 = await put_by_itself(own, b"x")
    await condemned.condemn(own.database, DEFAULT_TEAM, [FoundBlob(sha256, 1, datetime.now(UTC))])
    await condemned.claim(own.database, DEFAULT_TEAM, sha256)
    await sweep(own)
    assert await has(own, sha256)
    await own.execute("UPDATE condemned_blobs SET since = now() - interval '1 hour'")
    await sweep(own)
    assert not await has(own, sha256)


async def test_a_removal_that_an_upload_has_not_seen_refuses_its_row(own: Stage) -> None:
    """One upload restores what was removed; the other's bytes went in a later removal."""
    sha256, ledger = await put_by_itself(own, b"x"), Ledger(own.database)

    async def remove() -> None:
        found = [FoundBlob(sha256, 1, datetime.now(UTC))]
        await condemned.condemn(own.database, DEFAULT_TEAM, found)
        assert await condemned.claim(own.database, DEFAULT_TEAM, sha256)
        await condemned.gone(own.database, DEFAULT_TEAM, sha256)

    await remove()
    first = await ledger.ask(DEFAULT_TEAM, sha256)
    second = await ledger.ask(DEFAULT_TEAM, sha256)
    assert first is not None
    assert second == first
    await ledger.restored(DEFAULT_TEAM, sha256, first)
    await remove()
    await ledger.restored(DEFAULT_TEAM, sha256, second)
    with pytest.raises(BlobGone):
        await name(own, sha256)


async def test_a_bucket_that_belongs_to_another_database_is_left_alone(
    own: Stage, infrastructure: Services, own_bucket: str
) -> None:
    mark = str(uuid4()).encode()
    client_of(infrastructure).put_object(own_bucket, OWNER_KEY, io.BytesIO(mark), len(mark))
    sha256 = await put_by_itself(own, b"x")
    for _ in range(3):
        await sweep(own)
    assert await has(own, sha256)


async def test_uploads_in_parts_that_were_never_completed_are_given_up(
    own: Stage, infrastructure: Services, own_bucket: str
) -> None:
    client = client_of(infrastructure)
    client._create_multipart_upload(own_bucket, f"{DEFAULT_TEAM}/aa/{'a' * 64}", {})
    blobs = own.services.blobs
    assert await blobs.abort_uploads(datetime.now(UTC) - timedelta(days=1), 100) == 0
    assert await blobs.abort_uploads(datetime.now(UTC) + timedelta(minutes=5), 100) == 1
    assert client._list_multipart_uploads(own_bucket).uploads == []


async def test_the_bucket_is_looked_at_page_by_page(own: Stage) -> None:
    digests = [await put_by_itself(own, str(number).encode()) for number in range(7)]
    after, found = None, list[str]()
    while True:
        page, after = await own.services.blobs.page(DEFAULT_TEAM, after, 3)
        assert len(page) <= 3
        found += [blob.sha256 for blob in page]
        if after is None:
            break
    assert sorted(found) == sorted(digests)


STRESS_SECONDS = 5.0
WRITERS = 4


async def test_uploads_of_the_same_bytes_lose_nothing_to_a_collector_without_patience(
    own: Stage, put: Put
) -> None:
    """Whatever the collector does in between: once the row of an upload is there, so are its
    bytes, and stay."""
    content, chance = b"the same", Random(7)
    sha256 = hashlib.sha256(content).hexdigest()
    ends_at = time.monotonic() + STRESS_SECONDS
    counts = Counter[str]()

    async def write() -> None:
        while time.monotonic() < ends_at:
            await put(own, content)
            await asyncio.sleep(chance.uniform(0, 0.02))
            try:
                file_id = await name(own, sha256)
            except BlobGone:
                counts["refused"] += 1
                continue
            assert await has(own, sha256)
            await asyncio.sleep(chance.uniform(0, 0.02))
            assert await has(own, sha256)
            counts["written"] += 1
            await own.execute("DELETE FROM files WHERE id = :id", id=file_id)
            await asyncio.sleep(chance.uniform(0, 0.3))

    async def collect() -> None:
        while time.monotonic() < ends_at:
            found = [FoundBlob(sha256, len(content), datetime.now(UTC))]
            await condemned.condemn(own.database, DEFAULT_TEAM, found)
            if await condemned.claim(own.database, DEFAULT_TEAM, sha256):
                await asyncio.sleep(chance.uniform(0, 0.01))
                await own.services.blobs.remove(DEFAULT_TEAM, sha256)
                await asyncio.sleep(chance.uniform(0, 0.01))
                await condemned.gone(own.database, DEFAULT_TEAM, sha256)
                counts["removed"] += 1

    await asyncio.gather(*(write() for _ in range(WRITERS)), collect(), collect())
    assert counts["written"] > 0
    assert counts["removed"] > 0, counts
