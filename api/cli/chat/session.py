"""A conversation with an agent, in a terminal that it can be typed into."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime

from rich.text import Text

from api.cli.chat.editor import Editor
from api.cli.chat.keys import Key, Keyboard, Typed
from api.cli.chat.screen import Screen, bytes_of
from api.cli.chat.talk import Talk
from api.cli.commands.request_body import built
from api.cli.display.glyphs import glyphs_of
from api.cli.errors import DecisionInvalid, DocumentInvalid
from api.client import ApiProblem, Client
from api.client.transport import Params
from api.wire.agent_requests import MessageRequest, RestartRequest
from api.wire.requests import ApprovalRequest
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import USER, AgentMessage
from workflows.errors import AgentOSError
from workflows.events import ApprovalAsked

PAGE_MESSAGES = 20
LEAVE_SECONDS = 2.0
# For what was sent last, when the person leaves.
SEND_SECONDS = 5.0
_FRAME_SECONDS = 0.1


class Leave(Exception):
    """The person has had enough."""


class Session:
    """One terminal, one agent."""

    def __init__(self, client: Client, agent: AgentShown, screen: Screen) -> None:
        self._client = client
        self._agent_id = str(agent.id)
        self._screen = screen
        self._talk = Talk(agent, glyphs_of(screen.console), lambda: screen.columns)
        self._editor = Editor()
        self._cursor: str | None = None
        self._interrupted_at = -LEAVE_SECONDS
        self._shown_ask: str | None = None
        # What stood at the prompt when the line was begun.
        self._line_ask: str | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._is_due = asyncio.Event()

    async def run(self) -> None:
        """Until the person leaves, or the agent is gone.

        Raises:
            AgentOSError: the connection was lost for good, or the key is no longer good.
        """
        events = asyncio.create_task(self._follow())
        with self._screen.typing() as descriptor:
            drawing = asyncio.create_task(self._draw())
            try:
                async with bytes_of(descriptor) as typed:
                    keys = asyncio.create_task(self._type(typed))
                    await asyncio.wait((events, keys), return_when=asyncio.FIRST_COMPLETED)
                    keys.cancel()
                if self._background:  # Who presses Enter and leaves has said it all the same.
                    await asyncio.wait(self._background, timeout=SEND_SECONDS)
            finally:
                for task in (events, drawing, *self._background):
                    task.cancel()
                await asyncio.gather(events, drawing, keys, return_exceptions=True)
                self._flush()
        for task in (keys, events):
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, Leave):
                raise error

    async def _follow(self) -> None:
        def tell(reason: str) -> None:
            self._talk.note = f"Lost the connection ({reason}); trying again."

        is_open = False
        events = self._client.agent_events.of_agent(self._agent_id, on_lost=tell)
        async with aclosing(events):
            async for event in events:
                if not is_open:
                    # Once it is connected: nothing is missed between the page and the events.
                    await self._open()
                    is_open = True
                before = set(self._talk.asks)
                self._talk.take(event)
                for key in self._talk.asks.keys() - before:
                    await self._show_asked(key)
                self._is_due.set()
                if self._talk.is_over:
                    return

    async def _open(self) -> None:
        page = await self._client.agents.messages(self._agent_id, {"limit": PAGE_MESSAGES})
        self._cursor = page.next_cursor
        self._talk.open(page.items, has_earlier=page.next_cursor is not None)
        said = [item.content for item in page.items if item.sender == USER]
        self._editor = Editor(said) if not self._editor.text else self._editor

    async def _show_asked(self, key: str) -> None:
        """Of what is asked events have the beginning; whoever decides must see all of it."""
        task_id, asked = self._talk.asks[key]
        try:
            page = await self._client.approvals(task_id, {"limit": 200})
        except AgentOSError as error:
            self._talk.say(str(error), "yellow")
        else:
            for call in page.items:
                if str(call.ask_id) == asked.ask_id or str(call.call_id) == asked.call_id:
                    asked = asked.model_copy(
                        update={"arguments": call.arguments, "question": call.question}
                    )
        self._talk.print_asked(asked)

    async def _draw(self) -> None:
        while True:
            if self._is_due.is_set() or self._talk.is_answering or self._talk.note:
                self._is_due.clear()
                self._flush()
                self._shown_ask = self._ask_key
                self._screen.draw(
                    list(self._talk.live(datetime.now(UTC))), self._prompt(), self._editor
                )
            # `asyncio.wait_for` of Python 3.11 may swallow that this is cancelled.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FRAME_SECONDS):
                    await self._is_due.wait()

    def _flush(self) -> None:
        if lines := self._talk.drain():
            self._screen.print(lines)

    def _prompt(self) -> Text:
        asked = self._asked
        if asked is None:
            return Text("> ", style="bold")
        is_open = asked[1].kind == "answer" and asked[1].url is None
        return Text("answer> " if is_open else "y/n> ", style="bold yellow")

    @property
    def _asked(self) -> tuple[str, ApprovalAsked] | None:
        return next(iter(self._talk.asks.values()), None)

    @property
    def _ask_key(self) -> str | None:
        return next(iter(self._talk.asks), None)

    async def _type(self, typed: AsyncIterator[bytes]) -> None:
        keyboard = Keyboard()
        self._is_due.set()
        async for content in typed:
            for key in keyboard.feed(content):
                await self._press(key)
            self._is_due.set()
        raise Leave

    async def _press(self, key: Key | Typed) -> None:
        match key:
            case Key.INTERRUPT:
                self._interrupt()
            case Key.END_OF_INPUT if not self._editor.text:
                raise Leave
            case Key.END_OF_INPUT:
                self._editor.take(Key.DELETE)
            case Key.REDRAW:
                self._screen.clear()
            case Key.ENTER:
                if self._is_of_another_ask(self._editor.text.strip()):
                    self._line_ask = self._ask_key
                    self._talk.say(
                        "Not sent: what is asked has changed since you began this line. "
                        "Enter sends it now, Ctrl-C clears it.",
                        "yellow",
                    )
                elif text := self._editor.submit().strip():
                    await self._told(self._submit(text))
            case _:
                if not self._editor.text:
                    self._line_ask = self._shown_ask
                self._editor.take(key)

    def _is_of_another_ask(self, text: str) -> bool:
        """A word that was meant for one thing must never decide another."""
        command = text.partition(" ")[0]
        means_itself = command == "/say" or (text in self._commands and text != "/deny")
        return bool(text) and not means_itself and self._line_ask != self._ask_key

    def _interrupt(self) -> None:
        now = time.monotonic()
        if now - self._interrupted_at < LEAVE_SECONDS:
            raise Leave
        self._interrupted_at = now
        if self._editor.text:
            self._editor.clear()
            self._talk.say("Ctrl-C again leaves; the agent stays.")
        elif self._talk.is_answering:
            self._talk.say("Interrupting. Ctrl-C again leaves; the agent stays.")
            self._begin(self._act("interrupt"))
        else:
            self._talk.say("Ctrl-C again leaves; the agent stays.")

    async def _submit(self, text: str) -> None:
        command, _, rest = text.partition(" ")
        if command == "/say" and rest.strip():
            self._send(rest.strip())
        elif command in self._commands and not rest:
            await self._commands[command]()
        elif self._asked is not None:
            self._answer(text)
        elif text.startswith("/") and command[1:].isalpha():
            self._talk.say(f"There is no {command}. /help says what there is.", "yellow")
        else:
            self._send(text)

    @property
    def _commands(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {
            "/help": self._help,
            "/quit": self._leave,
            "/exit": self._leave,
            "/calls": self._calls,
            "/earlier": self._earlier,
            "/deny": self._decline,
            **{f"/{verb}": self._acting(verb) for verb in ("pause", "resume", "restart")},
        }

    async def _help(self) -> None:
        self._talk.say_help()

    async def _leave(self) -> None:
        raise Leave

    async def _calls(self) -> None:
        self._talk.print_calls()

    async def _earlier(self) -> None:
        if self._cursor is None:
            self._talk.say("Nothing was said before.")
            return
        params: Params = {"limit": PAGE_MESSAGES, "cursor": self._cursor}
        page = await self._client.agents.messages(self._agent_id, params)
        self._cursor = page.next_cursor
        messages: list[AgentMessage] = page.items
        for message in messages:
            self._talk.print_message(message)
        self._talk.say("That was earlier." + (" /earlier shows more." if self._cursor else ""))

    async def _decline(self) -> None:
        self._answer("n")

    def _acting(self, verb: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            self._begin(self._act(verb))

        return act

    def _send(self, text: str) -> None:
        self._talk.sending.append(text)
        self._begin(self._post(text))

    def _answer(self, text: str) -> None:
        asked = self._asked
        if asked is None:
            self._talk.say("Nothing is asked.")
            return
        word, _, note = text.partition(" ")
        is_open = asked[1].kind == "answer" and asked[1].url is None
        decision = {"y": "approve", "yes": "approve", "n": "deny", "no": "deny"}.get(word.lower())
        if is_open and text != "n":
            decision, note = "approve", text
        if decision is None:
            self._talk.say(
                "Type y or n, with a note if you like; /say TEXT is a message.", "yellow"
            )
            return
        self._begin(self._decide(asked, decision, note.strip()))

    async def _post(self, text: str) -> None:
        try:
            await self._client.agents.send(self._agent_id, MessageRequest(content=text))
        except AgentOSError:
            if text in self._talk.sending:
                self._talk.sending.remove(text)
            if not self._editor.text:
                self._line_ask = None  # It was a message.
                self._editor.take(Typed(text))  # It was not sent: it can be, once more.
            raise

    async def _act(self, verb: str) -> None:
        agents = self._client.agents
        match verb:
            case "interrupt":
                await agents.interrupt(self._agent_id)
            case "pause":
                await agents.pause(self._agent_id)
            case "resume":
                await agents.resume(self._agent_id)
            case _:
                await agents.restart(self._agent_id, RestartRequest())

    async def _decide(self, asked: tuple[str, ApprovalAsked], decision: str, note: str) -> None:
        task_id, question = asked
        given = {"decision": decision, "ask_id": question.ask_id, "note": note or None}
        request = built(ApprovalRequest, given, DecisionInvalid)
        await self._client.decide(task_id, question.call_id, request)

    def _begin(self, doing: Awaitable[None]) -> None:
        """Do something that needs the API, while the person goes on typing."""
        task = asyncio.ensure_future(self._told(doing))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _told(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except AgentOSError as error:
            problems = error.problems if isinstance(error, ApiProblem | DocumentInvalid) else ()
            self._talk.say(str(error), "red")
            for problem in problems:
                self._talk.say(f"{problem.pointer}  {problem.message}", "yellow")
        self._is_due.set()
