"""Secrets that the configuration of a server names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from activities.tools.mcp.secrets import names_of, resolve
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpSecretMissing

SERVER = McpServer(
    name="s",
    transport="http",
    url="https://a.example/mcp",
    headers={"X-A": "Bearer secret:A", "X-B": "secret:B and secret:A"},
)


def test_secrets_are_filled_in_wherever_they_are_named() -> None:
    secrets = {"A": SecretStr("one"), "A_B": SecretStr("secret:A")}
    given = {"x": "Bearer secret:A", "y": "secret:A_B", "z": "plain"}
    # What a secret holds is not looked through again.
    assert resolve(SERVER, given, secrets) == {"x": "Bearer one", "y": "secret:A", "z": "plain"}


def test_a_secret_that_there_is_none_of_is_reported_by_its_name() -> None:
    with pytest.raises(McpSecretMissing, match="AGENTOS_SECRET_NONE"):
        resolve(SERVER, {"x": "secret:NONE"}, {})


@given(st.text(max_size=50))
def test_a_text_without_the_word_secret_is_never_changed(text: str) -> None:
    if "secret:" not in text:
        assert resolve(SERVER, {"x": text}, {}) == {"x": text}


def test_the_names_in_all_its_values_are_a_servers() -> None:
    assert names_of(SERVER) == {"A", "B"}
