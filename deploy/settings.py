"""The settings. This module is the only reader of the environment.

A variable is the name of a field in capitals after ``AGENTOS_``, unless the field says otherwise.
Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS) are read by its SDK.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from activities.inputs import InputPolicy
from activities.sandbox.base import MEBIBYTE, Limits
from activities.store.blobs import S3Options
from activities.store.database import DEFAULT_MAX_OVERFLOW, DEFAULT_POOL_SIZE
from workflows.contracts import TASK_QUEUE
from workflows.errors import AgentOSError

BUILT_IN_SKILLS = Path(__file__).parent.parent / "skills"

# Written `a,b,c`. Without NoDecode pydantic-settings would expect JSON.
Names = Annotated[tuple[str, ...], NoDecode]


_NAMES = ("networked_skills", "allowed_hosts", "private_hosts", "allowed_buckets", "served_hosts")


class SettingsInvalid(AgentOSError):
    """The environment is incomplete or wrong: {reason}. The README lists every variable."""


class Settings(BaseSettings):
    """What API and worker are told from outside."""

    model_config = SettingsConfigDict(env_prefix="AGENTOS_", frozen=True, extra="ignore")

    database_url: str
    database_read_url: str | None = None
    pool_size: int = Field(default=DEFAULT_POOL_SIZE, ge=1)
    max_overflow: int = Field(default=DEFAULT_MAX_OVERFLOW, ge=0)

    s3_endpoint: str
    s3_bucket: str = "agentos"
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")

    task_queue: str = TASK_QUEUE
    temporal_ui_url: str | None = None
    public_url: str = ""
    served_hosts: Names = ()

    skills_path: str = ""
    data_dir: Path = Path(".agentos")

    sandbox: Literal["bubblewrap", "e2b"] = "bubblewrap"
    sandbox_memory_mib: int = Field(default=2_048, ge=64)
    sandbox_processes: int = Field(default=128, ge=8)
    sandbox_disk_mib: int = Field(default=2_048, ge=1)
    sandbox_file_mib: int = Field(default=1_024, ge=1)
    sandbox_files: int = Field(default=10_000, ge=1)
    sandbox_printed_mib: int = Field(default=16, ge=1)
    networked_skills: Names = ()
    e2b_api_key: SecretStr | None = Field(default=None, validation_alias="E2B_API_KEY")
    e2b_template: str | None = None

    max_running_steps: int = Field(default=0, ge=0, description="0: four to a processor")
    stop_seconds: float = Field(default=5.0, ge=0)

    keys_required: bool | None = Field(default=None, description="by default not on loopback only")
    max_upload_mib: int = Field(default=1_024, ge=1)
    allowed_hosts: Names = ()
    private_hosts: Names = ()
    allowed_buckets: Names = ()

    @field_validator(*_NAMES, mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def skill_folders(self) -> tuple[Path, ...]:
        """Those of ``AGENTOS_SKILLS_PATH`` (separated like PATH), then the built-in ones."""
        return (
            *(Path(part) for part in self.skills_path.split(os.pathsep) if part),
            BUILT_IN_SKILLS,
        )

    @property
    def s3(self) -> S3Options:
        return S3Options(
            endpoint=self.s3_endpoint,
            bucket=self.s3_bucket,
            access_key=self.s3_access_key.get_secret_value(),
            secret_key=self.s3_secret_key.get_secret_value(),
        )

    @property
    def limits(self) -> Limits:
        """Bounds on a step's script; its time limits come with the step."""
        return Limits(
            memory_bytes=self.sandbox_memory_mib * MEBIBYTE,
            processes=self.sandbox_processes,
            disk_bytes=self.sandbox_disk_mib * MEBIBYTE,
            file_bytes=self.sandbox_file_mib * MEBIBYTE,
            files=self.sandbox_files,
            printed_bytes=self.sandbox_printed_mib * MEBIBYTE,
        )

    @property
    def input_policy(self) -> InputPolicy:
        return InputPolicy(
            allowed_hosts=self.allowed_hosts,
            private_hosts=self.private_hosts,
            allowed_buckets=self.allowed_buckets,
        )

    @property
    def running_steps(self) -> int:
        return self.max_running_steps or 4 * (os.cpu_count() or 1)


def load() -> Settings:
    """Read the environment.

    Raises:
        SettingsInvalid: a variable is missing or wrong. Values are not shown: some are secrets.
    """
    try:
        return Settings()
    except ValidationError as error:
        reasons = (f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors())
        raise SettingsInvalid(reason="; ".join(reasons)) from None


def names_services() -> bool:
    """Whether the environment names services; else they are those of ``agentos up``."""
    return "AGENTOS_DATABASE_URL" in os.environ


def inherited() -> dict[str, str]:
    """The whole environment, for programs that we start."""
    return dict(os.environ)


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "?"
    return name if name.isupper() else f"AGENTOS_{name.upper()}"
