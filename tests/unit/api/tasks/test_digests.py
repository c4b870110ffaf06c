"""A repeat is known by its digest, also after an update."""

from typing import Any

import pytest

from api.tasks.digests import digest_of
from workflows.definitions.task_request import TaskRequest

STEP: dict[str, Any] = {"id": "b", "tool": "write_file", "args": {"x": 1e16}}
PIPELINE: dict[str, Any] = {
    "type": "pipeline",
    "priority": 7,
    "inputs": {"data": "https://files.example/a.csv"},
    "pipeline": {
        "name": "p",
        "inputs": ["data"],
        "parameters": {"rate": 1e-7},
        "steps": [
            {
                "id": "a",
                "code": {"language": "python", "source": "print('é')"},
                "args": ["${inputs.data}"],
                "env": {"X": "1"},
                "timeout": "1.5s",
                "retry_on": ["timeout", 3],
            },
            STEP,
        ],
    },
}


def digest(request: dict[str, Any]) -> str:
    return digest_of(TaskRequest.model_validate(request))


@pytest.mark.parametrize(
    ("request_", "written"),
    [
        (PIPELINE, "c42eaaf61341bf0ae0b2b752cb608d29b869f197c887af2483fa872911c94a6e"),
        (
            {"prompt": "Sum up", "agent": {}, "plan": {}},
            "1b6d604a7c31e17435f0917e3dcfc9be3d36b11d83ed6cf4e8b116461003f382",
        ),
    ],
    ids=["pipeline", "prompt"],
)
def test_a_request_has_the_digest_that_the_version_before_these_fields_wrote(
    request_: dict[str, Any], written: str
) -> None:
    """If this fails: a new field belongs into ``_NEWER``, not another digest into the test."""
    assert digest(request_) == written


@pytest.mark.parametrize(
    "more",
    [
        {"cache": False},
        {"callbacks": [{"url": "https://hooks.example/a"}]},
        {"priority": 6},
    ],
    ids=["cache", "callbacks", "priority"],
)
def test_what_a_request_says_of_itself_changes_its_digest(more: dict[str, Any]) -> None:
    assert digest({**PIPELINE, **more}) != digest(PIPELINE)


def test_what_a_request_says_of_a_step_changes_its_digest() -> None:
    lifetimes: list[dict[str, Any]] = [{}, {"cache": "1h"}, {"cache": "2h"}, {"cache": False}]
    requests = [
        {"type": "pipeline", "pipeline": {"name": "p", "steps": [{**STEP, **lifetime}]}}
        for lifetime in lifetimes
    ]
    assert len({digest(request) for request in requests}) == len(lifetimes)


def test_what_a_step_waits_for_and_runs_for_changes_its_digest() -> None:
    ways: list[dict[str, Any]] = [
        {},
        {"needs": []},
        {"foreach": [1]},
        {"foreach": [1], "parallel": 2},
    ]
    requests = [
        {"type": "pipeline", "pipeline": {"name": "p", "steps": [{**STEP, **way}]}} for way in ways
    ]
    requests.append({"type": "pipeline", "pipeline": {"name": "p", "steps": [STEP], "parallel": 9}})
    assert len({digest(request) for request in requests}) == len(requests)


def test_a_default_that_is_written_out_changes_no_digest() -> None:
    assert digest({**PIPELINE, "cache": True, "callbacks": []}) == digest(PIPELINE)
