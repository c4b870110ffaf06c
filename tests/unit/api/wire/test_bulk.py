"""Requests about many dead letters."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.wire.bulk import BulkDiscardRequest, BulkRequeueRequest

ONE = {"fingerprint": "0123456789abcdef"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "give a `filter`, or `all: true`"),
        ({"all": False}, "give a `filter`, or `all: true`"),
        ({"filter": None}, "give a `filter`, or `all: true`"),
        ({"filter": {}}, "it says nothing"),
        ({"filter": {"type": []}}, "it says nothing"),
        ({"filter": {}, "all": True}, "it says nothing"),
        ({"filter": ONE, "all": True}, "not both"),
        ({"filter": {"text": ""}}, "at least 1 character"),
        ({"filter": {"tpye": ["agent"]}}, "Extra inputs"),
        ({"filter": {"created_after": 12}}, "a date and time"),
        ({"filter": {"created_after": "12"}}, "a date and time"),
        ({"all": "true"}, "valid boolean"),
        ({"all": True, "rate": 0}, "greater than or equal to 1"),
        ({"all": True, "rate": 6_001}, "less than or equal to 6000"),
        ({"all": True, "note": "x" * 20_001}, "at most 20000"),
    ],
    ids=str,
)
def test_what_does_not_say_which_letters_or_how_is_refused(
    body: dict[str, Any], reason: str
) -> None:
    for model, more in ((BulkRequeueRequest, {}), (BulkDiscardRequest, {"note": "Old"})):
        with pytest.raises(ValidationError, match=reason):
            model.model_validate({**more, **body})


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"canary": -1}, "greater"), ({"canary": 1_001}, "less"), ({"description": "x"}, "Extra")],
    ids=str,
)
def test_a_requeue_of_many_has_its_own_bounds(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        BulkRequeueRequest.model_validate({"all": True, **more})


def test_a_discard_needs_a_reason_and_its_dry_run_none() -> None:
    with pytest.raises(ValidationError, match="say why"):
        BulkDiscardRequest.model_validate({"filter": ONE, "note": " "})
    assert BulkDiscardRequest.model_validate({"filter": ONE, "dry_run": True}).dry_run


def test_what_is_asked_of_each_letter_is_what_is_asked_of_all() -> None:
    body = {"all": True, "from": "clean", "inputs": {"data": "file:1"}, "note": "Mended"}
    one = BulkRequeueRequest.model_validate(body).of_one
    assert (one.begin, one.inputs, one.note) == ("clean", {"data": "file:1"}, "Mended")
    assert not one.dry_run
