"""Where one is led after logging in."""

import pytest

from api.web.routes.login import own_path


@pytest.mark.parametrize("path", ["/", "/tasks/new?type=agent", "/agents/x?tab=memory#end"])
def test_paths_of_our_own_are_followed(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tasks",
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        "/\t/evil.example",
    ],
)
def test_other_addresses_lead_to_the_beginning(path: str) -> None:
    assert own_path(path) == "/"
