"""Environment variables of a step: which may be set, and to what."""

from typing import Any

import pytest
from pydantic import ValidationError

from workflows.definitions.pipeline import MAX_VARIABLE_CHARACTERS, Pipeline, Step
from workflows.definitions.pipeline_checking import problems_of


def step(**fields: Any) -> dict[str, Any]:
    return {"id": "a", "skill": "tidy", **fields}


def problems(*steps: dict[str, Any]) -> list[tuple[str, str]]:
    pipeline = Pipeline.model_validate({"name": "p", "inputs": ["sales"], "steps": steps})
    return [(item.pointer, item.message) for item in problems_of(pipeline, {"sales": ""})]


USE = step(id="use", args=["${inputs.sales}"])


@pytest.mark.parametrize("value", ["", "a b", "é", "1=2", "x" * MAX_VARIABLE_CHARACTERS])
def test_a_variable_is_any_text(value: str) -> None:
    assert problems(USE, step(env={"MODE": value, "_x1": "y"})) == []


def test_a_number_is_taken_as_text() -> None:
    assert Step.model_validate(step(env={"N": 5})).env == {"N": "5"}


@pytest.mark.parametrize(
    "env",
    [
        *({"": "x"}, {"A B": "x"}, {"1A": "x"}, {"A=B": "x"}, {"é": "x"}, {"A" * 129: "x"}),
        *({"A": "\0"}, {"A": "\ud800"}, {"A": None}, {"A": True}, {"A": ["x"]}),
        *({"A": "x" * (MAX_VARIABLE_CHARACTERS + 1)}, {f"A{n}": "" for n in range(65)}, ["A=b"]),
    ],
)
def test_what_no_variable_can_be_is_refused(env: object) -> None:
    with pytest.raises(ValidationError):
        Step.model_validate(step(env=env))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "PATH",
            "path",
            "HOME",
            "TMPDIR",
            "IFS",
            "ENV",
            "BASH_ENV",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
        ),
        *(
            "PYTHONPATH",
            "PYTHONHOME",
            "PYTHONSTARTUP",
            "NODE_OPTIONS",
            "GLIBC_TUNABLES",
            "GCONV_PATH",
        ),
        *("AGENTOS_INPUT_DIR", "INPUT_SALES", "BASH_FUNC_ls", "PERL5OPT", "SHELLOPTS", "PS4"),
    ],
)
def test_a_variable_that_the_sandbox_or_a_loader_reads_is_refused(name: str) -> None:
    [(pointer, message)] = problems(USE, step(env={name: "x"}))
    assert pointer == f"/steps/1/env/{name}"
    assert "use another name" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "x"),
        ("GITHUB_TOKEN", "x"),
        ("HEADER", "Bearer abcdef123456"),
        ("X", "sk-" + "a" * 20),
    ],
)
def test_a_secret_is_refused(name: str, value: str) -> None:
    [(pointer, message)] = problems(USE, step(env={name: value}))
    assert pointer == f"/steps/1/env/{name}"
    assert "looks like a secret" in message
    assert value not in message.replace(name, "")


def test_only_skills_and_code_have_variables() -> None:
    tool = {"id": "t", "tool": "write_file", "args": {"name": "a", "text": "b"}, "env": {"A": "b"}}
    assert problems(USE, tool) == [("/steps/1/env", "only a step with a skill or code has env")]
    code = {"id": "c", "code": {"language": "shell", "source": "env"}, "env": {"A": "b"}}
    assert problems(USE, code) == []


def test_references_in_variables_are_checked() -> None:
    assert problems(step(env={"DATA": "${inputs.sales}"})) == []
    [(pointer, message)] = problems(USE, step(env={"DATA": "${inputs.none}"}))
    assert (pointer, "there is no input 'none'" in message) == ("/steps/1/env/DATA", True)
    [(pointer, message)] = problems(USE, step(env={"DATA": "${steps.use.files}"}))
    assert (pointer, "name one file" in message) == ("/steps/1/env/DATA", True)
    [(pointer, _)] = problems(USE, step(env={"DATA": "${oops"}))
    assert pointer == "/steps/1/env/DATA"


def test_the_variables_are_part_of_the_definition_that_a_retry_reads() -> None:
    written = Step.model_validate(step(env={"MODE": "fast"}))
    kept = written.model_dump(mode="json", exclude_defaults=True)
    assert Step.model_validate(kept).env == {"MODE": "fast"}
