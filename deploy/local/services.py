"""What is asked of the embedded stack, and what it answers."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.forking import ForkServer
from deploy.local.s3 import S3Access

API_PORT = 8000
WORKER_PORT = 8010
"""At which the first worker answers monitors; the others follow."""

Migrate = Callable[[str], Awaitable[None]]
Load = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to run, and where."""

    data_dir: Path
    port: int | None = None
    """Of the API, and of none else. Without it that of last time is tried, then the usual one, then
    any that is free."""
    workers: int = 1
    application: bool = True
    """Whether to run API and workers, or only the services that they need."""
    default_ports: bool = True
    """Whether to try the well-known ports first; else all are free ones."""
    task_queue: str = "agentos"
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All that API and workers get beside the addresses of the stack."""
    temporal: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Dynamic configuration of the Temporal server, beside what it has in any case."""
    migrate: Migrate | None = None
    """Called with ``Services.database_url``, before anything is asked of API and workers."""
    tell: Callable[[str], None] = field(default=lambda what: None, repr=False)
    """Called with what a start is at, as in ``postgres is ready``."""
    tell_of_disk: Callable[[str], None] = field(default=lambda said: None, repr=False)
    """Called with what is to be said when the disk of the data folder runs full, or has room."""
    before_first_migration: Load | None = None
    """Called beside the making of the database, to get what ``migrate`` needs for a new one."""
    fork_server: ForkServer | None = field(default=None, repr=False)
    """One that runs, for stacks that share it; else a stack with API and workers has its own."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where everything is."""

    data_dir: Path
    database_url: str
    """For SQLAlchemy with asyncpg."""
    s3: S3Access
    temporal_address: str
    temporal_namespace: str
    temporal_ui_url: str
    secrets_key: str = field(default="", repr=False)
    """Of the secrets that MCP servers are given."""
    model_url: str | None = None
    """Of the offline model; None where the environment names another, and without API."""
    api_url: str | None = None

    def environment(self) -> dict[str, str]:
        """The environment variables of an API or a worker that uses them."""
        model = {"OPENAI_BASE_URL": self.model_url} if self.model_url else {}
        key = {"AGENTOS_SECRETS_KEY": self.secrets_key} if self.secrets_key else {}
        return {
            **model,
            **key,
            "AGENTOS_DATABASE_URL": self.database_url,
            "AGENTOS_S3_ENDPOINT": self.s3.endpoint,
            "AGENTOS_S3_REGION": "",
            "AGENTOS_S3_BUCKET": self.s3.bucket,
            "AGENTOS_S3_ACCESS_KEY": self.s3.access_key,
            "AGENTOS_S3_SECRET_KEY": self.s3.secret_key,
            "AGENTOS_DATA_DIR": str(self.data_dir),
            "AGENTOS_SERVICES_DIR": str(self.data_dir),
            "AGENTOS_TEMPORAL_UI_URL": self.temporal_ui_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.temporal_namespace,
        }
