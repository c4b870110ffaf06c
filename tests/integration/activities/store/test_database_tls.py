"""A database that is reached over TLS only, as providers have it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from activities.store import migrations
from activities.store.database import Database
from activities.store.database_url import usual_url
from activities.store.listener import Listener
from tests.doubles.https_server import Authority
from tests.doubles.postgres_front import postgres_front
from workflows.errors import TemporaryFailure


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def address(empty_database_url: str, authority: Authority) -> AsyncIterator[str]:
    """The URL of an empty database, without a word about TLS."""
    inner = make_url(empty_database_url)
    async with postgres_front(Path(str(inner.query["host"])), authority) as port:
        bare = inner.set(host="localhost", port=port, query={})
        yield bare.render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "words", ["sslmode=require", "ssl=require", "sslmode=verify-full&sslrootcert={authority}"]
)
async def test_all_that_talk_to_a_database_take_its_words_about_tls(
    address: str, authority: Authority, words: str
) -> None:
    url = usual_url(f"{address}?{words.format(authority=authority.certificate)}")
    await migrations.migrate(url)
    assert await migrations.revision_of(url) == migrations.NEWEST
    database = Database(url)
    try:
        assert await database.is_current()
        async with database.reading() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        await database.close()
    await listen(url)


async def listen(url: str) -> None:
    """Return once a listener is connected."""
    connected = asyncio.Event()
    listener = Listener(url, "words", on_word=lambda _: None, on_connected=connected.set)
    running = asyncio.create_task(listener.run())
    try:
        async with asyncio.timeout(10):
            await connected.wait()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_server_that_another_authority_vouches_for_is_not_talked_to(
    address: str, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    database = Database(f"{address}?sslmode=verify-full&sslrootcert={other.certificate}")
    try:
        with pytest.raises(TemporaryFailure, match="certificate"):
            await database.is_current()
    finally:
        await database.close()
