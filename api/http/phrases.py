"""What statuses are called, as in RFC 9110."""

from collections.abc import Mapping
from http import HTTPStatus

# Python before 3.13 has the names of an older RFC for these. The API says the same on each.
_RENAMED: Mapping[int, str] = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def phrase_of(status: int) -> str:
    """The name of a status that the API answers with."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase
