"""The definition of a pipeline: what is sound passes, and what is wrong is told with its place."""

import json
from collections.abc import Mapping
from datetime import timedelta
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from workflows.definitions.inputs import environment_name
from workflows.definitions.pipeline import MAX_STEPS, Pipeline, Step
from workflows.definitions.pipeline_checking import problems_of
from workflows.pointers import Problem

Document = dict[str, Any]


def step(**changes: object) -> Document:
    return {"id": "one", "skill": "csv-clean"} | changes


def document(*steps: Document, **changes: object) -> Document:
    return {"name": "report", "steps": list(steps) or [step()]} | changes


def problems(
    *steps: Document, inputs: list[str] | None = None, given: Mapping[str, str] | None = None
) -> list[Problem]:
    pipeline = Pipeline.model_validate(document(*steps, inputs=inputs or []))
    return problems_of(pipeline, given if given is not None else dict.fromkeys(inputs or [], "x"))


def only(found: list[Problem]) -> tuple[str, str]:
    [problem] = found
    return problem.pointer, problem.message


def errors_in(*steps: Document, **changes: object) -> list[str]:
    """What makes a document no definition at all: the places, without the types of a union."""
    with pytest.raises(ValidationError) as caught:
        Pipeline.model_validate(document(*steps, **changes))
    known = Pipeline.model_fields.keys() | Step.model_fields.keys() | {"language", "source"}
    return [
        "/".join(str(part) for part in error["loc"] if isinstance(part, int) or part in known)
        + f": {error['msg']}"
        for error in caught.value.errors()
    ]


WHOLE = """
{"name": "sales-report", "inputs": ["sales"], "steps": [
    {"id": "clean", "skill": "csv-clean", "script": "scripts/clean.py",
     "args": ["${inputs.sales}", "--drop-empty", "-o", "clean.csv"]},
    {"id": "chart", "skill": "chart", "args": ["${steps.clean.files['clean.csv']}", "--kind"],
     "timeout": "60s", "retries": 2, "retry_on": ["timeout", 1]},
    {"id": "note", "tool": "write_file", "args": {"text": "${steps.chart.stdout}"}},
    {"id": "all", "skill": "zip", "args": ["${steps.clean.files}"]},
    {"id": "custom", "code": {"language": "python", "source": "print(1)"}}]}
"""


def test_a_sound_pipeline_has_no_problem() -> None:
    assert problems_of(Pipeline.model_validate_json(WHOLE), {"sales": "file:x"}) == []


# References.


def test_a_reference_to_an_unknown_step_is_a_problem() -> None:
    pointer, message = only(problems(step(args=["a", "${steps.two.stdout}"])))
    assert (pointer, message) == (
        "/steps/0/args/1",
        "${steps.two.stdout}: there is no step 'two'",
    )


def test_a_reference_to_a_later_step_is_a_problem() -> None:
    pointer, message = only(problems(step(args=["${steps.two.stdout}"]), step(id="two")))
    assert pointer == "/steps/0/args/0"
    assert "step 'two' runs later" in message


def test_a_reference_to_the_step_itself_is_a_problem() -> None:
    pointer, message = only(problems(step(args=["${steps.one.stdout}"])))
    assert pointer == "/steps/0/args/0"
    assert "a step cannot refer to itself" in message


def test_a_reference_to_an_input_that_is_not_declared_is_a_problem() -> None:
    pointer, message = only(problems(step(args=["${inputs.a} ${inputs.b}"]), inputs=["a"]))
    assert pointer == "/steps/0/args/0"
    assert message == "${inputs.b}: there is no input 'b' (declared: a)"


def test_a_malformed_reference_is_the_only_complaint_about_it() -> None:
    pointer, message = only(problems(step(args=["${inputs.a"]), inputs=["a"]))
    assert pointer == "/steps/0/args/0"
    assert message.startswith("'${inputs.a' is not a reference: '}' is missing")


def test_all_files_must_be_an_argument_of_their_own() -> None:
    found = problems(step(), step(id="two", args=["--in=${steps.one.files}"]))
    assert only(found) == ("/steps/1/args/0", "${steps.one.files} must stand alone in its argument")


