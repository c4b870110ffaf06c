"""The transport to a program: a message a line on its stdin, and on its stdout as it comes.

The SDK has one as well. This one bounds the length of a message, hands nothing of the worker's
environment on, writes nothing that a server says into logs, and leaves no process behind.
"""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import anyio
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from activities.tools.mcp.bounds import (
    TOO_LONG,
    TOO_MANY_VALUES,
    TOO_OFTEN,
    Flow,
    has_too_many_values,
)
from activities.tools.mcp.last_words import LastWords
from activities.tools.mcp.messages import read
from activities.tools.mcp.pieces import Pieces
from activities.tools.mcp.stdio_program import CHUNK_BYTES, Program, leave, running

Streams = tuple[
    MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]
]

_EXIT_CODE_SECONDS = 0.5

log = structlog.get_logger(__name__)


@asynccontextmanager
async def stdio_transport(
    program: Program, on_end: Callable[[str], None], last_words: LastWords | None = None
) -> AsyncIterator[Streams]:
    """Start a program, and end it with all that it started.

    ``on_end`` is called if there will be no more messages, with the reason. ``last_words``
    hears what the program prints on stderr.

    Raises:
        McpUnavailable: the program cannot be started.
    """
    async with running(program) as process:
        incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](1)
        sent, outgoing = anyio.create_memory_object_stream[SessionMessage](1)
        talk = _Talk(program, process, incoming, last_words or LastWords(), on_end)
        tasks = [
            asyncio.create_task(work) for work in (talk.read(), talk.write(outgoing), talk.drain())
        ]
        try:
            yield received, sent
        finally:
            talk.is_left = True
            received.close()
            sent.close()
            await leave(process)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            incoming.close()
            outgoing.close()


class _Talk:
    """What is said on the pipes of a program."""

    def __init__(
        self,
        program: Program,
        process: Process,
        incoming: MemoryObjectSendStream[SessionMessage | Exception],
        last_words: LastWords,
        on_end: Callable[[str], None],
    ) -> None:
        self._program = program
        self._process = process
        self._incoming = incoming
        self._last_words = last_words
        self._on_end = on_end
        self._flow = Flow(time.monotonic)
        self._pieces = Pieces()
        self._has_babbled = False
        self._awaited: dict[RequestId, str] = {}
        self._has_drained = asyncio.Event()
        self.is_left = False

    async def read(self) -> None:
        reason = "it was disconnected"
        try:
            reason = await self._forward()
        finally:
            if not self.is_left:  # Else it ends because of us, and the reason is another.
                self._on_end(reason)  # First: as soon as the stream closes, somebody asks for it.
            self._incoming.close()

    async def _forward(self) -> str:
        """Pass messages on until there are no more; why there are none."""
        has_ended = False
        while not has_ended:
            printed = await self._printed()
            has_ended = printed == b""
            for piece in self._pieces_of(printed):
                if (fault := await self._take(piece)) is not None:
                    return fault
            lines = range(self._pieces.counted_lines())
            if not all(self._flow.has_room() for _ in lines):
                return f"it sent {TOO_OFTEN}"
            if self._pieces.is_too_long:
                return f"it sent {TOO_LONG}"
        return await self._how_it_ended()

    def _pieces_of(self, printed: bytes | None) -> Iterator[bytes]:
        if printed is None:
            return self._pieces.wait_no_more()
        return self._pieces.feed(printed) if printed else self._pieces.rest()

    async def _printed(self) -> bytes | None:
        """What comes next; nothing at the end, and None if the rest of a message does not come."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._pieces.patience_seconds):
                return await self._process.stdout.read(CHUNK_BYTES)
        except TimeoutError:
            return None

    async def _take(self, piece: bytes) -> str | None:
        """Pass on the messages in a piece; why no more can be taken, if so."""
        if not self._flow.has_room():
            return f"it sent {TOO_OFTEN}"
        if has_too_many_values(piece):
            return f"it sent {TOO_MANY_VALUES}"
        messages = read(piece, self._awaited)
        if not messages and not self._has_babbled and piece.strip():
            # Greetings and debug prints go to stdout in many a server: nobody's message.
            log.warning("mcp.not_a_message", server=self._program.server, size_bytes=len(piece))
            self._has_babbled = True
        for message in messages:
            if isinstance(message, (JSONRPCResponse, JSONRPCError)) and message.id is not None:
                self._awaited.pop(message.id, None)
            try:
                await self._incoming.send(SessionMessage(message))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return "it was disconnected"
        return None

    async def _how_it_ended(self) -> str:
        process = self._process
        with suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_CODE_SECONDS):
                await process.wait()
                await self._has_drained.wait()  # Its last words tell the reason.
        if process.returncode is None:
            return "it closed its stdout"
        if process.returncode > 128:
            return f"its program was killed by signal {process.returncode - 128}"
        return f"its program ended with exit code {process.returncode}"

    async def write(self, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        # A broken pipe is no news: the end of stdout tells of the program's end.
        with suppress(ConnectionError):
            async with outgoing:
                async for item in outgoing:
                    self._expect(item)
                    line = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                    stdin.write(f"{line}\n".encode())
                    await stdin.drain()

    def _expect(self, item: SessionMessage) -> None:
        """What is asked for will be answered, unless it is called off."""
        match item.message:
            case JSONRPCRequest(id=request_id, method=method):
                self._flow.asked()
                self._awaited[request_id] = method
            case JSONRPCNotification(method="notifications/cancelled", params={"requestId": name}):
                self._awaited.pop(name, None)

    async def drain(self) -> None:
        """A full pipe would stop the program. What it says may be anybody's data: no log has it."""
        assert self._process.stderr is not None
        size_bytes = 0
        try:
            while chunk := await self._process.stderr.read(CHUNK_BYTES):
                size_bytes += len(chunk)
                self._last_words.hear(chunk)
        finally:
            self._has_drained.set()
            if size_bytes:
                log.info("mcp.server_stderr", server=self._program.server, size_bytes=size_bytes)
