"""Statuses are called the same on every version of Python."""

import pytest

from api.http.phrases import phrase_of


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (404, "Not Found"),
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
        (429, "Too Many Requests"),
    ],
)
def test_a_status_has_its_name_of_rfc_9110(status: int, phrase: str) -> None:
    assert phrase_of(status) == phrase
