"""PostgreSQL as providers have it: on a port, and over TLS only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.doubles.https_server import Authority
from tests.doubles.listening import listening
from tests.doubles.passing_on import pass_on_both

_SSL_REQUEST = (8).to_bytes(4) + (80_877_103).to_bytes(4)  # see "SSLRequest" of its protocol
_SOCKET = ".s.PGSQL.5432"


@asynccontextmanager
async def postgres_front(sockets: Path, authority: Authority) -> AsyncIterator[int]:
    """Before the server with a socket in the folder; gives the port. It is called ``localhost``."""
    context = authority.server_context("localhost")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(len(_SSL_REQUEST)) != _SSL_REQUEST:
            writer.close()  # Who asks without TLS gets no answer.
            return
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(context)
        inner = await asyncio.open_unix_connection(sockets / _SOCKET)
        await pass_on_both((reader, writer), inner)

    async with listening(serve) as port:
        yield port