def test_a_tool_takes_one_file_only() -> None:
    writes = {"id": "two", "tool": "write_file", "args": {"text": "${steps.one.files}"}}
    pointer, message = only(problems(step(), writes))
    assert (pointer, message) == ("/steps/1/args/text", "name one file: ${steps.one.files['NAME']}")


def test_a_reference_deep_in_the_arguments_of_a_tool_is_found() -> None:
    args = {"a/b": [{"c~d": "${steps.two.json.x}"}]}
    pointer, _ = only(problems({"id": "one", "tool": "t", "args": args}))
    assert pointer == "/steps/0/args/a~1b/0/c~0d"


# Steps.


def test_two_steps_with_one_id_are_a_problem() -> None:
    found = problems(step(), step(id="two"), step())
    assert only(found) == ("/steps/2/id", "'one' is also the id of step number 1")


def test_a_reference_to_an_id_that_is_there_twice_means_the_first() -> None:
    found = problems(step(), step(id="two", args=["${steps.one.stdout}"]), step())
    assert only(found) == ("/steps/2/id", "'one' is also the id of step number 1")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, "none"),
        ({"skill": "a", "tool": "b"}, "skill and tool"),
        ({"skill": "a", "code": {"language": "shell", "source": "ls"}}, "skill and code"),
    ],
)
def test_a_step_that_is_not_exactly_one_thing_is_a_problem(fields: Document, found: str) -> None:
    pointer, message = only(problems({"id": "one", **fields}))
    assert pointer == "/steps/0"
    assert message == f"a step has exactly one of skill, tool and code; found {found}"


def test_a_script_without_a_skill_is_a_problem() -> None:
    code = {"language": "shell", "source": "ls"}
    pointer, message = only(problems({"id": "one", "code": code, "script": "a.py"}))
    assert (pointer, message) == ("/steps/0/script", "only a step with a skill has a script")


def test_a_tool_with_a_list_of_arguments_is_a_problem() -> None:
    found = problems({"id": "one", "tool": "write_file", "args": ["a"]})
    assert only(found) == ("/steps/0/args", "a tool takes an object of named arguments")


def test_a_skill_with_named_arguments_is_a_problem() -> None:
    found = problems(step(args={"a": "b"}))
    assert only(found) == ("/steps/0/args", "a skill or code takes a list of arguments")


