"""Summing up beside the answers of an agent that stays: nobody waits for it."""

import asyncio

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from activities.attempts.heartbeat import heartbeating
from activities.kinds.base import Installed
from activities.residents.adapter import Conversations
from activities.residents.options import ConversationOptions
from deploy.local.services import Services
from tests.integration.conversation_stage import talking
from workflows.resident_contracts import TakeCall, Taken


class Remembering(Conversations):
    """A summary is always due, and is made once ``go_on`` is set, unless it ``fails``."""

    def __init__(
        self, installed: Installed, options: ConversationOptions, *, fails: bool = False
    ) -> None:
        super().__init__(installed, options)
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.times = 0
        self._fails = fails

    @activity.defn
    async def take_messages(self, call: TakeCall) -> Taken:
        taken = await super().take_messages(call)
        return taken.model_copy(update={"summarises": taken.exchange is not None})

    @activity.defn
    async def summarise(self, call: TakeCall) -> None:
        self.times += 1
        self.begun.set()
        if self._fails:
            raise ApplicationError("It reads nothing.", non_retryable=True)
        async with heartbeating():
            await self.go_on.wait()


async def test_an_agent_answers_while_it_sums_up_and_sleeps_when_that_is_done(
    infrastructure: Services, database_url: str, task_queue: str
) -> None:
    made: list[Remembering] = []

    def make(installed: Installed, options: ConversationOptions) -> Remembering:
        made.append(Remembering(installed, options))
        return made[0]

    async with talking(infrastructure, database_url, task_queue, made=make) as talk:
        await talk.tell("finish One.")
        await made[0].begun.wait()
        await talk.replied(1)
        await asyncio.sleep(0.5)  # longer than it listens for
        await talk.tell("finish Two.")
        await talk.replied(2)
        assert (await talk.handle.describe()).status is WorkflowExecutionStatus.RUNNING
        assert made[0].times == 1  # One at a time.
        made[0].go_on.set()
        assert await talk.ended() is WorkflowExecutionStatus.COMPLETED


async def test_an_agent_answers_whose_conversation_cannot_be_summed_up(
    infrastructure: Services, database_url: str, task_queue: str
) -> None:
    def make(installed: Installed, options: ConversationOptions) -> Remembering:
        return Remembering(installed, options, fails=True)

    async with talking(infrastructure, database_url, task_queue, made=make) as talk:
        for number in range(2):
            await talk.tell(f"finish {number}")
            await talk.replied(number + 1)
        assert await talk.ended() is WorkflowExecutionStatus.COMPLETED
