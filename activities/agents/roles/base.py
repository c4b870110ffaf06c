"""What differs between the tasks that a model is asked about, turn by turn."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from activities.agents.answer import Judged, judge
from activities.agents.prompts import hint_message
from activities.equipment import Equipment
from activities.kinds.base import Installed
from activities.llm.base import Answer, ChatMessage
from activities.store.turns import BegunTurn
from activities.tools.offered import OfferedTool
from activities.tools.toolbox import Toolbox
from workflows.agent_contracts import Hint, ThinkCall
from workflows.definitions.agent import Agent
from workflows.states import TaskType


@dataclass(frozen=True, slots=True)
class RoleTurn:
    """A turn that begins: ``heard`` is the conversation so far."""

    call: ThinkCall
    begun: BegunTurn
    heard: Sequence[ChatMessage]

    @property
    def is_first(self) -> bool:
        return self.call.seq == 0


class Role(ABC):
    """The model's part in tasks of ``task_type``. The module of one has its class as ``ROLE``."""

    task_type: TaskType
    # A model that is away is waited for, however long that takes.
    is_patient: ClassVar[bool] = False

    def __init__(self, equipment: Equipment, toolbox: Toolbox, installed: Installed) -> None:
        self._equipment = equipment
        self._toolbox = toolbox
        self._installed = installed

    @abstractmethod
    def agent(self, turn: RoleTurn) -> Agent:
        """Whom the model is to be: its profile, which model, and what its result must match."""

    @abstractmethod
    async def offered(self, turn: RoleTurn) -> Mapping[str, OfferedTool]:
        """What the model may call in this turn, by name."""

    @abstractmethod
    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        """The system prompt, with which the conversation begins."""

    async def conversation(
        self, turn: RoleTurn, messages: Sequence[ChatMessage]
    ) -> Sequence[ChatMessage]:
        """What the model is sent, of the task's own ``messages``: here nothing else."""
        return messages

    def hint(self, hint: Hint, offered: Mapping[str, OfferedTool]) -> str:
        """What the model is told that makes no progress."""
        return hint_message(hint)

    async def judge(
        self, turn: RoleTurn, answer: Answer, offered: Mapping[str, OfferedTool], first_seq: int
    ) -> tuple[Answer, Judged]:
        """What follows from an answer; the result of its first request is message ``first_seq``.

        A role that has waited long enough for a sound answer may put one in its place.
        """
        return answer, await judge(answer, offered, self.agent(turn), first_seq)
