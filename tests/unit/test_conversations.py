"""What a worker remembers of conversations is what the store would give, or nothing."""

from uuid import uuid4

from activities.conversations import Conversations
from activities.llm.base import ChatMessage

ONE, TWO, THREE = (ChatMessage("user", text) for text in ("one", "two", "three"))
TASK = uuid4()


def test_only_what_is_new_has_to_be_read() -> None:
    conversations = Conversations()
    assert conversations.known_seq(TASK, "a", 2) == 0
    conversations.extend(TASK, "a", [ONE, TWO], 2)
    assert conversations.known_seq(TASK, "a", 3) == 2
    assert conversations.extend(TASK, "a", [THREE], 3) == (ONE, TWO, THREE)


def test_what_another_execution_wrote_is_forgotten() -> None:
    """After a reset of the run, message 2 may be another one."""
    conversations = Conversations()
    conversations.extend(TASK, "a", [ONE, TWO], 2)
    assert conversations.known_seq(TASK, "b", 2) == 0
    assert conversations.extend(TASK, "b", [ONE, THREE], 2) == (ONE, THREE)


def test_a_turn_that_is_made_again_does_not_see_what_lies_behind_it() -> None:
    conversations = Conversations()
    conversations.extend(TASK, "a", [ONE, TWO], 2)
    assert conversations.known_seq(TASK, "a", 1) == 0


def test_a_conversation_that_was_given_out_does_not_change() -> None:
    conversations = Conversations()
    given = conversations.extend(TASK, "a", [ONE], 1)
    conversations.extend(TASK, "a", [TWO], 2)
    assert given == (ONE,)


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    conversations = Conversations(max_conversations=2)
    tasks = [uuid4() for _ in range(3)]
    for task in tasks:
        conversations.extend(task, "a", [ONE], 1)
    assert [conversations.known_seq(task, "a", 1) for task in tasks] == [0, 1, 1]


def test_the_oldest_is_forgotten_when_they_are_too_large() -> None:
    conversations = Conversations(max_characters=7)
    tasks = [uuid4() for _ in range(2)]
    conversations.extend(tasks[0], "a", [THREE], 1)
    conversations.extend(tasks[1], "a", [ONE], 1)
    assert [conversations.known_seq(task, "a", 1) for task in tasks] == [0, 1]