@pytest.mark.parametrize("given", [{}, {"args": []}, {"args": {}}])
def test_a_tool_without_arguments_is_given_an_empty_object(given: Document) -> None:
    pipeline = Pipeline.model_validate(document({"id": "one", "tool": "list_files", **given}))
    assert pipeline.steps[0].args == {}
    assert problems_of(pipeline, {}) == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"id": ""}, "steps/0/id: String should match pattern"),
        ({"id": "1a"}, "steps/0/id: String should match pattern"),
        ({"id": "a.b"}, "steps/0/id: String should match pattern"),
        ({"id": "a\n"}, "steps/0/id: String should match pattern"),
        ({"id": "a" * 64}, "steps/0/id: String should match pattern"),
        ({"skill": ""}, "steps/0/skill: String should have at least 1 character"),
        ({"script": ""}, "steps/0/script: String should have at least 1 character"),
        ({"skill": 1}, "steps/0/skill: Input should be a valid string"),
        ({"colour": "red"}, ": Extra inputs are not permitted"),
        ({"args": "-v"}, "steps/0/args: Input should be a valid list"),
        ({"args": [None]}, "steps/0/args/0: Input should be a valid string"),
        ({"args": [True]}, "steps/0/args/0: Input should be a valid string"),
        ({"args": [["a"]]}, "steps/0/args/0: Input should be a valid string"),
        ({"args": ["a" * 131_073]}, "steps/0/args/0: String should have at most 131072"),
        ({"args": ["a"] * 1_001}, "steps/0/args: List should have at most 1000 items"),
        ({"skill": None, "tool": ""}, "steps/0/tool: String should have at least 1"),
        ({"timeout": "soon"}, "steps/0/timeout: Value error, 'soon' is not a duration"),
        ({"timeout": "5 days"}, "'5 days' is not a duration: write 90s, 5m, 1h"),
        ({"timeout": ""}, "'' is not a duration"),
        ({"timeout": -5}, "-5 is not a duration"),
        ({"timeout": True}, "true is not a duration"),
        ({"timeout": inf}, "inf is not a duration"),
        ({"timeout": "٣s"}, "is not a duration"),
        ({"timeout": [5]}, "steps/0/timeout: Input should be a valid timedelta"),
        ({"timeout": 0}, "0 is out of range: at least 0.1s, at most 24h"),
        ({"timeout": "99ms"}, "'99ms' is out of range"),
        ({"timeout": "25h"}, "'25h' is out of range"),
        ({"timeout": "9" * 400}, "is out of range"),
        ({"timeout": timedelta(days=2)}, "steps/0/timeout: Input should be less than or equal"),
        ({"retries": -1}, "steps/0/retries: Input should be greater than or equal to 0"),
        ({"retries": 21}, "steps/0/retries: Input should be less than or equal to 20"),
        ({"retries": True}, "steps/0/retries: Input should be a valid integer"),
        ({"retries": 1.5}, "steps/0/retries: Input should be a valid integer"),
        ({"retry_on": [0]}, "steps/0/retry_on/0: Input should be greater than or equal to 1"),
        ({"retry_on": [256]}, "steps/0/retry_on/0: Input should be less than or equal to 255"),
        ({"retry_on": [True]}, "steps/0/retry_on/0: Input should be a valid integer"),
        ({"retry_on": ["never"]}, "steps/0/retry_on/0: Input should be 'timeout' or 'any'"),
        ({"retry_on": [1] * 65}, "steps/0/retry_on: Tuple should have at most 64 items"),
        ({"code": {"language": "perl", "source": "1"}}, "steps/0/code/language: Input should be"),
        ({"code": {"language": "shell", "source": ""}}, "steps/0/code/source: String should have"),
    ],
)
def test_a_step_that_is_no_step_is_refused_where_it_is_wrong(changes: Document, error: str) -> None:
    assert any(error in told for told in errors_in(step(**changes)))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, "name: String should have at least 1 character"),
        ({"name": "a" * 201}, "name: String should have at most 200 characters"),
        ({"steps": []}, "steps: List should have at least 1 item"),
        ({"steps": "csv-clean"}, "steps: Input should be a valid list"),
        ({"steps": [step(id=f"s{n}") for n in range(MAX_STEPS + 1)]}, "steps: List should have at"),
        ({"inputs": ["a b"]}, "inputs/0: String should match pattern"),
        ({"inputs": ["a/b"]}, "inputs/0: String should match pattern"),
        ({"inputs": ["../a"]}, "inputs/0: String should match pattern"),
        ({"inputs": [f"i{n}" for n in range(65)]}, "inputs: List should have at most 64 items"),
        ({"version": 2}, ": Extra inputs are not permitted"),
    ],
)
def test_a_pipeline_that_is_no_pipeline_is_refused_where_it_is_wrong(
    changes: Document, error: str
) -> None:
    assert any(error in told for told in errors_in(**changes))


def test_arguments_nested_without_measure_are_refused() -> None:
    value: JsonValue = "deep"
    for _ in range(100_000):
        value = [value]
    assert errors_in({"id": "one", "tool": "t", "args": {"a": value}})


# Inputs.


def test_an_input_that_no_step_uses_is_a_problem() -> None:
    assert only(problems(inputs=["a"])) == (
        "/inputs/0",
        "input 'a' is used by no step; refer to it as ${inputs.a}, or leave it out",
    )


def test_an_input_that_is_not_given_is_a_problem() -> None:
    found = problems(step(args=["${inputs.a}"]), inputs=["a"], given={})
    assert only(found) == (
        "/inputs",
        "input 'a' is declared by the pipeline but not given; give it in `inputs`, on a command "
        "line with --input a=FILE",
    )


