"""What keeps the doctor from Temporal, in words."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import TLSConfig

from deploy.doctor.temporal_words import connected, in_words
from tests.doubles.https_server import Authority
from tests.doubles.listening import listening
from workflows.errors import TemporaryFailure


@asynccontextmanager
async def stranger(context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """It answers as a web server does, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with listening(serve, ssl=context) as port:
        yield port


async def told(address: str, tls: TLSConfig | bool = False) -> str:
    with pytest.raises(TemporaryFailure) as caught:
        await connected(lambda: Client.connect(address, tls=tls))
    reason = str(caught.value.fields["reason"])
    assert "tonic" not in reason
    return reason


async def test_nobody_at_a_port_and_a_name_of_nobody_are_told_apart() -> None:
    assert await told("127.0.0.1:1") == "nothing listens there"
    assert await told("nobody.invalid:7233") == "there is no host of this name"


async def test_a_server_that_is_no_temporal_is_told(tmp_path: Path) -> None:
    async with stranger() as port:
        assert "may be no Temporal" in await told(f"127.0.0.1:{port}")
        assert "speaks no TLS" in await told(f"127.0.0.1:{port}", tls=True)


async def test_what_is_wrong_with_a_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    own, other = Authority(tmp_path), Authority(tmp_path / "other")
    async with stranger(own.server_context("localhost")) as port:
        trusted = TLSConfig(server_root_ca_cert=own.certificate.read_bytes())
        foreign = TLSConfig(server_root_ca_cert=other.certificate.read_bytes())
        assert "for another name" in await told(f"127.0.0.1:{port}", trusted)
        assert "no authority that is trusted" in await told(f"localhost:{port}", foreign)
        assert "is no Temporal" in await told(f"localhost:{port}", trusted)


def test_what_is_not_known_is_quoted_in_short() -> None:
    assert in_words('Status { code: Denied, message: "go away" }') == "go away"
    assert len(in_words("x" * 1_000)) == 200
