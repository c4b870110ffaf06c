"""What the search attributes of workflows hold."""

import pytest

from workflows.labels import NAME, STATE, TEAM, TYPE, Labels, type_of


def test_a_workflow_begins_as_a_running_one() -> None:
    found = Labels("research", "pipeline", "sales report").attributes
    assert [found.get(key) for key in (NAME, TEAM, TYPE, STATE)] == [
        "sales report",
        "research",
        "pipeline",
        "running",
    ]


def test_without_a_name_there_is_none() -> None:
    assert Labels("research", "pipeline").attributes.get(NAME) is None


def test_what_is_too_long_for_a_database_of_temporals_is_cut() -> None:
    found = Labels("t" * 300, "agent", "two\nlines " + "x" * 300).attributes
    assert found.get(NAME) == "two lines " + "x" * 89 + "…"
    assert len(found.get(TEAM) or "") == 100


@pytest.mark.parametrize(
    ("workflow", "type_"),
    [
        ("PipelineWorkflow", "pipeline"),
        ("AgentWorkflow", "agent"),
        ("PlanWorkflow", "plan"),
        ("RouterWorkflow", "auto"),
    ],
)
def test_the_type_of_a_task_follows_from_its_workflow(workflow: str, type_: str) -> None:
    assert type_of(workflow) == type_