def test_an_input_that_is_given_but_not_declared_is_a_problem() -> None:
    found = problems(given={"a/b~c": "file:x"})
    assert only(found) == (
        "/inputs/a~1b~0c",
        "the pipeline declares no input 'a/b~c' (declared: none)",
    )


def test_an_input_that_is_declared_twice_is_a_problem() -> None:
    found = problems(step(args=["${inputs.a}"]), inputs=["a", "a"])
    assert only(found) == ("/inputs/1", "input 'a' is declared twice")


def test_two_inputs_that_would_share_a_variable_are_a_problem() -> None:
    found = problems(step(args=["${inputs.a-b}${inputs.A_b}"]), inputs=["a-b", "A_b"])
    pointer, message = only(found)
    assert pointer == "/inputs/1"
    assert message == "input 'A_b' and input 'a-b' would both be INPUT_A_B; rename one"


@pytest.mark.parametrize(
    "source",
    [
        "open(os.environ['INPUT_SALES'])",
        "cat /workspace/input/sales",
        "for f in os.listdir('/workspace/input'): pass",
        'ls "$AGENTOS_INPUT_DIR"',
    ],
)
def test_code_finds_its_inputs_without_an_argument(source: str) -> None:
    code = {"language": "python", "source": source}
    assert problems({"id": "one", "code": code}, inputs=["sales"]) == []


def test_the_variable_of_an_input_is_named_after_it() -> None:
    assert environment_name("sales-2024") == "INPUT_SALES_2024"


# What is read.


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(60, 60), (0.5, 0.5), ("90s", 90), ("100ms", 0.1), ("1.5 m", 90), ("24h", 86_400), ("7", 7)],
)
def test_a_duration_is_read(written: object, seconds: float) -> None:
    pipeline = Pipeline.model_validate(document(step(timeout=written)))
    assert pipeline.steps[0].timeout == timedelta(seconds=seconds)


def test_numbers_among_the_arguments_become_text() -> None:
    pipeline = Pipeline.model_validate(document(step(args=["--rows", 5, 0.5])))
    assert pipeline.steps[0].args == ["--rows", "5", "0.5"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)
PIECES = st.sampled_from(
    ["${inputs.a}", "${inputs.b-c}", "${steps.one.stdout}", "${steps.x.files}", "${", "$${", "-o"]
)
ARGUMENTS = st.lists(PIECES | TEXTS, max_size=3).map("".join)
JSON = st.recursive(
    ARGUMENTS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
CODE = st.fixed_dictionaries(
    {"language": st.sampled_from(["python", "shell"]), "source": TEXTS.filter(bool)}
)
STEPS = st.fixed_dictionaries(
    {"id": NAMES | st.sampled_from(["one", "x"])},
    optional={
        "skill": NAMES,
        "script": NAMES,
        "tool": NAMES,
        "code": CODE,
        "args": st.lists(ARGUMENTS, max_size=3) | st.dictionaries(TEXTS, JSON, max_size=3),
        "timeout": st.timedeltas(timedelta(seconds=0.1), timedelta(hours=24)),
        "retries": st.integers(0, 20),
        "retry_on": st.lists(st.sampled_from(["any", "timeout", 1, 255]), max_size=3),
    },
)
PIPELINES = st.fixed_dictionaries(
    {"name": TEXTS.filter(bool), "steps": st.lists(STEPS, min_size=1, max_size=4)},
    optional={
        "description": TEXTS,
        "inputs": st.lists(NAMES | st.sampled_from(["a", "b-c"]), max_size=3),
    },
)


@given(PIPELINES)
def test_a_stored_pipeline_is_read_back_unchanged(given: Document) -> None:
    pipeline = Pipeline.model_validate(given)
    stored = json.loads(json.dumps(pipeline.model_dump(mode="json", exclude_defaults=True)))
    assert Pipeline.model_validate(stored) == pipeline


@given(PIPELINES, st.dictionaries(TEXTS | st.sampled_from(["a", "b-c"]), TEXTS, max_size=3))
def test_every_problem_points_into_the_request(given: Document, inputs: dict[str, str]) -> None:
    request = {"pipeline": {"inputs": [], **given}, "inputs": inputs}
    for problem in problems_of(Pipeline.model_validate(given), inputs, "/pipeline"):
        assert problem.message
        _resolve(request, problem.pointer)


def _resolve(value: Any, pointer: str) -> None:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key) if isinstance(value, list) else key]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)
ANY_STEP = st.dictionaries(st.sampled_from(sorted(Step.model_fields)), ANY_JSON)


