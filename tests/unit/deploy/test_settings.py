from pathlib import Path

import pytest

from activities.inputs.policy import InputPolicy
from activities.sandbox.backends import BACKENDS
from activities.tools.mcp.policy import McpPolicy
from deploy import settings, variables
from deploy.settings import BUILT_IN_SKILLS, SettingsInvalid

NEEDED = {
    "AGENTOS_DATABASE_URL": "postgresql+asyncpg://x",
    "AGENTOS_S3_ENDPOINT": "http://127.0.0.1:8333",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in variables.inherited():
        if name.startswith(("AGENTOS_", "OPENAI_")):
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_load_from_the_required_variables_alone(environment: pytest.MonkeyPatch) -> None:
    told = settings.load()
    assert told.skill_folders == (BUILT_IN_SKILLS,)
    assert (told.pool_size, told.max_overflow, told.task_queue) == (20, 10, "agentos")


def test_viewers_are_bounded_by_two_settings(environment: pytest.MonkeyPatch) -> None:
    assert (settings.load().max_viewers, settings.load().max_viewers_per_team) == (2_000, 1_000)
    environment.setenv("AGENTOS_MAX_VIEWERS", "20")
    environment.setenv("AGENTOS_MAX_VIEWERS_PER_TEAM", "0")
    with pytest.raises(SettingsInvalid, match="AGENTOS_MAX_VIEWERS_PER_TEAM"):
        settings.load()
    environment.setenv("AGENTOS_MAX_VIEWERS_PER_TEAM", "10")
    assert (settings.load().max_viewers, settings.load().max_viewers_per_team) == (20, 10)


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_variable_is_named(environment: pytest.MonkeyPatch, missing: str) -> None:
    environment.delenv(missing)
    with pytest.raises(SettingsInvalid, match=missing):
        settings.load()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_database_may_be_named_as_those_who_offer_one_hand_it_out(
    environment: pytest.MonkeyPatch, scheme: str
) -> None:
    rest = "://user:postgres@db.example:5432/name?sslmode=require"
    environment.setenv("AGENTOS_DATABASE_URL", scheme + rest)
    assert settings.load().database_url == f"postgresql+asyncpg{rest}"


def test_a_wrong_value_is_named_but_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AGENTOS_POOL_SIZE", "hunter2")
    with pytest.raises(SettingsInvalid, match="AGENTOS_POOL_SIZE") as caught:
        settings.load()
    assert "hunter2" not in str(caught.value)


def test_titles_are_of_two_kinds_and_prompts_unless_told_otherwise(
    environment: pytest.MonkeyPatch,
) -> None:
    assert settings.load().titles == "prompt"
    environment.setenv("AGENTOS_TITLES", "plain")
    assert settings.load().titles == "plain"
    environment.setenv("AGENTOS_TITLES", "none")
    with pytest.raises(SettingsInvalid, match=r"AGENTOS_TITLES: .*'prompt' or 'plain'"):
        settings.load()


def test_a_sandbox_that_there_is_none_of_is_refused_with_the_names_of_those_there_are(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AGENTOS_SANDBOX", "e2b")
    assert settings.load().sandbox == "e2b"
    environment.setenv("AGENTOS_SANDBOX", "docker")
    with pytest.raises(SettingsInvalid, match="AGENTOS_SANDBOX: ") as caught:
        settings.load()
    assert [name for name in BACKENDS if repr(name) not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("name", "value"), [("AGENTOS_CODEC_KEY", "hunter2"), ("AGENTOS_CODEC_TOKEN", "hunter2")]
)
def test_a_key_that_is_none_is_refused_and_not_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=f"{name}: ") as caught:
        settings.load()
    assert value not in str(caught.value)


def test_keys_of_payloads_are_read_in_their_order(environment: pytest.MonkeyPatch) -> None:
    assert settings.load().codec_keys == ()
    environment.setenv("AGENTOS_CODEC_KEY", f"{'00' * 32},{'01' * 32}")
    assert settings.load().codec_keys == [bytes(32), b"\1" * 32]


@pytest.mark.parametrize("name", ["AGENTOS_ALLOWED_HOSTS", "AGENTOS_PRIVATE_HOSTS"])
def test_a_host_that_is_none_is_refused_with_the_name_of_its_variable(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, "a.example,::1")
    with pytest.raises(SettingsInvalid, match=f"{name}: '::1' is not a host"):
        settings.load()


def test_lists_are_written_with_commas_and_paths_as_in_path(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AGENTOS_ALLOWED_HOSTS", "a.example, *.b.example,")
    environment.setenv("AGENTOS_SKILLS_PATH", "/one:/two")
    told = settings.load()
    assert told.input_policy.allowed_hosts == ("a.example", "*.b.example")
    assert told.skill_folders[:2] == (Path("/one"), Path("/two"))


def test_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AGENTOS_S3_SECRET_KEY", "hunter2")
    environment.setenv("E2B_API_KEY", "hunter3")
    environment.setenv("OPENAI_API_KEY", "hunter4")
    environment.setenv("AGENTOS_SECRET_GITHUB", "hunter6")
    told = settings.load()
    assert told.s3.secret_key == "hunter2"
    assert told.secrets["GITHUB"].get_secret_value() == "hunter6"
    assert "hunter" not in repr(told) + repr(told.secrets)


def test_an_empty_variable_of_a_model_counts_as_none(environment: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AGENTOS_MODELS"):
        environment.setenv(name, "")
    told = settings.load()
    assert (told.openai_api_key, told.openai_base_url, told.models) == (None, None, ())
    assert told.model_options is None


def test_models_are_tried_in_the_order_written_and_have_prices(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AGENTOS_MODELS", "large, small")
    environment.setenv("AGENTOS_PRICES", '{"large": {"input": 1.25, "output": 10}}')
    environment.setenv("OPENAI_API_KEY", "key")
    options = settings.load().model_options
    assert options
    assert options.models == ("large", "small")
    assert options.prices["large"].output_usd == 10


def test_limits_of_inputs_are_those_of_the_policy_unless_told_otherwise(
    environment: pytest.MonkeyPatch,
) -> None:
    assert settings.load().input_policy == InputPolicy()
    environment.setenv("AGENTOS_INPUT_MIB", "3")
    environment.setenv("AGENTOS_INPUT_SECONDS", "1.5")
    environment.setenv("AGENTOS_INPUT_CACHE_MIB", "7")
    policy = settings.load().input_policy
    assert (policy.max_bytes, policy.cache_bytes) == (3 * 1024**2, 7 * 1024**2)
    assert policy.timeout_seconds == 1.5


def test_prices_that_are_no_json_are_told_as_such(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AGENTOS_PRICES", "large=1.25")
    with pytest.raises(SettingsInvalid, match="AGENTOS_PRICES"):
        settings.load()


def test_models_have_contexts_of_their_own(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENAI_API_KEY", "key")
    environment.setenv("AGENTOS_MODEL_CONTEXT_TOKENS", '{"large": 400000, "small": 4096}')
    options = settings.load().model_options
    assert options
    assert options.context_tokens == 128_000
    assert options.model_context_tokens == {"large": 400_000, "small": 4_096}


@pytest.mark.parametrize("value", ["8192", "small=8192", '{"small": 999}', '{"small": "many"}'])
def test_contexts_of_models_that_are_none_are_refused_by_name(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("AGENTOS_MODEL_CONTEXT_TOKENS", value)
    with pytest.raises(SettingsInvalid, match="AGENTOS_MODEL_CONTEXT_TOKENS"):
        settings.load()


def test_any_program_may_be_an_mcp_server_where_only_its_user_can_register(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AGENTOS_KEYS_REQUIRED", "false")
    assert settings.load().mcp_policy == McpPolicy.for_loopback()
    environment.setenv("AGENTOS_KEYS_REQUIRED", "true")
    assert settings.load().mcp_policy == McpPolicy()
    environment.setenv("AGENTOS_KEYS_REQUIRED", "false")
    environment.setenv("AGENTOS_OPEN_LOOPBACK", "true")
    assert settings.load().mcp_policy == McpPolicy()


def test_only_listed_mcp_servers_may_be_where_nobody_said_who_can_register(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("AGENTOS_KEYS_REQUIRED", raising=False)
    assert settings.load().mcp_policy == McpPolicy()


@pytest.mark.parametrize(
    ("variable", "policy"),
    [
        ("AGENTOS_MCP_COMMANDS", McpPolicy(commands=("a",))),
        ("AGENTOS_MCP_HOSTS", McpPolicy(hosts=("a",))),
        ("AGENTOS_NETWORKED_SKILLS", McpPolicy()),
    ],
)
def test_a_listed_variable_ends_the_free_registration_of_mcp_servers(
    environment: pytest.MonkeyPatch, variable: str, policy: McpPolicy
) -> None:
    environment.setenv("AGENTOS_KEYS_REQUIRED", "false")
    environment.setenv(variable, "a")
    assert settings.load().mcp_policy == policy


def test_servers_inside_the_house_are_those_of_the_private_hosts(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AGENTOS_MCP_HOSTS", "http://tracker:8080")
    environment.setenv("AGENTOS_PRIVATE_HOSTS", "tracker:8080")
    assert settings.load().mcp_policy == McpPolicy(
        hosts=("http://tracker:8080",), private_hosts=("tracker:8080",)
    )
