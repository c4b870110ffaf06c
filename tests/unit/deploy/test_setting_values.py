"""Every setting: a bad value is told in our words, and the README has a row for it."""

import re

import pytest

from deploy import settings, variables
from deploy.doctor.environment import examine, usable
from deploy.settings import Settings, SettingsInvalid
from tests.folders import PROJECT

_WHOLE = ("many", "1.5", "-1", "", "inf", "nan", "1" + "0" * 30)
_AMOUNT = ("many", "-1", "nan", "", "inf", "-inf", "1e400", "31536001")
_DAYS = ("0", "-1", "1.5", "", "for ever", "36501", "1" + "0" * 30, "\u00b2")
_FLAG = ("perhaps", "2", "")
_URL = (
    "example.org",
    "ftp://example.org",
    "http://",
    "http://a:b",
    " ",
    "http://a.example ",
    "http://a..b",
)
_WORD = (" ", "name ", "na\nme")
_SENDABLE = (" ", "clé-of-twenty-characters", "0123456789abcdefghij ", "0123456789\nabcdefghij")
_HOSTS = ("::1", "http://a.example", "a b")
_POSTGRES = "postgresql+asyncpg://user:word@a.example"
_DATABASE = (
    *("here", "mysql://x", " ", "postgresql+asyncpg://x\n", "postgresql+psycopg://x"),
    *(
        f"{_POSTGRES}:abc/x",
        f"{_POSTGRES}:0/x",
        f"{_POSTGRES}:65536/x",
        "postgresql+asyncpg://a..b/x",
        f"{_POSTGRES}/x?port=a",
    ),
    *(f"{_POSTGRES}/x?sslmode=always", f"{_POSTGRES}/x?ssl=true", f"{_POSTGRES}/x?what=1"),
    *(f"{_POSTGRES}/x?sslmode=require&ssl=require", f"{_POSTGRES}/x?sslmode=require&sslmode=allow"),
    *(f"{_POSTGRES}/x?sslrootcert=/nowhere", f"{_POSTGRES}/x?channel_binding=require"),
)