@given(ANY_JSON | st.builds(lambda steps: {"name": "p", "steps": steps}, st.lists(ANY_STEP)))
def test_any_malformed_pipeline_is_refused_without_a_crash(value: Any) -> None:
    try:
        pipeline = Pipeline.model_validate(value)
    except ValidationError:
        return
    problems_of(pipeline, {})


# Files that a step wants placed.


def test_placed_files_are_references_to_one_file_each() -> None:
    placed = {"t.csv": "${steps.one.files['a.csv']}", "in": "${inputs.data}"}
    use = {"id": "two", "code": {"language": "python", "source": "1"}, "files": placed}
    assert problems(step(), use, inputs=["data"]) == []


@pytest.mark.parametrize(
    "value",
    ["plain", "${steps.one.files}", "${steps.one.stdout}", "a ${inputs.data}", ""],
)
def test_what_is_no_single_file_cannot_be_placed(value: str) -> None:
    use = step(id="two", args=["${inputs.data}"], files={"t.csv": value})
    pointer, message = only(problems(step(), use, inputs=["data"]))
    assert pointer == "/steps/1/files/t.csv"
    assert message.startswith("it must be one file")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"args": ["${steps.one.files['*.csv']}"]}, "args/0"),
        ({"args": ["--in=${steps.one.files['part-?.csv']}"]}, "args/0"),
        ({"env": {"DATA": "${steps.one.files['*.csv']}"}}, "env/DATA"),
        ({"files": {"t.csv": "${steps.one.files['*.csv']}"}}, "files/t.csv"),
        ({"skill": None, "tool": "x", "args": {"a": ["${steps.one.files['*']}"]}}, "args/a/0"),
    ],
    ids=["argument", "within-an-argument", "variable", "placed", "tool"],
)
def test_a_pattern_of_files_stands_in_foreach_only(more: Document, place: str) -> None:
    pointer, message = only(problems(step(), step(id="two", **more)))
    assert pointer == f"/steps/1/{place}"
    assert "a pattern stands in foreach only; name one file, give all with" in message


def test_a_name_of_a_file_may_have_brackets() -> None:
    assert problems(step(), step(id="two", args=["${steps.one.files['a[1].csv']}"])) == []


def test_a_placed_file_of_a_later_step_is_a_problem() -> None:
    first = step(files={"t.csv": "${steps.two.files['a']}"})
    pointer, message = only(problems(first, step(id="two")))
    assert pointer == "/steps/0/files/t.csv"
    assert "runs later" in message


def test_a_placed_file_does_not_hide_an_input() -> None:
    use = step(id="two", files={"data": "${steps.one.files['a']}"})
    pointer, message = only(problems(step(args=["${inputs.data}"]), use, inputs=["data"]))
    assert pointer == "/steps/1/files/data"
    assert "an input of the task has the name 'data' already" in message


def test_an_input_that_is_only_placed_is_used() -> None:
    assert problems(step(files={"t.csv": "${inputs.data}"}), inputs=["data"]) == []


def test_a_tool_finds_no_files_placed() -> None:
    use = {"id": "two", "tool": "write_file", "files": {"t.csv": "${steps.one.files['a']}"}}
    assert only(problems(step(), use))[0] == "/steps/1/files"


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", "-x", "a\nb", "a\\b", "n" * 256])
def test_a_placed_file_has_a_name_within_one_folder(name: str) -> None:
    assert errors_in(step(files={name: "${inputs.data}"}))
