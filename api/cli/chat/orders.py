"""What a person has the API do, in a conversation with an agent."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from api.cli.chat.talk import Talk
from api.cli.commands.request_body import built
from api.cli.errors import DecisionInvalid, DocumentInvalid
from api.client import ApiProblem
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.agent_requests import MessageRequest, RestartRequest
from api.wire.requests import ApprovalRequest
from api.wire.responses.agents import AgentMessage
from workflows.errors import AgentOSError
from workflows.events import ApprovalAsked

PAGE_MESSAGES = 20


class Leave(Exception):
    """The person has had enough."""


class Orders:
    """Lines that were typed, done while the person goes on typing; ``pending`` are not done yet.

    ``on_done`` is called after each, and ``on_unsent`` with a message that could not be sent.
    """

    def __init__(
        self,
        client: Client,
        agent_id: str,
        talk: Talk,
        *,
        on_done: Callable[[], None],
        on_unsent: Callable[[str], None],
    ) -> None:
        self.pending: set[asyncio.Task[None]] = set()
        self._client = client
        self._agent_id = agent_id
        self._talk = talk
        self._on_done = on_done
        self._on_unsent = on_unsent
        self._cursor: str | None = None

    async def open(self) -> Sequence[AgentMessage]:
        """Show the last page of the conversation, and give it."""
        page = await self._client.agents.messages(self._agent_id, {"limit": PAGE_MESSAGES})
        self._cursor = page.next_cursor
        self._talk.open(page.items, has_earlier=page.next_cursor is not None)
        return page.items

    async def submit(self, text: str) -> None:
        """Raises ``Leave``."""
        await self._told(self._submit(text))

    def interrupt(self) -> None:
        """Cut the answer short that the agent is giving."""
        self._begin(self._act("interrupt"))

    def is_command(self, text: str) -> bool:
        return text in self._commands

    async def _submit(self, text: str) -> None:
        command, _, rest = text.partition(" ")
        if command == "/say" and rest.strip():
            self._send(rest.strip())
        elif command in self._commands and not rest:
            await self._commands[command]()
        elif self._talk.asked is not None:
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
        asked = self._talk.asked
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
            self._on_unsent(text)
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
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)

    async def _told(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except AgentOSError as error:
            problems = error.problems if isinstance(error, ApiProblem | DocumentInvalid) else ()
            self._talk.say(str(error), "red")
            for problem in problems:
                self._talk.say(f"{problem.pointer}  {problem.message}", "yellow")
        self._on_done()
