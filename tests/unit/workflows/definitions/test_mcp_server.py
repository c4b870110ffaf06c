"""What may be written of an MCP server, and that no secret is written with it."""

from typing import Any

import pytest
from pydantic import ValidationError

from workflows.definitions.mcp_server import McpServer

TOKEN = "ghp_" + "a1B2" * 9


def stdio(**more: Any) -> McpServer:
    return McpServer.model_validate(
        {"name": "a", "transport": "stdio", "command": "server", **more}
    )


def http(**more: Any) -> McpServer:
    return McpServer.model_validate(
        {"name": "a", "transport": "http", "url": "https://a.example/mcp", **more}
    )


def test_a_server_is_told_by_its_command_line() -> None:
    assert stdio(args=["--root", "a b"]).endpoint == "server --root 'a b'"


def test_the_digest_changes_with_the_configuration_only() -> None:
    assert stdio().digest == stdio(args=[]).digest
    assert stdio().digest != stdio(env={"A": "1"}).digest


@pytest.mark.parametrize("name", ["", "A", "a.b", "a/b", "a" * 33, "a\n", "ä"])
def test_a_name_that_cannot_be_part_of_a_tools_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        stdio(name=name)


@pytest.mark.parametrize(
    "more",
    [
        {"command": None},
        {"command": ""},
        {"command": "./server"},
        {"command": "a\x00b"},
        {"args": ["a\nb"]},
        {"env": {"A=B": "1"}},
        {"cwd": "relative"},
        {"url": "https://a.example"},
        {"headers": {"A": "b"}},
        {"timeout_seconds": 0},
        {"timeout_seconds": float("nan")},
        {"unknown": 1},
    ],
)
def test_a_program_that_cannot_be_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        stdio(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"url": None},
        {"url": "ftp://a.example/"},
        {"url": "a.example"},
        {"url": "http:///mcp"},
        {"url": "http://a.example:99999/"},
        {"url": "http://[::1/"},
        {"url": "https://a.example/#part"},
        {"command": "server"},
        {"env": {"A": "1"}},
        {"headers": {"A": "b\r\nC: d"}},
        {"headers": {"A b": "c"}},
        {"headers": {"Host": "b.example"}},
        {"headers": {"mcp-session-id": "1"}},
    ],
)
def test_a_url_that_cannot_be_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        http(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"url": "https://user:pass@a.example/"},
        {"url": "https://a.example/?api_key=abcdef123"},
        {"url": "https://a.example/?exaApiKey=abc"},
        {"url": f"https://a.example/?x={TOKEN}"},
        {"url": "https://a.example/?x=secret:TOKEN"},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"Authorization": "whatever"}},
        {"headers": {"X-Api-Key": "abc"}},
        {"headers": {"Cookie": "a=b"}},
        {"headers": {"X-Plain": TOKEN}},
    ],
)
def test_a_credential_of_a_url_is_refused_and_not_repeated(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="secret:") as refused:
        http(**more)
    [problem] = refused.value.errors(include_input=False, include_url=False)
    assert TOKEN not in problem["msg"]


@pytest.mark.parametrize(
    "more",
    [
        {"env": {"GITHUB_TOKEN": "abc"}},
        {"env": {"DB_PASSWORD": "x"}},
        {"env": {"PLAIN": TOKEN}},
        {"env": {"PLAIN": "postgres://user:word@host/db"}},
        {"args": ["--token=abcdef123"]},
        {"args": ["--github-token", "abc"]},
        {"args": ["run", "-api_key", "abc"]},
        {"args": [TOKEN]},
        {"args": ["secret:TOKEN"]},
        {"command": TOKEN},
    ],
)
def test_a_credential_of_a_program_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="secret:"):
        stdio(**more)


@pytest.mark.parametrize(
    "args", [["--max-tokens", "500"], ["--token-file", "/a"], ["--token", "--utc"], ["--token"]]
)
def test_values_that_are_not_credentials_are_accepted(args: list[str]) -> None:
    assert stdio(args=args).args == tuple(args)
    http(url="https://a.example/mcp?toolsets=issues&readonly=1")


def test_secrets_by_name_are_taken() -> None:
    http(headers={"Authorization": "Bearer secret:GITHUB", "Accept-Language": "de"})
    stdio(env={"GITHUB_TOKEN": "secret:GITHUB", "KEYBOARD": "de", "AUTHOR": "me"})


def test_a_variable_before_a_program_points_at_env_and_is_not_repeated() -> None:
    with pytest.raises(ValidationError, match="--env DEBUG=VALUE") as raised:
        McpServer.model_validate(
            {"name": "a", "transport": "stdio", "command": "DEBUG=value-of-it", "args": ["server"]}
        )
    [error] = raised.value.errors(include_input=False)
    assert "value-of-it" not in error["msg"]
