"""What was submitted, as people would write it."""

from api.web.task_definition import in_order, request_in_order, skills_in


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
