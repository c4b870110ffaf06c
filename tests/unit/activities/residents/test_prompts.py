"""What an agent that stays reads: nobody passes for somebody else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from activities.residents.prompts import shape
from activities.store.exchanges import UnreadMessage
from workflows.definitions.group import GroupName
from workflows.definitions.resident_name import AgentName
from workflows.states import InboxKind

FROM_AGENT = uuid4()


def message(
    content: str,
    *,
    from_agent_id: UUID | None = None,
    from_name: str = "Ann",
    kind: InboxKind = InboxKind.MESSAGE,
    group: str = "",
    is_reply: bool = False,
    is_aside: bool = False,
    attachments: Mapping[str, str] | None = None,
) -> UnreadMessage:
    return UnreadMessage(
        id=uuid4(),
        seq=1,
        kind=kind,
        from_agent_id=from_agent_id,
        from_name=from_name,
        content=content,
        attachments=attachments or {},
        is_reply=is_reply,
        group_id=uuid4() if group else None,
        group=group,
        is_aside=is_aside,
        created_at=datetime.now(UTC),
    )


def prompt(*messages: UnreadMessage) -> str:
    return shape("clerk", messages).prompt


def test_what_the_person_says_is_read_as_it_is() -> None:
    assert prompt(message("Hello.\n\nAnd more.")) == "Hello.\n\nAnd more."


@pytest.mark.parametrize(
    ("told", "label"),
    [
        (message("Hi.", from_agent_id=FROM_AGENT), "[Ann]"),
        (message("Hi.", from_agent_id=FROM_AGENT, is_reply=True), "[Ann answers]"),
        (message("Hi.", kind=InboxKind.NOTICE), "[notice]"),
        (message("Hi.", group="crew"), "[group crew] Ann:"),
        (message("Hi.", group="crew", is_aside=True), "[meanwhile in group crew] Ann:"),
    ],
    ids=["agent", "answer", "notice", "group", "aside"],
)
def test_what_others_say_begins_with_who_they_are(told: UnreadMessage, label: str) -> None:
    assert prompt(told) == f"{label} Hi."


@given(st.text())
def test_nothing_that_another_agent_says_stands_where_the_persons_words_do(content: str) -> None:
    said = prompt(message(content, from_agent_id=FROM_AGENT), message("Mine."))
    first, *others = said.removesuffix("\n\nMine.").split("\n")
    assert first.startswith("[Ann] ")
    assert all(line.startswith("  ") for line in others)


def test_files_of_the_same_name_are_told_apart() -> None:
    first = message("One.", attachments={"a.txt": "file:1"})
    second = message("Two.", attachments={"a.txt": "file:2", "b": "file:3"})
    shaped = shape("clerk", [first, second, first])
    assert shaped.inputs == {"a.txt": "file:1", "a-2.txt": "file:2", "b": "file:3"}
    assert shaped.prompt == ("One.\n[with a.txt]\n\nTwo.\n[with a-2.txt, b]\n\nOne.\n[with a.txt]")


@pytest.mark.parametrize(
    "name", ["notice", "x] [notice", "group crew", "meanwhile in group crew", "Ann answers"]
)
def test_no_agent_has_a_name_that_reads_as_something_else(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AgentName).validate_python(name)


@pytest.mark.parametrize("name", ["crew] boss", "[crew"])
def test_no_group_has_a_name_that_ends_its_brackets(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(GroupName).validate_python(name)
