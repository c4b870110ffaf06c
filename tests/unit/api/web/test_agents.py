"""Agents as their pages show them, and as their forms give them."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from starlette.datastructures import FormData

from api.web.agents.attachments import input_name
from api.web.agents.fields import changed_agent, new_agent
from api.web.agents.group_fields import new_group
from api.web.agents.voices import VOICES, attachments_of, sender_of, voices_of
from api.web.forms import number_in
from api.wire.agent_requests import AgentChange, AgentRequest
from workflows.definitions.inputs import InputName

_NAMES = TypeAdapter(InputName)


@given(st.text(max_size=300), st.lists(st.text(max_size=20)))
def test_every_file_name_gives_a_name_that_agents_can_use(name: str, others: list[str]) -> None:
    taken = [input_name(other) for other in others]
    found = input_name(name, taken)
    assert _NAMES.validate_python(found) == found
    assert found not in taken


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("May sales.csv", "May_sales"),
        ("2026.csv", "file_2026"),
        ("../../etc/passwd", "passwd"),
        ("données.txt", "donn_es"),
        ("", "file"),
    ],
)
def test_names_of_files_stay_readable(file: str, name: str) -> None:
    assert input_name(file) == name


def test_the_same_name_twice_is_numbered() -> None:
    assert input_name("sales.csv", ["sales", "sales_2"]) == "sales_3"


@given(st.sets(st.uuids(), max_size=VOICES))
def test_voices_of_a_group_differ_while_there_are_colours_enough(members: set[object]) -> None:
    voices = voices_of(members)
    assert len(set(voices.values())) == len(members)
    assert voices == voices_of(sorted(members, key=str, reverse=True))
    assert all(0 <= voice < VOICES for voice in voices.values())


def test_more_voices_than_colours_share_them() -> None:
    voices = voices_of(uuid4() for _ in range(5 * VOICES))
    assert set(voices.values()) <= set(range(VOICES))
    assert len(voices) == 5 * VOICES


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        (f"file:{'0' * 8}-0000-0000-0000-{'0' * 12}", "/api/v1/files/"),
        (f"artifact:{'0' * 8}-0000-0000-0000-{'0' * 12}", "/api/v1/artifacts/"),
        ("file:../../tasks", None),
        ("javascript:alert(1)", None),
        ("https://example.com/a", None),
    ],
)
def test_only_files_of_ours_are_links(reference: str, path: str | None) -> None:
    [shown] = attachments_of({"name": reference})
    assert shown.path is None if path is None else str(shown.path).startswith(path)


def test_people_agents_and_notices_are_told_apart() -> None:
    agent = uuid4()
    assert sender_of("user", "local user").name == "You"
    assert sender_of("user", "laptop").name == "laptop"
    assert sender_of("system", "").kind == "notice"
    assert sender_of(str(agent), "clerk").agent_id == agent
    assert sender_of("no id", "").name == "no id"


def test_empty_fields_of_a_new_agent_are_left_to_its_template() -> None:
    form = FormData([("name", " clerk "), ("template", "desk"), ("role", ""), ("tokens", " ")])
    assert new_agent(form) == {"name": "clerk", "template": "desk"}


def test_fields_of_a_new_agent_become_its_definition() -> None:
    form = FormData(
        [
            *(("name", "clerk"), ("role", "a clerk"), ("tools_of", "some"), ("tools", "remember")),
            *(("turns", "20"), ("cost_usd", "0.5"), ("skills_of", "all"), ("skills", "unused")),
        ]
    )
    wanted = AgentRequest.model_validate(new_agent(form))
    assert wanted.tools == ("remember",)
    assert wanted.skills is None
    assert wanted.limits is not None
    assert (wanted.limits.turns, wanted.limits.cost_usd) == (20, 0.5)


def test_emptied_settings_empty_what_can_be_empty() -> None:
    form = FormData([("name", "clerk"), ("role", ""), ("daily_tokens", ""), ("turns", "")])
    change = AgentChange.model_validate(changed_agent(form))
    assert change.given["limits"] == {
        "cost_usd": None,
        "daily_tokens": None,
        "daily_cost_usd": None,
    }
    assert change.given["profile"] == {"role": None, "goal": None, "tone": None}
    assert (change.given["skills"], change.given["model"]) == (None, None)


@given(st.text(max_size=30))
def test_what_is_no_number_stays_what_was_typed(text: str) -> None:
    found = number_in(text)
    assert found == text or isinstance(found, int | float)


def test_those_who_answer_are_members_of_a_new_group() -> None:
    form = FormData([("name", "crew"), ("members", "a"), ("answering", "b"), ("rounds", "3")])
    body = new_group(form)
    assert (body["members"], body["answering"]) == (["a", "b"], ["b"])
    assert (body["mode"], body["limits"]) == ("open", {"rounds": 3})
