"""A call of a tool, within a connection."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import mcp_types as types
from mcp import MCPError
from mcp.client import ClientSession
from pydantic import JsonValue, ValidationError

from activities.tools.mcp.connection import Disconnected, NotSent
from activities.tools.mcp.content import result_of
from activities.tools.mcp.failures import Failure, failure_of
from activities.tools.mcp.limits import LONGEST_CALL_SECONDS
from activities.tools.mcp.listing import clean_text
from activities.tools.mcp.results import McpResult
from workflows.errors import (
    McpAnswerInvalid,
    McpConnectionLost,
    McpTimedOut,
    McpUnavailable,
)

# The SDK's words for an answer that cannot come any more. Servers use its code for much else.
_LOST_MESSAGES = ("Connection closed", "SSE stream")
_UNREADABLE_MESSAGE = "Failed to parse"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """``timeout_seconds`` is how long it may take without a sign of progress."""

    server: str
    tool: str
    arguments: Mapping[str, JsonValue]
    timeout_seconds: float

    async def perform(self, session: ClientSession) -> McpResult:
        """What the tool answered; an error that the server reports is an answer too.

        Cancelled, it cancels the request.

        Raises:
            McpTimedOut, McpAnswerInvalid, McpUnavailable, McpConnectionLost
            NotSent, Disconnected: the connection is of no more use.
        """
        try:
            return result_of(await self._ask(session))
        except TimeoutError:
            raise McpTimedOut(
                server=self.server, tool=self.tool, seconds=self.timeout_seconds
            ) from None
        except ValidationError:
            # Without the cause: it quotes the answer.
            raise self._unusable("it does not follow the protocol") from None
        except MCPError as error:
            return self._report_of(error)

    async def _ask(self, session: ClientSession) -> types.CallToolResult:
        clock = asyncio.get_running_loop().time
        latest = clock() + LONGEST_CALL_SECONDS
        async with asyncio.timeout(self.timeout_seconds) as limit:

            async def on_progress(
                progress: float, total: float | None, message: str | None
            ) -> None:
                if not has_ended:
                    limit.reschedule(min(clock() + self.timeout_seconds, latest))

            has_ended = False
            try:
                # Not `session.call_tool`: that one checks the answer by the server's own schema,
                # whose patterns can keep a processor busy for years.
                return await session.send_request(
                    types.CallToolRequest(
                        params=types.CallToolRequestParams(
                            name=self.tool, arguments=dict(self.arguments)
                        )
                    ),
                    types.CallToolResult,
                    request_read_timeout_seconds=LONGEST_CALL_SECONDS,
                    progress_callback=on_progress,
                )
            finally:
                has_ended = True  # A late sign of progress must not touch a limit that is over.

    def _report_of(self, error: MCPError) -> McpResult:
        match failure_of(error):
            case Failure.UNREACHABLE | Failure.SESSION_GONE:
                raise NotSent from error
            case Failure.LOST:
                raise McpConnectionLost(
                    server=self.server, tool=self.tool, reason=error.message
                ) from error
            case Failure.REFUSED:
                raise McpUnavailable(server=self.server, reason=error.message) from error
            case Failure.UNUSABLE:
                raise self._unusable(error.message) from error
        match error.code:
            case types.CONNECTION_CLOSED if error.message.startswith(_LOST_MESSAGES):
                raise Disconnected from error
            case types.PARSE_ERROR if error.message.startswith(_UNREADABLE_MESSAGE):
                raise self._unusable("it does not follow the protocol") from None
            case _:
                return McpResult(clean_text(error.message), is_error=True)

    def _unusable(self, reason: str) -> McpAnswerInvalid:
        return McpAnswerInvalid(server=self.server, tool=self.tool, reason=reason)
