"""A model that is an agent that stays, and answers what it was told."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.agents.answer import Judged, judge
from activities.agents.roles.base import Role, RoleTurn
from activities.agents.text_notes import note_on_call
from activities.equipment import Equipment
from activities.kinds.base import Installed
from activities.llm.base import Answer, ChatMessage
from activities.patience import patiently
from activities.residents.prompts import HINTS, system_prompt
from activities.residents.recollection import Recollection
from activities.store.notes import count_notes
from activities.tools.offered import OfferedTool
from activities.tools.skills import AllowedSkills
from activities.tools.toolbox import Toolbox
from activities.tools.working_files import working_files
from workflows.agent_contracts import Hint
from workflows.definitions.resident import Exchange
from workflows.states import TaskType


class ExchangeRole(Role):
    """Text without calls is the answer, and ends the exchange."""

    task_type = TaskType.EXCHANGE
    is_patient = True

    def __init__(self, equipment: Equipment, toolbox: Toolbox, installed: Installed) -> None:
        super().__init__(equipment, toolbox, installed)
        self._recollection = Recollection(equipment.database, equipment.models, equipment.tokens)

    def agent(self, turn: RoleTurn) -> Exchange:
        return Exchange.model_validate(turn.begun.definition)

    async def offered(self, turn: RoleTurn) -> Mapping[str, OfferedTool]:
        return await self._toolbox.offered(
            turn.begun.team_id, self.agent(turn), is_first_turn=turn.is_first
        )

    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        agent = self.agent(turn)
        database, team_id = self._equipment.database, turn.begun.team_id
        files = await patiently(lambda: working_files(database, turn.call.task_id, team_id))
        skills = await AllowedSkills(self._equipment.catalogue, agent.skills).all()
        has_notes = any(tool.shows_notes for tool in offered.values())
        notes = await self._notes(turn.call.task_id) if has_notes else 0
        return system_prompt(agent, offered.values(), skills, files.files, notes)

    async def _notes(self, exchange_id: UUID) -> int:
        database = self._equipment.database
        return await patiently(lambda: count_notes(database, exchange_id))

    async def conversation(
        self, turn: RoleTurn, messages: Sequence[ChatMessage]
    ) -> Sequence[ChatMessage]:
        """With what was said in earlier exchanges, between the system prompt and this one."""
        agent = self.agent(turn)
        return await self._recollection.conversation(
            turn.call.task_id, agent.number, agent.model, messages
        )

    def hint(self, hint: Hint, offered: Mapping[str, OfferedTool]) -> str:
        return HINTS[hint]

    async def judge(
        self, turn: RoleTurn, answer: Answer, offered: Mapping[str, OfferedTool], first_seq: int
    ) -> tuple[Answer, Judged]:
        judged = await judge(answer, offered, self.agent(turn), first_seq)
        if not answer.requests:
            judged.note = note_on_call(answer.text)
            judged.result = {"reply": answer.text} if judged.note is None else None
        return answer, judged


ROLE = ExchangeRole
