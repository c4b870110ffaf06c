"""Drafts of tasks: what is wrong with them, and where, before anybody submits them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage, pipeline

YAML = {"Content-Type": "application/yaml"}

GOOD = """\
name: tidy
inputs: [sales, rates]
steps:
  - id: greet
    skill: greet
    args: ["${inputs.sales}"]
  - id: look
    code:
      language: python
      source: print("$INPUT_RATES")
"""


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(infrastructure, skills_folder) as stage:
        yield stage


async def _check(stage: Stage, **body: Any) -> dict[str, Any]:
    answer = await stage.http.post("/tasks/check", json=body)
    assert answer.status_code == 200, answer.text
    checked: dict[str, Any] = answer.json()
    return checked


def _places(checked: dict[str, Any]) -> list[tuple[str, int | None, int | None, str | None]]:
    return [
        (each["pointer"], each["line"], each["column"], each["step"])
        for each in checked["problems"]
    ]


async def _count(stage: Stage) -> int:
    return len((await stage.http.get("/tasks", params={"limit": "200"})).json()["items"])


async def test_a_good_draft_says_what_it_would_run_and_nothing_is_accepted(stage: Stage) -> None:
    before = await _count(stage)
    file = (await stage.http.post("/files", files={"file": ("a.csv", b"a")})).json()["id"]
    references = {"sales": f"file:{file}", "rates": f"file:{file}"}
    checked = await _check(stage, pipeline=GOOD, inputs=references)
    assert checked == {
        "valid": True,
        "problems": [],
        "type": "pipeline",
        "name": "tidy",
        "steps": [
            {"id": "greet", "kind": "skill", "runs": "greet"},
            {"id": "look", "kind": "code", "runs": "python code"},
        ],
        "inputs": [
            {"name": "sales", "given": True, "steps": ["greet"]},
            {"name": "rates", "given": True, "steps": ["look"]},
        ],
        "existing_task_id": None,
    }
    assert await _count(stage) == before


async def test_inputs_that_are_not_given_are_told_beside_what_is_wrong(stage: Stage) -> None:
    checked = await _check(stage, pipeline=GOOD, inputs={"sales": "file:nonsense"})
    assert not checked["valid"]
    assert [each["pointer"] for each in checked["problems"]] == ["/inputs", "/inputs/sales"]
    assert [each["given"] for each in checked["inputs"]] == [True, False]


async def test_what_is_wrong_is_told_with_its_line_in_the_text_of_the_pipeline(
    stage: Stage,
) -> None:
    text = GOOD.replace("skill: greet", "skill: gret").replace("inputs.sales", "inputs.sale")
    problems = _places(await _check(stage, pipeline=text, inputs={"sales": "file:x"}))
    assert ("/pipeline/steps/0/skill", 5, 5, "greet") in problems
    assert ("/pipeline/steps/0/args/0", 6, 12, "greet") in problems
    assert ("/inputs/sales", None, None, None) in problems


async def test_what_the_form_of_a_request_shows_is_told_with_its_line(stage: Stage) -> None:
    text = "name: x\nsteps:\n  - id: a\n    retries: many\n  - skill: greet\n"
    problems = _places(await _check(stage, pipeline=text))
    assert problems == [
        ("/pipeline/steps/0/retries", 4, 5, "a"),
        ("/pipeline/steps/1/id", 5, 5, None),
    ]


async def test_lines_are_those_of_the_body_where_that_is_yaml(stage: Stage) -> None:
    body = "type: pipeline\npriority: 11\npipeline:\n  name: x\n  steps:\n    - id: 7x\n"
    answer = await stage.http.post("/tasks/check", content=body, headers=YAML)
    assert _places(answer.json()) == [
        ("/priority", 2, 1, None),
        ("/pipeline/steps/0/id", 6, 7, "7x"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name: x\nsteps:\n  - id: a\n   skill: b\n", (4, 4)),
        ("name: x\nname: y\n", (2, 1)),
        ("name: &a x\nsteps: *a\n", (2, 8)),
        ('name: "x\n', (2, 1)),
    ],
)
async def test_what_is_no_yaml_is_told_with_its_line(
    stage: Stage, text: str, place: tuple[int, int]
) -> None:
    checked = await _check(stage, pipeline=text)
    [problem] = checked["problems"]
    assert (problem["pointer"], problem["line"], problem["column"]) == ("/pipeline", *place)
    assert problem["message"].startswith("this is not valid YAML: ")
    whole = await stage.http.post("/tasks/check", content=text, headers=YAML)
    [problem] = whole.json()["problems"]
    assert (problem["pointer"], problem["line"], problem["column"]) == ("", *place)


async def test_json_has_no_lines(stage: Stage) -> None:
    checked = await _check(stage, pipeline={"name": "x", "steps": [{"id": "a", "skill": "none"}]})
    assert _places(checked) == [("/pipeline/steps/0/skill", None, None, "a")]
    broken = await stage.http.post(
        "/tasks/check", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert _places(broken.json()) == [("", 1, 1, None)]


@pytest.mark.parametrize("body", ["null", "[]", "7", "{}", '{"pipeline": 7}', '{"pipeline": ""}'])
async def test_whatever_is_no_task_is_told_to_be_none(stage: Stage, body: str) -> None:
    answer = await stage.http.post(
        "/tasks/check", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200
    assert answer.json()["problems"]
    assert not answer.json()["valid"]


async def test_a_draft_of_thousands_of_mistakes_is_answered_with_fifty(stage: Stage) -> None:
    steps = "".join(f"  - id: '{number}'\n" for number in range(3_000))
    checked = await _check(stage, pipeline=f"name: x\nsteps:\n{steps}")
    assert 0 < len(checked["problems"]) <= 50


async def test_a_draft_that_holds_too_much_is_told_so(stage: Stage) -> None:
    checked = await _check(stage, pipeline=f"steps: [{'x, ' * 20_000}]")
    [problem] = checked["problems"]
    assert "more than 10000 values" in problem["message"]
    assert problem["line"] is None


async def test_a_check_and_a_submission_refuse_the_same(stage: Stage) -> None:
    body = {"pipeline": pipeline("print x") | {"inputs": ["a"]}, "prompt": "x", "priority": 3}
    refused = await stage.http.post("/tasks", json=body)
    assert refused.status_code == 422
    told = [(each["pointer"], each["message"]) for each in refused.json()["errors"]]
    checked = await _check(stage, **body)
    assert [(each["pointer"], each["message"]) for each in checked["problems"]] == told


async def test_a_check_of_a_form_is_refused(stage: Stage) -> None:
    answer = await stage.http.post("/tasks/check", data={"pipeline": "x"})
    assert answer.status_code == 415
