from pathlib import Path

import pytest

from deploy import settings
from deploy.settings import BUILT_IN_SKILLS, SettingsInvalid

NEEDED = {
    "AGENTOS_DATABASE_URL": "postgresql+asyncpg://x",
    "AGENTOS_S3_ENDPOINT": "http://127.0.0.1:8333",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in settings.inherited():
        if name.startswith("AGENTOS_"):
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_what_is_needed_suffices(environment: pytest.MonkeyPatch) -> None:
    told = settings.load()
    assert told.skill_folders == (BUILT_IN_SKILLS,)
    assert (told.pool_size, told.max_overflow, told.task_queue) == (20, 10, "agentos")


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_variable_is_named(environment: pytest.MonkeyPatch, missing: str) -> None:
    environment.delenv(missing)
    with pytest.raises(SettingsInvalid, match=missing):
        settings.load()


def test_a_wrong_value_is_named_but_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AGENTOS_POOL_SIZE", "hunter2")
    with pytest.raises(SettingsInvalid, match="AGENTOS_POOL_SIZE") as caught:
        settings.load()
    assert "hunter2" not in str(caught.value)


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
    told = settings.load()
    assert told.s3.secret_key == "hunter2"
    assert "hunter" not in repr(told)
