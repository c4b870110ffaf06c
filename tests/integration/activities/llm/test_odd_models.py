"""Models as they are in the world: each answers byte by byte, over true HTTP, and is understood."""

from uuid import uuid4

import pytest

from activities.agents.answer import Answered, judge
from activities.llm.base import NO_CHARGE, ChatMessage, ModelOptions, ToolSpec
from activities.llm.models import Models
from activities.store.turns import Turn
from activities.tokens import Tokens
from activities.tools.offered import OfferedTool
from tests.doubles.model_server import Json, ModelServer, model_server
from tests.doubles.odd_models import calls, frames, messages, refusals, state, transport
from tests.doubles.odd_models.base import Odd
from workflows.definitions.agent import Agent
from workflows.errors import AgentOSError

TOKENS = Tokens()
HELLO = ChatMessage("user", "Write hi to a.txt")
OFFERED = {
    tool.name: tool
    for tool in (
        OfferedTool("write_file", "Writes.", {}),
        OfferedTool("list_files", "Lists.", {}, is_retry_safe=True),
        OfferedTool("finish", "Ends.", {}, ends_task=True),
    )
}
TOOLS = [ToolSpec(tool.name, tool.description, tool.schema) for tool in OFFERED.values()]
TABLES = (state, refusals, calls, frames, messages, transport)
ODDITIES = {name: odd for module in TABLES for name, odd in module.TABLE.items()}


async def sent_back(models: Models, server: ModelServer, answered: Answered) -> Json:
    """The message of the answer as it is in the next request."""
    said = answered.ended((), 60.0).messages
    results = [
        ChatMessage("tool", "Done.", request_id=request.id, turn=1)
        for request in answered.answer.requests
    ]
    await models.complete((HELLO, said[1], *results), TOOLS, on_text=lambda _: None)
    message: Json = server.requests[-1].body["messages"][1]
    return message


async def check_answer(models: Models, server: ModelServer, odd: Odd) -> None:
    pieces: list[str] = []
    answer = await models.complete((HELLO,), TOOLS, on_text=pieces.append)
    judged = await judge(answer, OFFERED, Agent(), 2)
    assert [(call.tool.name, call.arguments) for call in judged.calls] == list(odd.calls)
    assert (answer.text, "".join(pieces)) == (odd.text, odd.text)
    told = [judged.note or "", *(text for _, text in judged.results.values())]
    assert odd.told in "\n".join(told)
    assert bool("".join(told)) == bool(odd.told)
    turn = Turn(uuid4(), 1, 1, 0, "here")
    message = await sent_back(models, server, Answered(turn, [], (), answer, judged, NO_CHARGE))
    assert {name: message.get(name) for name in odd.sent_back} == odd.sent_back
    sent = [
        {name: call.get(name) for name in extra}
        for call, extra in zip(message.get("tool_calls", ()), odd.sent_with_calls, strict=False)
    ]
    assert sent == list(odd.sent_with_calls)


@pytest.mark.parametrize("name", ODDITIES)
async def test_odd_answers_of_models_are_understood(name: str) -> None:
    odd = ODDITIES[name]
    async with model_server(odd.answers) as server:
        models = Models(ModelOptions(models=("m",), base_url=server.url), TOKENS)
        try:
            if not odd.error:
                await check_answer(models, server, odd)
                return
            with pytest.raises(AgentOSError) as raised:
                await models.complete((HELLO,), TOOLS, on_text=lambda _: None)
        finally:
            await models.close()
    assert odd.error in str(raised.value)
    assert raised.value.retryable == odd.is_retried
    if odd.waits is not None:
        assert raised.value.retry_after_seconds == pytest.approx(odd.waits)


def test_no_oddity_of_a_model_hides_another_of_the_same_name() -> None:
    assert len(ODDITIES) == sum(len(module.TABLE) for module in TABLES)
