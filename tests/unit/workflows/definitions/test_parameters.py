"""Parameters of a pipeline: values at one place, put where steps refer to them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from workflows.definitions.parameters import filled
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.references import parse, plain
from workflows.pointers import Problem


def pipeline(parameters: dict[str, Any], **step: JsonValue) -> Pipeline:
    only = {"id": "one", **({"skill": "chart"} if "tool" not in step else {}), **step}
    return Pipeline.model_validate({"name": "p", "parameters": parameters, "steps": [only]})


@pytest.mark.parametrize(
    ("value", "text"), [("a b", "a b"), (10, "10"), (0.5, "0.5"), (True, "true"), ("${x", "$${x")]
)
def test_a_parameter_stands_in_arguments_and_variables_as_text(value: object, text: str) -> None:
    made = pipeline({"it": value}, args=["--it=${parameters.it}"], env={"IT": "${parameters.it}"})
    [step] = filled(made)
    assert (step.args, step.env) == ([f"--it={text}"], {"IT": text})


def test_an_argument_of_a_tool_that_is_a_parameter_keeps_its_type() -> None:
    args: JsonValue = {"count": "${parameters.n}", "deep": [{"text": "at most ${parameters.n}"}]}
    [step] = filled(pipeline({"n": 3}, tool="mcp.a.b", args=args))
    assert step.args == {"count": 3, "deep": [{"text": "at most 3"}]}


def test_other_references_and_escapes_stay_as_they_were() -> None:
    text = "$${inputs.x} ${steps.a.files['f']} ${parameters.n} $${"
    [step] = filled(pipeline({"n": 1}, args=[text]))
    assert step.args == ["$${inputs.x} ${steps.a.files['f']} 1 $${"]


def test_a_parameter_that_is_not_declared_is_a_problem() -> None:
    [problem] = problems_of(pipeline({}, args=["${parameters.rows}"]), {})
    assert problem.pointer == "/steps/0/args/0"
    assert "there is no parameter 'rows' (declared: none)" in problem.message


def test_a_parameter_that_no_step_uses_is_a_problem() -> None:
    found = problems_of(pipeline({"rows": 3}, args=["x"]), {})
    assert found == [
        Problem(
            "/parameters/rows",
            "parameter 'rows' is used by no step; refer to it as ${parameters.rows}, or leave it "
            "out",
        )
    ]


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, "cost$", float("inf")])
def test_a_parameter_is_one_plain_value(value: object) -> None:
    with pytest.raises(ValidationError):
        pipeline({"it": value}, args=["${parameters.it}"])


def test_a_parameter_cannot_be_placed_as_a_file() -> None:
    found = problems_of(
        pipeline({"n": "x"}, args=["${parameters.n}"], files={"f": "${parameters.n}"}), {}
    )
    assert [problem.pointer for problem in found] == ["/steps/0/files/f"]


@given(st.text(alphabet=st.sampled_from("${}ab'."), max_size=12))
def test_text_that_is_written_plain_is_read_as_it_was(text: str) -> None:
    assert "".join(map(str, parse(plain(text)))) == text
