"""What is made of the options of the API."""

import pytest

from api.services import ApiOptions


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        (None, set()),
        ("https://Temporal.example:443/ui", {"https://temporal.example"}),
        ("http://someone@LOCALHOST:8233/", {"http://localhost:8233", "http://127.0.0.1:8233"}),
        ("http://127.0.0.1:80", {"http://localhost", "http://127.0.0.1"}),
    ],
)
def test_pages_of_the_temporal_web_ui_are_known_however_its_address_is_written(
    url: str | None, origins: set[str]
) -> None:
    assert ApiOptions(temporal_ui_url=url).temporal_ui_origins == origins
