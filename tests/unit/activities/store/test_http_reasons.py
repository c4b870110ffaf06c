"""Why an S3 store is away, in words."""

import asyncio
from pathlib import Path

import pytest

from activities.store.blobs import Blobs
from activities.store.options import S3Options
from tests.doubles.https_server import Authority
from tests.doubles.listening import listening
from workflows.errors import TemporaryFailure


async def told(endpoint: str) -> str:
    with pytest.raises(TemporaryFailure) as caught:
        await Blobs(S3Options(endpoint, "agentos", "key", "secret")).check()
    return str(caught.value.fields["reason"])


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a proxy does that has nobody behind it."""
    await reader.read(10)
    writer.write(
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n:("
    )
    await writer.drain()
    writer.close()


async def test_a_store_that_is_away_is_told_as_the_system_says_it(tmp_path: Path) -> None:
    assert await told("http://127.0.0.1:1") == "Connection refused"
    assert "not known" in await told("http://nobody.invalid")
    async with listening(serve) as port:
        assert "502" in await told(f"http://127.0.0.1:{port}")
        assert await told(f"https://127.0.0.1:{port}") == "wrong version number"
    context = Authority(tmp_path).server_context("localhost")
    async with listening(serve, ssl=context) as port:
        assert (await told(f"https://localhost:{port}")).startswith("certificate verify failed")
