"""What was submitted, as people would write it."""

from pydantic import JsonValue

from api.web import requeue_form
from api.web.new_task import beginnings
from api.web.schedules import form as schedule_form
from api.web.task_definition import in_order, request_in_order, skills_in
from api.wire.responses.tasks import Task
from workflows.states import TaskType


def test_a_definition_has_its_keys_in_the_order_in_which_people_write_them() -> None:
    step = {"args": {"b": 1, "a": 2}, "code": {"source": "x", "language": "python"}, "id": "a"}
    written = in_order({"steps": [step], "inputs": ["x"], "name": "n", "new": 1})
    assert isinstance(written, dict)
    assert list(written) == ["name", "inputs", "steps", "new"]
    [first] = written["steps"]
    assert list(first) == ["id", "code", "args"]
    assert list(first["code"]) == ["language", "source"]
    # What is the user's own stays as it is.
    assert list(first["args"]) == ["b", "a"]


def test_a_request_that_was_kept_has_its_keys_in_the_order_of_its_model() -> None:
    kept = {"new": 1, "pipeline": {"steps": [], "name": "n"}, "inputs": {"b": "", "a": ""}}
    written = request_in_order({**kept, "prompt": "x", "type": "pipeline"})
    assert list(written) == ["type", "prompt", "inputs", "pipeline", "new"]
    assert list(dict(written["pipeline"])) == ["name", "steps"]
    # Names of inputs are the user's own.
    assert list(dict(written["inputs"])) == ["b", "a"]


def test_skills_are_found_wherever_a_definition_names_them_and_each_once() -> None:
    steps = [
        {"id": "a", "skill": "csv-clean", "args": [{"skill": "no"}]},
        {"id": "b", "code": {"language": "python", "source": "x", "skill": "chart"}},
        {"id": "c", "skill": "csv-clean"},
    ]
    assert skills_in({"steps": steps}) == ["csv-clean", "chart"]
    assert skills_in({"agent": {"skills": ["report", 3]}}) == ["report"]
    assert skills_in(None) == []


def test_what_is_edited_has_its_keys_as_people_would_write_them() -> None:
    stored: dict[str, JsonValue] = {
        "steps": [{"args": ["a"], "id": "clean", "skill": "csv-clean"}],
        "name": "tidy",
        "inputs": ["data"],
    }
    task = Task.model_construct(
        type=TaskType.PIPELINE,
        name="tidy",
        definition=stored,
        prompt=None,
        inputs={},
        priority=5,
        sub_tasks=[],
    )
    texts = (
        requeue_form.pipeline_of(task),
        beginnings.of_task(task).text("pipeline"),
        schedule_form.of_task(task).texts["task"],
    )
    for text in texts:
        assert text.index("name:") < text.index("inputs:") < text.index("steps:")
        assert text.index("id:") < text.index("skill:") < text.index("args:")
