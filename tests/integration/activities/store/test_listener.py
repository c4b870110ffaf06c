"""What is heard of what PostgreSQL announces."""

import asyncio
from contextlib import suppress

import asyncpg

from activities.store.database import Database
from activities.store.database_url import driver_url
from activities.store.listener import Listener


async def test_words_of_several_channels_come_over_one_connection(database: Database) -> None:
    first: asyncio.Queue[str] = asyncio.Queue()
    second: asyncio.Queue[str] = asyncio.Queue()
    connected = asyncio.Event()
    listener = Listener(database.url, "first", on_word=first.put_nowait, on_connected=connected.set)
    listener.hear("second", second.put_nowait)
    listening = asyncio.create_task(listener.run())
    speaker = await asyncpg.connect(driver_url(database.url))
    async with asyncio.timeout(30):
        await connected.wait()
        await speaker.execute("NOTIFY second, 'b'; NOTIFY third, 'c'; NOTIFY first, 'a'")
        assert (await first.get(), await second.get()) == ("a", "b")
    assert first.empty()
    assert second.empty()
    await speaker.close()
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
