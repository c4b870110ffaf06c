"""Agents with messages that nobody has told them of."""

from uuid import UUID

import pytest
from sqlalchemy import text

from activities.store import inbox
from activities.store.inbox import NewMessage
from api.http.notifications import Notifications
from api.residents.teller import AT_ONCE, Teller
from api.temporal_labels import Appearance
from tests.integration.api_stage import Stage
from tests.integration.residents import Residents
from workflows.errors import TemporaryFailure
from workflows.resident_contracts import ConversationRun


async def test_an_agent_that_cannot_be_told_holds_up_no_others(
    residents: Residents, residents_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *others = [await residents.create() for _ in range(AT_ONCE + 2)]
    conversations = residents_stage.services.temporal.conversations
    look = conversations.look

    async def look_unless_broken(
        run: ConversationRun, seq: int, *, appearance: Appearance, is_awake: bool
    ) -> None:
        if str(run.agent_id) == broken:
            raise TemporaryFailure(service="Temporal", reason="it has too many signals")
        await look(run, seq, appearance=appearance, is_awake=is_awake)

    monkeypatch.setattr(conversations, "look", look_unless_broken)
    for agent_id in (broken, *others):
        message = NewMessage(agent_id=UUID(agent_id), team_id=residents.team_id, content="hello")
        await inbox.post(residents_stage.database, message)
    # Who has waited longest is told first.
    await residents_stage.execute(
        "UPDATE agents SET told_at = '2020-01-01' WHERE id = :id", id=broken
    )
    teller = Teller(residents_stage.services, Notifications(residents_stage.database.url))
    with pytest.raises(TemporaryFailure, match="too many signals"):
        await teller.tell_all()
    statement = text(
        "SELECT id FROM agents WHERE message_seq > told_seq AND id = ANY(CAST(:ids AS uuid[]))"
    )
    async with residents_stage.database.reading(fresh=True) as connection:
        ids = [UUID(agent_id) for agent_id in (broken, *others)]
        untold = (await connection.execute(statement, {"ids": ids})).all()
    assert [str(row.id) for row in untold] == [broken]
