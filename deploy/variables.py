"""The environment variables; ``settings`` says what they mean. Nobody else reads them."""

import os


def inherited() -> dict[str, str]:
    """The whole environment, for programs that we start."""
    return dict(os.environ)


def names_services() -> bool:
    """Whether the environment names services; else they are those of ``agentos up``."""
    return "AGENTOS_DATABASE_URL" in os.environ


def temporal_page_key() -> str:
    """The key of the guard before Temporal's web page; empty where there is none."""
    return os.environ.get("AGENTOS_TEMPORAL_UI_KEY", "")
