"""``--set NAME=VALUE``: other values for the parameters of a pipeline."""

from typing import Any

import pytest

from api.cli.commands.parameters import with_parameters
from api.cli.errors import ParameterMalformed
from workflows.definitions.pipeline import Pipeline


def pipeline() -> Pipeline:
    values: dict[str, Any] = {"by": "species", "rows": 10, "share": 0.5, "all": True}
    args = [f"${{parameters.{name}}}" for name in values]
    document = {
        "name": "p",
        "parameters": values,
        "steps": [{"id": "a", "skill": "chart", "args": args}],
    }
    return Pipeline.model_validate(document)


def test_a_value_is_of_the_kind_that_the_pipeline_has_there() -> None:
    made = with_parameters(pipeline(), ["by=5=five", "rows=20", "share=1", "all=false"])
    assert made.parameters == {"by": "5=five", "rows": 20, "share": 1, "all": False}


def test_what_is_not_set_stays() -> None:
    made = with_parameters(pipeline(), ["rows=0.25"])
    assert made.parameters == {"by": "species", "rows": 0.25, "share": 0.5, "all": True}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rows", "write NAME=VALUE"),
        ("cols=3", r"no parameter 'cols' \(it has: by, rows, share, all\)"),
        ("rows=many", "must be a number, as 10 is"),
        ("rows=true", "must be a number"),
        ("share=", "must be a number"),
        ("all=1", "must be true or false, as True is"),
        ("rows=NaN", "finite"),
        ("by=cost$", "must not end with"),
    ],
)
def test_a_value_that_fits_no_parameter_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ParameterMalformed, match=reason):
        with_parameters(pipeline(), [text])


def test_a_parameter_that_is_set_twice_is_refused() -> None:
    with pytest.raises(ParameterMalformed, match="given twice"):
        with_parameters(pipeline(), ["rows=1", "rows=2"])
