"""The fields of the form of a new task, and the request that is made of them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InvalidRequest
from api.http.bodies import checked
from api.web.new_task.beginnings import new_key, of_task
from api.web.new_task.fields import (
    READERS,
    TYPES,
    Filled,
    InputRow,
    document_of,
    field_of,
    own_reference,
)
from api.wire.responses.tasks import Task
from workflows.definitions.task_request import TaskRequest

AGENT = {
    "profile": {"name": "Ann", "goal": "true"},
    "skills": ["csv-clean"],
    "tools": [],
    "model": "7",
    "output_schema": {"type": "object", "properties": {"on": {"type": "integer"}}},
    "output_files": ["report.md"],
    "limits": {"turns": 3, "cost_usd": 0.5},
}
PLAN = {
    "atomicity": "relaxed",
    "max_nodes": 3,
    "replans": 0,
    "approve": True,
    "agent": {"model": "m", "skills": ["chart"]},
    "limits": {"tokens": 5_000},
}
PIPELINE = {
    "name": "on",
    "steps": [{"id": "a", "code": {"language": "python", "source": "x = '\\n'\nprint(x)\n"}}],
}


def _filled(type_: str, **texts: str) -> Filled:
    return Filled(type_, new_key(), texts)


@pytest.mark.parametrize(
    ("type_", "definition"), [("agent", AGENT), ("plan", PLAN), ("pipeline", PIPELINE)]
)
def test_a_task_of_before_is_the_same_request_again(type_: str, definition: dict[str, Any]) -> None:
    request: dict[str, Any] = {"type": type_, type_: definition, "inputs": {"data": "file:x"}}
    if type_ != "pipeline":
        request["prompt"] = "  Do it.\n\nTwice.\n"
    wanted = checked(TaskRequest, request)
    task = Task.model_construct(
        type=type_,
        definition=getattr(wanted, type_).model_dump(mode="json", exclude_defaults=True),
        prompt=wanted.prompt,
        priority=8,
        inputs=dict(wanted.inputs),
    )
    again = checked(TaskRequest, document_of(of_task(task)))
    assert again == wanted.model_copy(update={"priority": 8})


@given(
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from([*READERS["agent"], *READERS["plan"], "pipeline"]), st.text()),
    st.text(),
)
def test_whatever_is_typed_is_a_request_or_refused(
    type_: str, texts: dict[str, str], more: str
) -> None:
    filled = Filled(type_, new_key(), {**texts, "more": more}, {"skills": ("a",)})
    with suppress(InvalidRequest):
        assert checked(TaskRequest, document_of(filled)).type == type_


def test_what_is_left_empty_is_left_to_the_server() -> None:
    texts = dict.fromkeys(READERS["agent"], "  ")
    assert document_of(_filled("agent", **texts)) == {"type": "agent", "inputs": {}}


def test_what_is_no_number_is_refused_by_the_request_itself() -> None:
    filled = _filled("agent", prompt="x", **{"agent.limits.turns": "many", "priority": "1e9"})
    with pytest.raises(InvalidRequest) as refused:
        checked(TaskRequest, document_of(filled))
    names = {field_of(each.pointer, filled) for each in refused.value.problems}
    assert names == {"agent.limits.turns", "priority"}


def test_a_schema_that_is_no_yaml_is_refused_beside_its_field() -> None:
    filled = _filled("agent", prompt="x", **{"agent.output_schema": "{type: ", "more": "[a"})
    with pytest.raises(InvalidRequest) as refused:
        document_of(filled)
    assert {field_of(each.pointer, filled) for each in refused.value.problems} == {
        "agent.output_schema",
        "more",
    }


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/inputs/data", "inputs.0"),
        ("/inputs", "inputs"),
        ("/inputs/other", "inputs"),
        ("/agent/output_schema/properties/a", "agent.output_schema"),
        ("/agent/skills/2", "agent.skills"),
        ("/agent/nothing", ""),
        ("/type", ""),
        ("", ""),
    ],
)
def test_a_problem_stands_beside_the_field_that_it_is_about(pointer: str, name: str) -> None:
    filled = Filled("agent", new_key(), inputs=(InputRow("data", "x"),))
    assert field_of(pointer, filled) == name


def test_the_address_of_a_file_is_a_reference_to_it() -> None:
    key = "5d0c6d5e-8f0f-4a63-9d6b-111111111111"
    assert own_reference(f"http://localhost:8000/api/v1/files/{key}") == f"file:{key}"
    assert own_reference(f"/api/v1/artifacts/{key}") == f"artifact:{key}"
    assert own_reference("https://example.org/a.csv") == "https://example.org/a.csv"
