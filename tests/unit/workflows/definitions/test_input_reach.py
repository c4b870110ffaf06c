"""Which inputs a step may use, beside those that it refers to."""

from typing import Any

import pytest

from workflows.definitions.input_reach import inputs_within_reach
from workflows.definitions.pipeline import Step

GIVEN = ("data", "other")
PLAIN = "import sys; print(open(sys.argv[1]).read())"


def reach(**fields: Any) -> set[str]:
    return inputs_within_reach(Step.model_validate({"id": "a", **fields}), GIVEN)


def code(source: str, language: str = "python") -> dict[str, str]:
    return {"language": language, "source": source}


def test_code_that_does_not_look_around_uses_what_it_refers_to() -> None:
    assert reach(code=code(PLAIN), args=["${inputs.other}"]) == {"other"}
    assert reach(code=code(PLAIN), args=["${steps.b.files['input.csv']}"]) == set()
    assert reach(tool="write_file", args={"name": "input", "text": "${inputs.data}"}) == {"data"}


@pytest.mark.parametrize(
    "source",
    [
        "import os; print(os.environ)",
        "import sys, pathlib; print(*pathlib.Path(sys.argv[1]).parent.iterdir())",
        "import os, sys; print(os.listdir(os.path.split(sys.argv[1])[0]))",
        "import os; print(*os.walk('/'))",
        "open('/workspace/Input/data')",
    ],
)
def test_python_that_may_look_around_may_use_all_inputs(source: str) -> None:
    assert reach(code=code(source)) == {*GIVEN}


@pytest.mark.parametrize(
    "source",
    ["cd ..; cat */data", "cat /w*/i*/data", "echo ${!IN@}", "declare -p", "set | cat", "ls -R /"],
)
def test_a_shell_that_may_look_around_may_use_all_inputs(source: str) -> None:
    assert reach(code=code(source, "shell")) == {*GIVEN}


def test_what_a_skill_does_or_an_argument_says_is_not_known_to_use_no_input() -> None:
    assert reach(skill="csv-clean", args=["${inputs.other}"]) == {*GIVEN}
    assert reach(code={**code(PLAIN), "skill": "csv-clean"}) == {*GIVEN}
    assert reach(code=code("exec(__import__('sys').argv[1])"), args=["open('../x')"]) == {*GIVEN}
