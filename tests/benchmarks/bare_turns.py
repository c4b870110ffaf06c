"""The baseline of agents: their loop as bare activities, with the same requests to the model.

The ``openai`` client is used at its quickest, as AgentOS does: given a conversation as an argument
of its own, it would check it against its types each time, which takes longer than all the rest.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from temporalio import activity, workflow

TIMEOUT = timedelta(minutes=5)
CONVERSATION = "conversation.json"
DONE = "[DONE]"


@workflow.defn
class BareTurns:
    """In each turn one activity asks the model, and one does nothing. At the end it is asked once
    more, as an agent is that finishes."""

    @workflow.run
    async def run(self, turns: int) -> None:
        for turn in range(1, turns + 1):
            await workflow.execute_activity("ask", turn, start_to_close_timeout=TIMEOUT)
            await workflow.execute_activity("nothing", start_to_close_timeout=TIMEOUT)
        await workflow.execute_activity("ask", turns + 1, start_to_close_timeout=TIMEOUT)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an agent said to its model in all: ``request`` is the body of its last request."""

    base_url: str
    request: dict[str, Any]

    def save(self, folder: Path) -> None:
        document = {"base_url": self.base_url, "request": self.request}
        (folder / CONVERSATION).write_text(json.dumps(document))

    @classmethod
    def load(cls, folder: Path) -> "Conversation":
        return cls(**json.loads((folder / CONVERSATION).read_text()))

    def upto(self, turn: int) -> list[Any]:
        """The messages that are sent in a turn: two before the first, and two more a turn."""
        messages: list[Any] = self.request["messages"]
        return messages[: 2 * turn]


class BareModel:
    """Asks with the same words as the agent did, of which ``folder`` keeps a copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @activity.defn
    async def ask(self, turn: int) -> int:
        body = self._conversation.request | {"messages": self._conversation.upto(turn)}
        create = self._client.chat.completions.with_streaming_response.create
        characters = 0
        async with create(model=body["model"], messages=[], extra_body=body) as response:
            async for line in response.iter_lines():
                data = line.removeprefix("data: ")
                if data and data != DONE:
                    for choice in json.loads(data)["choices"]:
                        characters += len(choice["delta"].get("content") or "")
        return characters

    @cached_property
    def _conversation(self) -> Conversation:
        return Conversation.load(self._folder)

    @cached_property
    def _client(self) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=self._conversation.base_url, api_key="none", max_retries=0)
