"""A server that asks for certificates of its clients, and passes what they say to another."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.doubles.https_server import Authority
from tests.doubles.listening import listening
from tests.doubles.passing_on import pass_on_both


@asynccontextmanager
async def tls_front(address: str, authority: Authority) -> AsyncIterator[int]:
    """Before the gRPC server at ``address``; gives the port. It is called ``localhost``."""
    context = authority.server_context("localhost")
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection(host, int(port))
        await pass_on_both((reader, writer), inner)

    async with listening(serve, ssl=context) as listened:
        yield listened
