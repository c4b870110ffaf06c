"""Requests about many tasks."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.wire.bulk_tasks import (
    BulkCancelRequest,
    BulkDeleteRequest,
    BulkRetryRequest,
    BulkTasksRequest,
)
from workflows.states import FINAL, LIVING, Status

MODELS: tuple[type[BulkTasksRequest], ...] = (
    BulkCancelRequest,
    BulkDeleteRequest,
    BulkRetryRequest,
)
ID = "0b0e7b5e-5a5f-4a57-9d3c-0d3b5d0c3f11"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "say which"),
        ({"all": False}, "say which"),
        ({"ids": []}, "say which"),
        ({"filter": {}}, "it says nothing"),
        ({"filter": {"retrying": False}}, "it says nothing"),
        ({"filter": {"text": "x"}, "all": True}, "in one way"),
        ({"filter": {"text": "x"}, "ids": [ID]}, "in one way"),
        ({"ids": [ID] * 10_001}, "at most 10000"),
        ({"ids": ["x"]}, "valid UUID"),
        ({"filter": {"state": ["failed"]}}, "Extra inputs"),
        ({"filter": {"created_after": "12"}}, "a date and time"),
        ({"all": True, "rate": 6_001}, "less than or equal to 6000"),
        ({"all": True, "canary": 1}, "Extra inputs"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_does_not_say_which_tasks_is_refused(body: dict[str, Any], reason: str) -> None:
    for model in MODELS:
        with pytest.raises(ValidationError, match=reason):
            model.model_validate(body)


def test_a_request_means_tasks_in_a_state_that_allows_it() -> None:
    cancel, delete, retry = (model.model_validate({"all": True}) for model in MODELS)
    assert cancel.statuses == LIVING
    assert delete.statuses == FINAL
    assert retry.statuses == FINAL - {Status.COMPLETED}


def test_states_that_are_named_are_meant_as_far_as_they_allow_it() -> None:
    named = {"filter": {"status": ["completed", "running"]}}
    cancel, delete, retry = (model.model_validate(named) for model in MODELS)
    assert cancel.statuses == {Status.RUNNING}
    assert delete.statuses == retry.statuses == {Status.COMPLETED}
