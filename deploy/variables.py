"""The environment variables; ``settings`` says what they mean. Nobody else reads them."""

import os
from collections.abc import Mapping
from pathlib import Path

_DATA_DIR = Path(".agentos")
# Of the commands themselves; none is a setting of a part.
_OF_COMMANDS = ("AGENTOS_API_URL", "AGENTOS_API_KEY", "AGENTOS_DATA_DIR")
_OF_SETTINGS = ("AGENTOS_", "OPENAI_", "E2B_")


def inherited() -> dict[str, str]:
    """The whole environment, for programs that we start."""
    return dict(os.environ)


def replace(given: Mapping[str, str]) -> None:
    """Have these and no others, in a process that was forked."""
    os.environ.clear()
    os.environ.update(given)


def data_dir() -> Path:
    """The folder of `agentos up` where no option says it."""
    return Path(os.environ.get("AGENTOS_DATA_DIR") or _DATA_DIR)


def api_url() -> str:
    """The API that commands are told to use; empty where they find one by themselves."""
    return os.environ.get("AGENTOS_API_URL", "")


def names_services() -> bool:
    """Whether the environment names services; else they are those of ``agentos up``."""
    return "AGENTOS_DATABASE_URL" in os.environ


def have_settings() -> bool:
    """Whether any setting may be other than its default."""
    return any(name.startswith(_OF_SETTINGS) for name in os.environ.keys() - set(_OF_COMMANDS))


def temporal_page_key() -> str:
    """The key of the guard before Temporal's web page; empty where there is none."""
    return os.environ.get("AGENTOS_TEMPORAL_UI_KEY", "")
