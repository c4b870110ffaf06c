"""A conversation with an agent, in a terminal that it can be typed into."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime

from rich.text import Text

from api.cli.chat.editor import Editor
from api.cli.chat.keys import Key, Keyboard, Typed
from api.cli.chat.orders import Leave, Orders
from api.cli.chat.screen import Screen, bytes_of
from api.cli.chat.talk import Talk
from api.cli.display.glyphs import glyphs_of
from api.client import AsyncClient as Client
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import USER
from workflows.errors import AgentOSError

LEAVE_SECONDS = 2.0
# For what was sent last, when the person leaves.
SEND_SECONDS = 5.0
_FRAME_SECONDS = 0.1


class Session:
    """One terminal, one agent."""

    def __init__(self, client: Client, agent: AgentShown, screen: Screen) -> None:
        self._client = client
        self._agent_id = str(agent.id)
        self._screen = screen
        self._talk = Talk(agent, glyphs_of(screen.console), lambda: screen.columns)
        self._editor = Editor()
        self._interrupted_at = -LEAVE_SECONDS
        self._shown_ask: str | None = None
        # What stood at the prompt when the line was begun.
        self._line_ask: str | None = None
        self._is_due = asyncio.Event()
        self._orders = Orders(
            client,
            self._agent_id,
            self._talk,
            on_done=self._is_due.set,
            on_unsent=self._take_back,
        )

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
                if self._orders.pending:  # Who presses Enter and leaves has said it all the same.
                    await asyncio.wait(self._orders.pending, timeout=SEND_SECONDS)
            finally:
                for task in (events, drawing, *self._orders.pending):
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
        page = await self._orders.open()
        said = [item.content for item in page if item.sender == USER]
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
                self._shown_ask = self._talk.ask_key
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
        asked = self._talk.asked
        if asked is None:
            return Text("> ", style="bold")
        is_open = asked[1].kind == "answer" and asked[1].url is None
        return Text("answer> " if is_open else "y/n> ", style="bold yellow")

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
                    self._line_ask = self._talk.ask_key
                    self._talk.say(
                        "Not sent: what is asked has changed since you began this line. "
                        "Enter sends it now, Ctrl-C clears it.",
                        "yellow",
                    )
                elif text := self._editor.submit().strip():
                    await self._orders.submit(text)
            case _:
                if not self._editor.text:
                    self._line_ask = self._shown_ask
                self._editor.take(key)

    def _is_of_another_ask(self, text: str) -> bool:
        """A word that was meant for one thing must never decide another."""
        command = text.partition(" ")[0]
        means_itself = command == "/say" or (self._orders.is_command(text) and text != "/deny")
        return bool(text) and not means_itself and self._line_ask != self._talk.ask_key

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
            self._orders.interrupt()
        else:
            self._talk.say("Ctrl-C again leaves; the agent stays.")

    def _take_back(self, text: str) -> None:
        """A message that was not sent can be, once more."""
        if not self._editor.text:
            self._line_ask = None  # It was a message.
            self._editor.take(Typed(text))
