"""The offline model says in our words what is wrong with a request."""

import pytest

from deploy.offline_model.bodies import parsed
from deploy.offline_model.errors import RequestMalformed
from deploy.offline_model.scripts import NewScript


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "body: it must be JSON"),
        (b"[]", "body: it must be an object"),
        (b'{"id": "x"}', "replies: this field is required"),
        (b'{"id": "x", "replies": [{"kind": "song"}]}', "'kind' must be one of"),
        (b'{"id": "x", "replies": [{"kind": "error", "status": 200}]}', "it must be at least 400"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_our_words(body: bytes, told: str) -> None:
    with pytest.raises(RequestMalformed) as caught:
        parsed(body, NewScript)
    assert told in str(caught.value)
    assert "Input" not in str(caught.value)
