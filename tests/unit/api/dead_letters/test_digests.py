"""A requeue that is sent twice is known by its digest, also after an update."""

from typing import Any

import pytest

from api.dead_letters.letters import digest_of
from api.wire.requests import RequeueRequest


def digest(body: dict[str, Any]) -> str:
    return digest_of(RequeueRequest.model_validate(body))


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ({}, "a5ad0837cc6e45631ce25544727434fd15ecde7e28fcdbaa00eb8271a4fe7198"),
        (
            {"from": "clean", "inputs": {"a": "file:1"}, "note": "x"},
            "5b493a60f453a4c870f64797c7361d11b1cf9120ea2586d6593078dcf427331f",
        ),
    ],
    ids=["nothing", "something"],
)
def test_digests_that_were_written_before_there_were_parameters_are_those_of_today(
    body: dict[str, Any], written: str
) -> None:
    assert digest(body) == written


def test_another_parameter_is_another_request() -> None:
    one, other = ({"parameters": {"kind": kind}} for kind in ("bar", "line"))
    assert len({digest({}), digest(one), digest(other)}) == 3
