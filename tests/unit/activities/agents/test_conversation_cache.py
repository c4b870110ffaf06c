"""What a worker remembers of conversations is what the store would give, or nothing."""

from uuid import uuid4

from activities.agents.conversation_cache import Conversations
from activities.llm.base import ChatMessage, ToolRequest

ONE, TWO, THREE = (ChatMessage("user", text) for text in ("one", "two", "three"))
TASK = uuid4()


def test_kept_messages_are_found_in_the_cache() -> None:
    conversations = Conversations()
    assert conversations.known(TASK, "a", 2) == ()
    conversations.keep(TASK, "a", (ONE, TWO))
    assert conversations.known(TASK, "a", 3) == (ONE, TWO)
    conversations.keep(TASK, "a", (ONE, TWO, THREE))
    assert conversations.known(TASK, "a", 3) == (ONE, TWO, THREE)


def test_messages_of_another_execution_are_not_cached() -> None:
    """After a reset of the run, message 2 may be another one."""
    conversations = Conversations()
    conversations.keep(TASK, "a", (ONE, TWO))
    assert conversations.known(TASK, "b", 2) == ()


def test_a_turn_that_is_made_again_does_not_see_what_lies_behind_it() -> None:
    conversations = Conversations()
    conversations.keep(TASK, "a", (ONE, TWO))
    assert conversations.known(TASK, "a", 1) == ()


def test_the_oldest_conversation_is_forgotten_when_there_are_too_many() -> None:
    conversations = Conversations(max_conversations=2)
    tasks = [uuid4() for _ in range(3)]
    for task in tasks:
        conversations.keep(task, "a", (ONE,))
    assert [len(conversations.known(task, "a", 1)) for task in tasks] == [0, 1, 1]


def test_the_oldest_conversation_is_forgotten_when_they_are_too_large() -> None:
    conversations = Conversations(max_characters=7)
    tasks = [uuid4() for _ in range(2)]
    conversations.keep(tasks[0], "a", (THREE,))
    conversations.keep(tasks[1], "a", (ONE,))
    assert [len(conversations.known(task, "a", 1)) for task in tasks] == [0, 1]


def test_the_arguments_of_calls_count_for_the_size() -> None:
    """What an agent writes to files is in them."""
    conversations = Conversations(max_characters=7)
    writing = ChatMessage("assistant", "", requests=(ToolRequest("1", "write_file", "a" * 8),))
    conversations.keep(TASK, "a", (writing,))
    assert conversations.known(TASK, "a", 1) == ()
