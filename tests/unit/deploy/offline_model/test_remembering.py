"""The offline model sums up talks, so that agents that stay do not forget what was said."""

from activities.residents.summary_prompt import summary_messages, transcript
from activities.store.reading.exchanges import PastExchange
from deploy.offline_model.rules import respond
from deploy.offline_model.wire import ChatRequest
from workflows.states import Status


def summed_up(former: str, *exchanges: PastExchange) -> str:
    said = "\n\n".join(map(transcript, exchanges))
    messages = [
        {"role": message.role, "content": message.content}
        for message in summary_messages(former, said)
    ]
    request = ChatRequest.model_validate({"model": "offline", "messages": messages})
    return respond(request).text


def exchange(number: int) -> PastExchange:
    return PastExchange(number, f"ask {number}", Status.COMPLETED, f"reply {number}", messages=())


def test_a_talk_is_summed_up_by_the_beginnings_of_what_was_said() -> None:
    first = summed_up("", exchange(1), exchange(2))
    assert "Somebody: ask 1" in first
    assert "The agent: reply 2" in first
    second = summed_up(first, exchange(3))
    assert "ask 1" in second
    assert "ask 3" in second


def test_a_summary_stays_short_however_often_it_is_made() -> None:
    summary = ""
    for number in range(50):
        summary = summed_up(summary, *(exchange(100 * number + each) for each in range(10)))
    assert len(summary.splitlines()) <= 61
    assert "reply 4909" in summary
