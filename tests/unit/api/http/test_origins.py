"""Whose page a request comes from."""

import pytest
from starlette.datastructures import Headers

from api.http.cookies import is_loopback
from api.http.origins import is_from_elsewhere

_HOST = {"host": "agents.example:8000"}


@pytest.mark.parametrize(
    ("headers", "is_elsewhere"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://agents.example:8000"}, True),
        ({"origin": "https://agents.example:8000"}, False),
        ({"origin": "https://agents.example"}, True),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "null"}, True),
    ],
)
def test_only_own_pages_may_change_something(headers: dict[str, str], is_elsewhere: bool) -> None:
    assert is_from_elsewhere("POST", Headers({**_HOST, **headers})) is is_elsewhere
    assert not is_from_elsewhere("GET", Headers({**_HOST, **headers}))


@pytest.mark.parametrize(
    ("host", "is_own_machine"),
    [
        ("localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("127.9.9.9", True),
        ("[::1]:8000", True),
        ("agents.example", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_loopback_is_told_by_its_names(host: str, is_own_machine: bool) -> None:
    assert is_loopback(host) is is_own_machine
