"""A server that asks for certificates of its clients, and passes what they say to another."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.doubles.https_server import Authority
from tests.doubles.listening import listening


@asynccontextmanager
async def tls_front(address: str, authority: Authority) -> AsyncIterator[int]:
    """Before the gRPC server at ``address``; gives the port. It is called ``localhost``."""
    context = authority.server_context("localhost")
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(reader, inner_writer))
            group.create_task(_pass_on(inner_reader, writer))

    async with listening(serve, ssl=context) as listened:
        yield listened


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
