"""A call of a tool, within a connection."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mcp_types as types
from mcp import MCPError
from mcp.client import ClientSession
from pydantic import JsonValue, TypeAdapter, ValidationError

from activities.tools.mcp.asking import Asker, Askers
from activities.tools.mcp.connection import Disconnected, NotSent
from activities.tools.mcp.content import result_of
from activities.tools.mcp.errors import McpQuestionUnclear
from activities.tools.mcp.failures import Failure, failure_of
from activities.tools.mcp.limits import LONGEST_CALL_SECONDS
from activities.tools.mcp.listing import clean_text
from activities.tools.mcp.questions import MAX_QUESTIONS, Replies
from activities.tools.mcp.results import McpResult
from workflows.errors.mcp import (
    McpAnswerInvalid,
    McpAsks,
    McpConnectionLost,
    McpTimedOut,
    McpUnavailable,
)

# The SDK's words for an answer that cannot come any more. Servers use its code for much else.
_LOST_MESSAGES = ("Connection closed", "SSE stream")
_UNREADABLE_MESSAGE = "Failed to parse"
_TOLD_CHARACTERS = 2_000

_Answer = types.CallToolResult | types.ReadResourceResult | types.InputRequiredResult
_CALLED: TypeAdapter[_Answer] = TypeAdapter(types.CallToolResult | types.InputRequiredResult)
_READ: TypeAdapter[_Answer] = TypeAdapter(types.ReadResourceResult | types.InputRequiredResult)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """``timeout_seconds`` is how long it may take without a sign of progress. One that
    ``reads_resources`` is no tool of the server's: its argument is the ``uri`` of a resource. One
    that ``is_retry_safe`` may be made twice."""

    server: str
    tool: str
    arguments: Mapping[str, JsonValue]
    timeout_seconds: float
    replies: Replies = field(default_factory=dict)
    reads_resources: bool = False
    is_retry_safe: bool = False

    async def perform(self, session: ClientSession, askers: Askers) -> McpResult:
        """What the tool answered; an error that the server reports is an answer too.

        Cancelled, it cancels the request.

        Raises:
            McpAsks: the server has a question that ``replies`` do not answer. It was told that
                nobody answers now, and has ended the call.
            McpQuestionUnclear: it has ended, and may have asked something that was cancelled.
            McpTimedOut, McpAnswerInvalid, McpUnavailable, McpConnectionLost
            NotSent, Disconnected: the connection is of no more use.
        """
        if askers.is_spoilt:
            raise NotSent
        try:
            is_alone = bool(self.replies) or (askers.is_confusing and not self.is_retry_safe)
            async with askers.asker(self.replies, is_alone=is_alone) as asker:
                answer = await self._converse(session, asker)
            if asker.is_unclear:
                if not self.is_retry_safe:
                    raise self._unclear(askers.clean(result_of(answer, askers.clean).text))
                async with askers.asker(self.replies, is_alone=True) as asker:
                    answer = await self._converse(session, asker)
            if asker.question is not None:
                raise McpAsks(
                    server=self.server,
                    tool=self.tool,
                    question=asker.question,
                    limit=MAX_QUESTIONS,
                )
            if asker.fault is not None:
                raise self._unusable(asker.fault)
            return result_of(answer, askers.clean)
        except TimeoutError:
            raise self._timed_out() from None
        except ValidationError:
            # Without the cause: it quotes the answer.
            raise self._unusable("it does not follow the protocol") from None
        except MCPError as error:
            return self._report_of(error)

    def _timed_out(self) -> McpTimedOut:
        error = McpTimedOut(server=self.server, tool=self.tool, seconds=self.timeout_seconds)
        error.remedy = (
            "give it less to do at once, or register the server again with a longer `--timeout` "
            "(`timeout_seconds`). The `timeout` of a step ends it earlier, never later."
        )
        return error

    async def _converse(self, session: ClientSession, asker: Asker) -> types.CallToolResult:
        """Ask until the answer is no question. Servers of the protocol from 2026-07-28 on ask by
        their answers, others meanwhile."""
        given: dict[str, Any] = {"name": self.tool, "arguments": dict(self.arguments)}
        if self.reads_resources:
            given = {"uri": str(self.arguments.get("uri", ""))}
        for _ in range(MAX_QUESTIONS):
            try:
                answer = await self._ask(session, given)
            except MCPError as error:
                return _pages_wanted(error, asker)
            if isinstance(answer, types.CallToolResult):
                return answer
            if isinstance(answer, types.ReadResourceResult):
                parts = [types.EmbeddedResource(resource=item) for item in answer.contents]
                return types.CallToolResult(content=list(parts))
            requests = (answer.input_requests or {}).items()
            if any(not isinstance(request, types.ElicitRequest) for _, request in requests):
                raise self._unusable("it asks for a model or for folders, which it is not given")
            given["request_state"] = answer.request_state
            given["input_responses"] = {
                name: asker.reply(request.params)
                for name, request in requests
                if isinstance(request, types.ElicitRequest)
            }
            if asker.question is not None:  # It waits for nobody: the state is with its answer.
                return types.CallToolResult(content=[])
        raise self._unusable(f"it asks more than {MAX_QUESTIONS} questions")

    async def _ask(self, session: ClientSession, given: Mapping[str, Any]) -> _Answer:
        request: types.ReadResourceRequest | types.CallToolRequest
        if self.reads_resources:
            reading = types.ReadResourceRequestParams.model_validate(given)
            request, kinds = types.ReadResourceRequest(params=reading), _READ
        else:
            calling = types.CallToolRequestParams.model_validate(given)
            request, kinds = types.CallToolRequest(params=calling), _CALLED
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
                    request,
                    kinds,
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

    def _unclear(self, answer: str) -> McpQuestionUnclear:
        answer = answer[:_TOLD_CHARACTERS] or "none"
        return McpQuestionUnclear(server=self.server, tool=self.tool, answer=answer)

    def _unusable(self, reason: str) -> McpAnswerInvalid:
        return McpAnswerInvalid(server=self.server, tool=self.tool, reason=reason)


def _pages_wanted(error: MCPError, asker: Asker) -> types.CallToolResult:
    """What comes of a call that is refused until a person has opened pages. Raises the error if it
    is another one, or does not say which."""
    data = error.data if isinstance(error.data, dict) else {}
    wanted = data.get("elicitations")
    if error.code != types.URL_ELICITATION_REQUIRED or not isinstance(wanted, list) or not wanted:
        raise error
    pages = [types.ElicitRequestURLParams.model_validate(page) for page in wanted[:MAX_QUESTIONS]]
    replies = [asker.reply(page).action for page in pages]
    has_declined = any(reply != "accept" for reply in replies)
    said = "did not want to" if has_declined else "said that they had"
    told = f"The server wants a page to be opened first. A person was asked, and {said}."
    text = f"{error.message}\n{told}"
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
