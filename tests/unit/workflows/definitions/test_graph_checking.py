"""What is wrong with ``needs``, ``foreach`` and what steps with them refer to."""

from typing import Any

import pytest
from pydantic import ValidationError

from workflows.definitions.pipeline import MAX_ITEMS, Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.validation_messages import message_of_any


def step(name: str, *args: str, **more: object) -> dict[str, Any]:
    code = {"language": "python", "source": "print(1)"}
    return {"id": name, "code": code, "args": list(args), **more}


def problems(*steps: dict[str, Any], **more: object) -> list[tuple[str, str]]:
    pipeline = Pipeline.model_validate({"name": "p", "steps": list(steps), **more})
    given = dict.fromkeys(pipeline.inputs, "file:x")
    return [(problem.pointer, problem.message) for problem in problems_of(pipeline, given)]


@pytest.mark.parametrize(
    ("steps", "pointer", "message"),
    [
        (
            [step("a"), step("b", needs=["z"])],
            "/steps/1/needs/0",
            "there is no step 'z' (earlier steps: a)",
        ),
        (
            [*map(step, ("clean", "b", "c")), step("d", "${steps.claen.stdout}")],
            "/steps/3/args/0",
            "${steps.claen.stdout}: there is no step 'claen'; did you mean clean?",
        ),
        (
            [step("a"), step("b", "${steps.a.stdout}"), step("a", "${steps.b.stdout}")],
            "/steps/2/id",
            "'a' is also the id of step number 1",
        ),
        (
            [{"id": "a", "args": {"x": 1}}],
            "/steps/0",
            "a step has exactly one of skill, tool and code; found none",
        ),
        ([step("a", needs=["a"])], "/steps/0/needs/0", "a step cannot need itself"),
        (
            [step("a", needs=["b"]), step("b", needs=[])],
            "/steps/0/needs/0",
            "step 'b' comes later; write it before the steps that need it",
        ),
        (
            [step("a"), step("b", needs=["a", "a"])],
            "/steps/1/needs/1",
            "'a' is named twice",
        ),
        (
            [step("a"), step("b", "${steps.a.stdout}", needs=[])],
            "/steps/1/args/0",
            "${steps.a.stdout}: it does not wait for step 'a'; add 'a' to its needs",
        ),
        (
            [step("a"), step("b", needs=[], foreach="${steps.a.files}")],
            "/steps/1/foreach",
            "${steps.a.files}: it does not wait for step 'a'; add 'a' to its needs",
        ),
        (
            [step("a", parallel=2)],
            "/steps/0/parallel",
            "only a step with foreach has it; that of all steps is beside them",
        ),
        (
            [step("a", "${item}")],
            "/steps/0/args/0",
            "${item}: only a step with foreach has items; give it one",
        ),
        (
            [step("a", "${index}")],
            "/steps/0/args/0",
            "${index}: only a step with foreach has items; give it one",
        ),
        (
            [step("a"), step("b", "${item.rows}", foreach="${steps.a.files}")],
            "/steps/1/args/0",
            "${item.rows}: the items are files; there are ${item}, ${item.name} and ${item.stem}",
        ),
        (
            [step("a", "${item.stem}", foreach=["north", "south"])],
            "/steps/0/args/0",
            "${item.stem}: item 0 has no such part: there is no 'stem' in the JSON: it is text, "
            "which has no parts",
        ),
        (
            [step("a", "${item.nmae}", foreach=["${parameters.p}", {"name": "x"}])],
            "/steps/0/args/0",
            "${item.nmae}: item 1 has no such part: there is no 'nmae' in the JSON; did you mean "
            "'name'?",
        ),
        (
            [step("a", foreach=["x", "${steps.b.json}"])],
            "/steps/0/foreach/1",
            "${steps.b.json}: a list holds values and ${parameters.NAME}; for a text write $${",
        ),
        (
            [step("a", files={"x.txt": "${item}"}, foreach=["a"])],
            "/steps/0/files/x.txt",
            "it must be one file: ${inputs.NAME} or ${steps.ID.files['NAME']}",
        ),
    ],
    ids=[
        *(
            "unknown",
            "mistyped",
            "two-of-a-name",
            "runs-nothing",
            "itself",
            "later",
            "twice",
            "not-waited-for",
            "items-not-waited-for",
        ),
        *("parallel", "item", "index", "part-of-a-file", "part-of-a-text", "part-of-an-object"),
        *("reference-in-a-list", "value-as-file"),
    ],
)
def test_a_graph_that_is_wrong_is_refused_with_what_to_do(
    steps: list[dict[str, Any]], pointer: str, message: str
) -> None:
    assert problems(*steps) == [(pointer, message)]


@pytest.mark.parametrize(
    ("foreach", "reason"),
    [
        ("${inputs.data}", "an input is one file"),
        ("${parameters.p}", "a parameter is one value"),
        ("${steps.a.stdout}", "it is no list"),
        ("${steps.a.files['x.csv']}", "'x.csv' is one file"),
        ("words", "it is no list"),
        ("a ${steps.a.files}", "it is no list"),
    ],
    ids=["input", "parameter", "stdout", "one-file", "words", "within-words"],
)
def test_what_has_no_items_is_refused(foreach: str, reason: str) -> None:
    found = problems(
        step("a", "${inputs.data}", "${parameters.p}"),
        step("b", foreach=foreach),
        inputs=["data"],
        parameters={"p": 1},
    )
    [(pointer, message)] = found
    assert pointer == "/steps/1/foreach"
    assert f"has no items: {reason}" in message
    assert "${steps.ID.files['*.csv']}" in message


def test_a_graph_that_is_sound_has_no_problems() -> None:
    assert not problems(
        step("split", "${inputs.data}"),
        step("list", needs=[]),
        step("each", "${item}", "${item.stem}", needs=["split"], foreach="${steps.split.files}"),
        step("some", "${index}", needs=["split"], foreach="${steps.split.files['*.csv']}"),
        step("rows", "${item.name}", needs=["list"], foreach="${steps.list.json.rows}", parallel=2),
        step("names", "${item}", needs=[], foreach=["a", "${parameters.p}", {"b": [1]}]),
        step("place", files={"x": "${item}"}, needs=["split"], foreach="${steps.split.files}"),
        step("end", "${steps.split.stdout}", needs=["each", "rows"]),
        inputs=["data"],
        parameters={"p": 1},
    )


@pytest.mark.parametrize(
    "more",
    [
        {"foreach": [1] * (MAX_ITEMS + 1)},
        {"foreach": ["a"], "parallel": 0},
        {"foreach": ["a"], "parallel": 33},
        {"foreach": 7},
        {"needs": "a"},
        {"needs": ["not an id"]},
    ],
    ids=["items", "none-at-once", "too-many-at-once", "number", "needs-text", "needs-no-id"],
)
def test_a_step_beyond_the_limits_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pipeline.model_validate({"name": "p", "steps": [step("a", **more)]})


@pytest.mark.parametrize("parallel", [0, 33], ids=["none", "many"])
def test_a_pipeline_beyond_the_limits_is_refused(parallel: int) -> None:
    with pytest.raises(ValidationError):
        Pipeline.model_validate({"name": "p", "parallel": parallel, "steps": [step("a")]})


def test_a_number_in_place_of_a_list_is_not_told_to_be_written_as_text() -> None:
    with pytest.raises(ValidationError) as caught:
        Pipeline.model_validate({"name": "p", "steps": [step("a", foreach=5)]})
    message = message_of_any(caught.value.errors(), 5)
    assert message == "it must be text or a list, not a number"
