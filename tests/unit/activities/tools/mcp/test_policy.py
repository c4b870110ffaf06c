"""Which MCP servers may be used."""

import pytest

from activities.tools.mcp.policy import McpPolicy
from workflows.definitions.mcp_server import McpServer
from workflows.errors import BadInput
from workflows.errors.mcp import McpNotAllowed


def program(line: str, **more: object) -> McpServer:
    command, *args = line.split()
    given = {"name": "a", "transport": "stdio", "command": command, "args": args, **more}
    return McpServer.model_validate(given)


def at(url: str) -> McpServer:
    return McpServer.model_validate({"name": "a", "transport": "http", "url": url})


def is_allowed(policy: McpPolicy, server: McpServer) -> bool:
    try:
        policy.check(server)
    except McpNotAllowed:
        return False
    return True


def test_an_mcp_server_is_refused_unless_it_is_listed() -> None:
    assert not is_allowed(McpPolicy(), program("server"))
    assert not is_allowed(McpPolicy(), at("http://127.0.0.1:80/"))


@pytest.mark.parametrize(
    ("entry", "line", "allowed"),
    [
        ("server --utc", "server --utc", True),
        ("server --utc", "server", False),
        ("server --utc", "server --utc --more", False),
        ("server --utc *", "server --utc --more", True),
        ("server --utc *", "server --utc", True),
        ("server --utc *", "server --more", False),
        ("server", "/tmp/server", False),
        ("npx -y package", "npx -y package-of-mine", False),
        ("*", "anything --at all", True),
    ],
)
def test_a_command_line_is_allowed_as_a_whole(entry: str, line: str, allowed: bool) -> None:
    assert is_allowed(McpPolicy(commands=(entry,)), program(line)) is allowed


@pytest.mark.parametrize("more", [{"env": {"LD_PRELOAD": "/x"}}, {"cwd": "/tmp"}])
def test_variables_and_folders_that_change_an_allowed_program_are_refused(more: object) -> None:
    assert isinstance(more, dict)
    assert not is_allowed(McpPolicy(commands=("server",)), program("server", **more))
    assert is_allowed(McpPolicy(commands=("*",)), program("server", **more))


def test_variables_are_allowed_by_name() -> None:
    policy = McpPolicy(commands=("server",), env=("PLACE",))
    assert is_allowed(policy, program("server", env={"PLACE": "x"}))
    assert not is_allowed(policy, program("server", env={"PLACE": "x", "PATH": "/x"}))


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("a.example", "https://a.example/mcp", True),
        ("a.example", "https://A.example:443/mcp", True),
        ("a.example", "http://a.example/mcp", False),
        ("a.example", "https://a.example:8443/mcp", False),
        ("a.example", "https://b.a.example/", False),
        ("a.example", "https://a.example.evil/", False),
        ("*.a.example", "https://b.a.example/", True),
        ("*.a.example", "https://a.example/", False),
        ("*.a.example", "https://xa.example/", False),
        ("http://10.0.0.5:*", "http://10.0.0.5:8123/", True),
        ("http://10.0.0.5:*", "https://10.0.0.5:8123/", False),
        ("*", "https://anywhere.example/", True),
        ("*", "http://anywhere.example/", False),
        ("http://[::1]:80", "http://[::1]/", True),
    ],
)
def test_an_origin_is_allowed_as_a_whole(entry: str, url: str, allowed: bool) -> None:
    assert is_allowed(McpPolicy(hosts=(entry,)), at(url)) is allowed


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:9000/mcp", True),
        ("https://127.0.0.1:1/", True),
        ("http://[::1]:5/", True),
        ("http://localhost.evil.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://169.254.169.254/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_on_loopback_only_this_machine_is_allowed(url: str, allowed: bool) -> None:
    assert is_allowed(McpPolicy.for_loopback(), at(url)) is allowed
    assert is_allowed(McpPolicy.for_loopback(), program("anything"))


@pytest.mark.parametrize(
    "policy", [{"hosts": ("a b",)}, {"hosts": ("ftp://a",)}, {"commands": ("a 'b",)}]
)
def test_an_entry_that_cannot_be_read_is_reported(policy: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadInput):
        McpPolicy(**policy)


@pytest.mark.parametrize(
    ("hosts", "private", "url", "inside"),
    [
        (("tracker.example",), (), "https://tracker.example/mcp", False),
        (("*",), (), "https://10.0.0.5/mcp", False),
        (("*", "10.0.0.5"), (), "https://10.0.0.5/mcp", True),
        (("http://localhost:*",), (), "http://localhost:1/mcp", True),
        (("http://[::1]:*",), (), "http://[::1]:1/mcp", True),
        (("http://tracker:8080",), ("tracker:8080",), "http://tracker:8080/mcp", True),
        (("http://tracker:*",), ("tracker:8080",), "http://tracker:9090/mcp", False),
    ],
)
def test_only_hosts_listed_as_private_count_as_inside(
    hosts: tuple[str, ...], private: tuple[str, ...], url: str, inside: bool
) -> None:
    policy = McpPolicy(hosts=hosts, private_hosts=private)
    assert is_allowed(policy, at(url))
    assert policy.is_inside(at(url)) is inside