# What makes no sense for each; nothing where any text does.
BAD: dict[str, tuple[str, ...]] = {
    "database_url": (*_DATABASE, ""),
    "database_read_url": _DATABASE,
    "pool_size": _WHOLE,
    "max_overflow": _WHOLE,
    "s3_endpoint": (
        *(*_URL, "", "https://bucket.s3.eu-central-1.amazonaws.com"),
        *("https://a.example/bucket", "https://user:word@a.example", "https://a.example?x"),
    ),
    "s3_region": (*_WORD, "eu central", "eu-", "eu.central"),
    "s3_bucket": (*_WORD, "", "ab", "a/b"),
    "s3_access_key": _SENDABLE,
    "s3_secret_key": _SENDABLE,
    "task_queue": (*_WORD, ""),
    "temporal_ui_url": _URL,
    "codec_key": ("hunter2", "00" * 31),
    "codec_token": (*_SENDABLE, "hunter2"),
    "worker_address": ("8010", "localhost:8010", "127.0.0.1", "::1:80", "127.0.0.1:65536", ""),
    "metrics_token": (*_SENDABLE, "hunter2"),
    "titles": ("none", ""),
    "public_url": _URL,
    "served_hosts": (),
    "skills_path": (),
    "tools_path": ("/nowhere/at/all", __file__, "/:/nowhere/at/all"),
    "data_dir": ("", " "),
    "services_dir": ("/nowhere/at/all", " "),
    "sandbox": ("docker", ""),
    "sandbox_memory_mib": (*_WHOLE, "63"),
    "sandbox_processes": (*_WHOLE, "7", "4194305"),
    "sandbox_disk_mib": _WHOLE,
    "sandbox_file_mib": _WHOLE,
    "sandbox_files": _WHOLE,
    "sandbox_printed_mib": _WHOLE,
    "warm_sandboxes": ("many", "-1", "1.5", "65", ""),
    "breaker_share": ("half", "0", "1.1", "-1", "nan", ""),
    "breaker_calls": (*_WHOLE, "0"),
    "breaker_window_seconds": (*_AMOUNT, "0", "3601"),
    "breaker_open_seconds": (*_AMOUNT, "0", "86401"),
    "breaker_longest_seconds": (*_AMOUNT, "0", "86401"),
    "breaker_slow_seconds": (*_AMOUNT, "86401"),
    "breaker_slow_share": ("half", "0", "1.1", "-1", "nan", ""),
    "networked_skills": (),
    "keep_tasks": _DAYS,
    "keep_events": _DAYS,
    "keep_logs": _DAYS,
    "keep_conversations": _DAYS,
    "keep_artifacts": _DAYS,
    "keep_files": _DAYS,
    "keep_dead_letters": _DAYS,
    "keep_deliveries": _DAYS,
    "keep_audit": _DAYS,
    "keep_blobs": _DAYS,
    "cache_days": _DAYS,
    "housekeeping_seconds": (*_AMOUNT, "0", "86401"),
    "python_downloads": _FLAG,
    "skill_private_hosts": _HOSTS,
    "e2b_api_key": _SENDABLE,
    "e2b_template": _WORD,
    "max_running_steps": _WHOLE,
    "webhook_hosts": _HOSTS,
    "webhook_private_hosts": _HOSTS,
    "webhook_timeout_seconds": (*_AMOUNT, "0", "601"),
    "webhook_first_pause_seconds": (*_AMOUNT, "0", "86401"),
    "webhook_longest_pause_seconds": (*_AMOUNT, "0", "86401"),
    "webhook_retry_seconds": (*_AMOUNT, "0"),
    "webhook_off_seconds": (*_AMOUNT, "0"),
    "webhooks_at_once": _WHOLE,
    "stop_seconds": (*_AMOUNT, "86401"),
    "keys_required": _FLAG,
    "open_loopback": _FLAG,
    "max_upload_mib": _WHOLE,
    "max_viewers": _WHOLE,
    "max_viewers_per_team": _WHOLE,
    "allowed_hosts": _HOSTS,
    "private_hosts": _HOSTS,
    "allowed_buckets": (),
    "input_mib": _WHOLE,
    "input_seconds": (*_AMOUNT, "0", "86401"),
    "input_cache_mib": _WHOLE,
    "models": (),
    "openai_api_key": _SENDABLE,
    "openai_base_url": _URL,
    "prices": (
        *("large=1", "[]", "7", '{"a": 1}', '{"a": {"input": -1, "output": "x"}}'),
        '{"a": {"input": Infinity, "output": 1e999}}',
    ),
    "context_tokens": (*_WHOLE, "999"),
    "model_context_tokens": ("8192", "[]", '{"a": "many"}', '{"a": 999}', '{"a": 1e30}'),
    "model_limits": (
        *("4", "[]", '{"a": 4}', '{"a": {"running": 0}}', '{"a": {"running": 1.5}}'),
        *('{"a": {"running": 100001}}', '{"a": {"per_minute": "many"}}', '{"a": {"runing": 1}}'),
    ),
    "team_daily_tokens": _WHOLE,
    "approval_seconds": (*_AMOUNT, "0"),
    "atomicity": ("fine", ""),
    "mcp_commands": (),
    "mcp_hosts": (),
    "mcp_env": (),
    "secrets_key": ("hunter2", "00" * 31),
    "secrets_for": ("TOKEN", "token=server", "TOKEN=https://a.example/path", "TOKEN=*"),
    "mcp_start_seconds": (*_AMOUNT, "0", "100000"),
    "search_url": _URL,
    "schedule_seconds": (*_AMOUNT, "0", "0.5", "86401"),
    "max_schedules": _WHOLE,
    "agents_path": (),
    "max_agents": _WHOLE,
    "reminder_least_seconds": (*_AMOUNT, "0.5", "31536001"),
    "reminders_per_agent": _WHOLE,
    "max_thinking_agents": _WHOLE,
    "summarise_tokens": _WHOLE,
    "agent_idle_seconds": (*_AMOUNT, "0", "3601"),
}
CASES = [(name, value) for name, values in BAD.items() for value in values]

# How pydantic puts it.
_FOREIGN = re.compile(r"Input|Value error|should|unable to|valid|pydantic|Path|EOF")

