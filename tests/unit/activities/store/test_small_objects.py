"""Small objects on their way to S3: what is asked for, and what a refusal is taken for."""

import asyncio
import hashlib
import io
from pathlib import Path
from uuid import UUID

import pytest

from activities.store.blob_errors import blob_errors
from activities.store.blobs import Blobs, SmallBlob, blob_key
from activities.store.options import S3Options
from tests.doubles.https_server import Authority
from tests.doubles.listening import listening
from workflows.errors import AgentOSError, DiskFull, TemporaryFailure
from workflows.errors.services import StoreRefused

TEAM = UUID(int=7)
BODY = b"x" * 70_000
REFUSAL = "<Error><Code>{}</Code><Message>because</Message></Error>"


class Store:
    """Answers so many requests of a connection in the same way, and keeps them."""

    def __init__(
        self, status: int = 200, body: str = "", kind: str = "application/xml", *, most: int = 1
    ) -> None:
        self.connections = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self._most = most
        self._answer = (
            f"HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\n"
            f"location: http://127.0.0.1:1/\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self._most):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            length = int(_headers(head).get("content-length", 0))
            self.bodies.append(await reader.readexactly(length))
            writer.write(self._answer)
            await writer.drain()
        writer.close()


def _headers(head: str) -> dict[str, str]:
    lines = head.strip().split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def blob(body: bytes = BODY) -> SmallBlob:
    digest = hashlib.sha256(body).hexdigest()
    return SmallBlob(digest, len(body), "text/plain", lambda: io.BytesIO(body))


def options(port: int, scheme: str = "http", host: str = "127.0.0.1") -> S3Options:
    return S3Options(f"{scheme}://{host}:{port}", "agentos", "key", "secret")


async def put(blobs: Blobs, *wanted: SmallBlob) -> None:
    """To a store that nobody else uses: there is no ledger, and none of it is there."""
    for each in wanted:
        await asyncio.to_thread(blobs._send_small, blob_key(TEAM, each.sha256), each)


async def test_the_store_is_told_what_it_is_to_get_and_who_sends_it() -> None:
    store, wanted = Store(), blob()
    async with listening(store.serve) as port:
        await put(Blobs(options(port)), wanted, blob(b""))
    key = blob_key(TEAM, wanted.sha256)
    assert store.heads[0].startswith(f"PUT /agentos/{key} HTTP/1.1")
    told = _headers(store.heads[0])
    assert told["content-type"] == "text/plain"
    assert told["x-amz-content-sha256"] == wanted.sha256
    signed = "content-length;content-type;host;x-amz-content-sha256;x-amz-date"
    assert f"SignedHeaders={signed}," in told["authorization"]
    assert store.bodies == [BODY, b""]


async def test_the_size_of_an_object_is_asked_for_by_who_may_read_it() -> None:
    store, key = Store(), blob_key(TEAM, blob().sha256)
    async with listening(store.serve) as port:
        small = Blobs(options(port))._small
        assert small is not None
        assert await asyncio.to_thread(small.size_of, key) == 0
    assert store.heads[0].startswith(f"HEAD /agentos/{key} HTTP/1.1")
    signed = "host;x-amz-content-sha256;x-amz-date"
    assert f"SignedHeaders={signed}," in _headers(store.heads[0])["authorization"]


@pytest.mark.parametrize("status", [404, 403, 500])
async def test_of_what_cannot_be_looked_at_the_size_is_not_known(status: int) -> None:
    store = Store(status)
    async with listening(store.serve) as port:
        small = Blobs(options(port))._small
        assert small is not None
        assert await asyncio.to_thread(small.size_of, "any") is None


async def test_a_store_whose_certificate_nobody_vouches_for_gets_no_small_object(
    tmp_path: Path,
) -> None:
    context = Authority(tmp_path).server_context("localhost")
    store = Store()
    async with listening(store.serve, ssl=context) as port:
        blobs = Blobs(options(port, "https", "localhost"))
        with pytest.raises(TemporaryFailure, match="certificate verify failed"):
            await blobs.put_small(TEAM, [blob()], {})
    assert store.heads == []


@pytest.mark.parametrize(
    ("store", "raised", "said"),
    [
        (Store(507, REFUSAL.format("Full")), DiskFull, "because"),
        (Store(503, REFUSAL.format("SlowDown")), TemporaryFailure, "SlowDown because"),
        (Store(403, REFUSAL.format("AccessDenied")), StoreRefused, "AccessDenied because"),
        (Store(502, ":(", kind="text/html"), TemporaryFailure, "502"),
        (Store(500), TemporaryFailure, "500"),
        (Store(307), TemporaryFailure, "redirect"),
    ],
    ids=["full", "busy", "refused", "proxy", "silent", "moved"],
)
async def test_a_refusal_of_a_small_object_is_told_as_that_of_a_large_one(
    store: Store, raised: type[AgentOSError], said: str
) -> None:
    async with listening(store.serve) as port:
        blobs, wanted = Blobs(options(port)), blob()
        key = blob_key(TEAM, wanted.sha256)
        with pytest.raises(raised, match=said) as large:
            await blobs._send(key, wanted.size, "text/plain", wanted.open())
        with pytest.raises(raised, match=said) as small:
            async with blob_errors():
                await put(blobs, wanted)
    assert str(small.value) == str(large.value)
    assert len(store.heads) == 2  # Neither was tried again.


async def test_a_connection_is_used_for_all_that_follows() -> None:
    store = Store(most=5)
    async with listening(store.serve) as port:
        await put(Blobs(options(port)), *(blob(bytes([each])) for each in range(5)))
    assert (store.connections, len(store.heads)) == (1, 5)


async def test_an_object_that_was_cut_short_is_not_sent() -> None:
    store, whole = Store(), blob()
    short = SmallBlob(whole.sha256, whole.size + 1, whole.mime_type, whole.open)
    async with listening(store.serve) as port:
        with pytest.raises(OSError, match="70000 of 70001 bytes"):
            await put(Blobs(options(port)), short)
    assert store.heads == []
