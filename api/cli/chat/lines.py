"""A conversation with an agent through pipes: a line is a message, and its reply is printed."""

import asyncio
import shlex
from contextlib import aclosing
from typing import TextIO

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.request_body import built
from api.cli.display import agent_frames
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line, safe_text
from api.client import AgentEvent
from api.client import AsyncClient as Client
from api.wire.agent_requests import MessageRequest
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import USER, AgentMessage
from workflows import events
from workflows.states import AgentState, InboxKind


class Lines:
    """Replies to people go to stdout, all else to stderr. The next line is sent once that
    before it is answered."""

    def __init__(self, client: Client, agent: AgentShown) -> None:
        self._client = client
        self._agent_id = str(agent.id)
        self._shown = agent
        self._is_gone = False
        self._has_news = asyncio.Event()

    async def run(self, stdin: TextIO) -> ExitCode:
        """To the end of the input. Raises ``AgentOSError``."""
        following = asyncio.create_task(self._follow())
        talking = asyncio.create_task(self._talk(stdin))
        try:
            await asyncio.wait((following, talking), return_when=asyncio.FIRST_COMPLETED)
            if following.done() and following.exception() is not None:
                following.result()  # It raises why nothing more is heard.
            return await talking if talking.done() else ExitCode.FAILED
        finally:
            for task in (following, talking):
                task.cancel()
            await asyncio.gather(following, talking, return_exceptions=True)

    async def _talk(self, stdin: TextIO) -> ExitCode:
        await self._has_news.wait()  # From then on nothing is missed.
        while line := await asyncio.to_thread(stdin.readline):
            if not line.strip():
                continue
            request = built(MessageRequest, {"content": line.strip()})
            sent = await self._client.agents.send(self._agent_id, request)
            while self._shown.read_seq < sent.seq:
                if (why := self._why_not()) is not None:
                    _tell(why)
                    return ExitCode.FAILED
                self._has_news.clear()
                await self._has_news.wait()
        return ExitCode.OK

    async def _follow(self) -> None:
        def tell(reason: str) -> None:
            _tell(f"Lost the connection ({reason}); trying again.")

        received = self._client.agent_events.of_agent(self._agent_id, on_lost=tell)
        async with aclosing(received):
            async for event in received:
                self._take(event)
                self._has_news.set()
        _tell(f"{self._shown.name} was deleted.")

    def _take(self, event: AgentEvent) -> None:
        self._shown = event.shown or self._shown
        message = event.message
        if message is not None:
            if _is_for_people(message):
                typer.echo(safe_text(message.content))
            return
        payload = event.payload if event.task_id is not None else None
        if isinstance(payload, events.ApprovalAsked):
            what = "asks you" if payload.kind == "answer" else "waits for your approval"
            _tell(f"{payload.step} {what}: {payload.question or payload.arguments}")
            for command in agent_frames.commands_for(str(event.task_id), payload.step, payload):
                _tell(f"  {command}")

    def _why_not(self) -> str | None:
        """Why there will be no answer until somebody does something."""
        shown = self._shown
        match shown.state:
            case AgentState.ERROR:
                reason = (shown.error or {}).get("message") or "nobody has said why"
                remedy = f"agentos agents restart {shlex.quote(shown.name)}"
                return f"{shown.name} could not answer: {reason} Mend it with: {remedy}"
            case AgentState.PAUSED:
                remedy = f"agentos agents resume {shlex.quote(shown.name)}"
                return f"{shown.name} is paused, and the message waits. Go on with: {remedy}"
            case AgentState.TERMINATED:
                return f"{shown.name} is terminated."
            case _:
                return None


def _is_for_people(message: AgentMessage) -> bool:
    """What it answers other agents, or says in a group, is none of the output."""
    is_reply = message.kind is InboxKind.REPLY
    return is_reply and message.to == USER and message.group_id is None


def _tell(line: str) -> None:
    terminal.stderr().print(Text(safe_line(line), style="dim"), soft_wrap=True)