_SOUND = (
    "0.5",
    *("postgresql+asyncpg://x", "http://a.example", "/tmp", "true", "500", "5000"),
    *("bubblewrap", "{}", "plain", "relaxed", "00" * 32, "TOKEN=server", "127.0.0.1:80"),
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in variables.inherited():
        if name.startswith(("AGENTOS_", "OPENAI_", "E2B_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AGENTOS_DATABASE_URL", "postgresql+asyncpg://x")
    monkeypatch.setenv("AGENTOS_S3_ENDPOINT", "http://127.0.0.1:8333")
    return monkeypatch


def test_bad_values_are_known_for_every_setting() -> None:
    """A new one gets them here, or an empty row where any text makes sense."""
    assert BAD.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_bad_value_is_told_with_its_variable_and_in_our_words(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = settings.variable(name)
    environment.setenv(variable, value)
    with pytest.raises(SettingsInvalid) as caught:
        settings.load()
    reason = str(caught.value.fields["reason"])
    assert reason.startswith(f"{variable}: ")
    assert not _FOREIGN.search(reason), reason


@pytest.mark.parametrize(("name", "value"), CASES)
def test_the_doctor_tells_a_bad_value_and_goes_on_with_the_rest(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = settings.variable(name)
    environment.setenv(variable, value)
    environment.setenv("AGENTOS_NETWORKED_SKILLS", "other")
    first, *wrong = examine(variables.inherited(), with_services=True)
    assert first.ok
    assert "AGENTOS_NETWORKED_SKILLS=other" in first.detail
    assert {(finding.name, finding.ok) for finding in wrong} == {(variable, False)}
    assert all(finding.remedy for finding in wrong)
    assert usable().networked_skills == ("other",)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_doctor_shows_every_setting_that_is_set_but_no_secret(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    variable, kind = settings.variable(name), str(Settings.model_fields[name].annotation)
    for value in _SOUND:
        environment.setenv(variable, value)
        first, *wrong = examine(variables.inherited(), with_services=True)
        if not wrong:
            break
    is_secret = "SecretStr" in kind or name.startswith("database")
    assert f"{variable}={'(set)' if is_secret else value}" in first.detail
    assert not wrong


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("AGENTOS_POOLSIZE", "AGENTOS_POOL_SIZE"),
        ("AGENTOS_SANDBOX_MEMORY_MB", "AGENTOS_SANDBOX_MEMORY_MIB"),
        ("AGENTOS_MODEL", "AGENTOS_MODELS"),
        ("AGENTOS_API_KEYS", "AGENTOS_API_KEY"),
    ],
)
def test_a_variable_with_a_slip_of_the_pen_is_told_with_the_right_one(
    environment: pytest.MonkeyPatch, typed: str, meant: str
) -> None:
    environment.setenv(typed, "hunter2")
    _, wrong = examine(variables.inherited(), with_services=True)
    assert (wrong.name, wrong.ok) == (typed, False)
    assert f"Did you mean {meant}?" in wrong.remedy
    assert "hunter2" not in str(wrong)


def test_variables_of_the_commands_of_compose_and_of_secrets_are_known(
    environment: pytest.MonkeyPatch,
) -> None:
    for name in ("AGENTOS_API_URL", "AGENTOS_API_KEY", "AGENTOS_PORT", "AGENTOS_SECRET_TRACKER"):
        environment.setenv(name, "hunter2")
    [first] = examine(variables.inherited(), with_services=True)
    assert "AGENTOS_SECRET_TRACKER=(set)" in first.detail
    assert "AGENTOS_API_KEY=(set)" in first.detail


def test_services_that_are_half_named_are_told(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AGENTOS_S3_ENDPOINT")
    _, wrong = examine(variables.inherited(), with_services=True)
    assert (wrong.name, wrong.detail) == ("AGENTOS_S3_ENDPOINT", "this field is required")


def test_a_folder_of_skills_that_is_not_there_is_told(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AGENTOS_SKILLS_PATH", "/nowhere/at/all")
    _, wrong = examine(variables.inherited(), with_services=True)
    assert (wrong.name, wrong.detail) == ("AGENTOS_SKILLS_PATH", "no such folder: /nowhere/at/all")


def test_the_readme_has_every_setting() -> None:
    ours = {settings.variable(name) for name in Settings.model_fields}
    others = {"AGENTOS_PORT", "AGENTOS_SKILLS_FOLDER", "AGENTOS_API_URL", "AGENTOS_API_KEY"}
    assert (ours | others) - _named_in_readme() == set()


def _named_in_readme() -> set[str]:
    """Variables, and those of which a row has only the end: `AGENTOS_S3_ENDPOINT`, `_BUCKET`."""
    text = (PROJECT / "README.md").read_text()
    found = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", text))
    for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
        first, *ends = re.findall(r"`(\w+)`", row) or [""]
        starts = [first[: place.start()] for place in re.finditer("_", first)]
        found |= {start + end for start in starts for end in ends if end.startswith("_")}
    return found
