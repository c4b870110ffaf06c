"""The environment variables; ``settings`` says what they mean. Nobody else reads them."""

import os
from pathlib import Path

# Of the commands themselves; none is a setting of a part.
_OF_COMMANDS = ("AGENTOS_API_URL", "AGENTOS_API_KEY", "AGENTOS_DATA_DIR")
_OF_SETTINGS = ("AGENTOS_", "OPENAI_", "E2B_")


def inherited() -> dict[str, str]:
    """The whole environment, for programs that we start."""
    return dict(os.environ)


def names_services() -> bool:
    """Whether the environment names services; else they are those of ``agentos up``."""
    return "AGENTOS_DATABASE_URL" in os.environ


def have_settings() -> bool:
    """Whether any setting may be other than its default."""
    return any(name.startswith(_OF_SETTINGS) for name in os.environ.keys() - set(_OF_COMMANDS))


def data_dir() -> Path:
    """The folder of ``agentos up``, where a command does not say which."""
    return Path(os.environ.get("AGENTOS_DATA_DIR") or ".agentos")


def temporal_page_key() -> str:
    """The key of the guard before Temporal's web page; empty where there is none."""
    return os.environ.get("AGENTOS_TEMPORAL_UI_KEY", "")
