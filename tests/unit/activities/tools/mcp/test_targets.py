"""Where secrets may go."""

from typing import Any

import pytest

from activities.tools.mcp.grants import Grant
from activities.tools.mcp.targets import Target
from workflows.definitions.mcp_server import McpServer
from workflows.errors import BadInput


def http(url: str) -> McpServer:
    return McpServer(name="s", transport="http", url=url)


def stdio(command: str, *args: str) -> McpServer:
    return McpServer(name="s", transport="stdio", command=command, args=args)


@pytest.mark.parametrize(
    ("target", "server", "fits"),
    [
        ("https://a.example", http("https://a.example/mcp"), True),
        ("https://A.example/", http("https://a.example:443/mcp?x=1"), True),
        ("https://a.example:8443", http("https://a.example:8443/"), True),
        ("http://[::1]:80", http("http://[::1]/mcp"), True),
        ("https://a.example", http("http://a.example/mcp"), False),
        ("https://a.example", http("https://a.example:8443/mcp"), False),
        ("https://a.example", http("https://a.example.evil.example/mcp"), False),
        ("https://a.example", http("https://sub.a.example/mcp"), False),
        ("https://a.example", http("https://evil.example/https://a.example"), False),
        ("https://a.example", stdio("https"), False),
        ("server", stdio("server"), True),
        ("server --utc", stdio("server", "--utc"), True),
        ("server *", stdio("server", "--anything"), True),
        ("server", stdio("server", "--print-environment"), False),
        ("server", stdio("/tmp/server"), False),
        ("server", http("https://server/mcp"), False),
    ],
)
def test_a_secret_goes_to_the_very_server_that_was_named(
    target: str, server: McpServer, fits: bool
) -> None:
    assert Target.parse(target).fits(server) is fits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "https://",
        "https://*.a.example",
        "https://a.example/path",
        "https://a.example?query",
        "https://user:word@a.example",
        "https://a.example:port",
        "ftp://a.example",
        "'unclosed",
    ],
)
def test_what_names_no_single_target_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Target.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=https://a.example", ("default", "A", "https://a.example:443")),
        ("team one/A_1=npx -y @x/server", ("team one", "A_1", "npx -y @x/server")),
        ("A=server --mode=fast", ("default", "A", "server --mode=fast")),
    ],
)
def test_a_grant_names_team_secret_and_target(text: str, expected: tuple[str, ...]) -> None:
    grant = Grant.parse(text)
    assert (grant.team, grant.name, grant.target.text) == expected


@pytest.mark.parametrize("text", ["A", "a=https://a.example", "=https://a.example", "A=", "A=*"])
def test_what_is_no_grant_is_refused(text: Any) -> None:
    with pytest.raises(BadInput):
        Grant.parse(text)
