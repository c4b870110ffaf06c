"""The settings. This module and ``variables`` are the only readers of the environment. Groups of
settings have modules of their own.

A variable is the name of a field in capitals after ``AGENTOS_``, unless the field says otherwise.
Temporal's own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS) are read by its SDK.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import DirectoryPath, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from activities.aes_keys import read_keys
from activities.inputs.policy import InputPolicy
from activities.store.options import DEFAULT_MAX_OVERFLOW, DEFAULT_POOL_SIZE, S3Options
from activities.tools.mcp.limits import LONGEST_START_SECONDS, START_SECONDS
from activities.tools.mcp.policy import McpPolicy
from activities.units import MEBIBYTE
from deploy.breaker_settings import BreakerSettings
from deploy.model_settings import ModelSettings
from deploy.resident_settings import ResidentSettings
from deploy.retention_settings import RetentionSettings
from deploy.sandbox_settings import SandboxSettings
from deploy.schedule_settings import ScheduleSettings
from deploy.setting_values import (
    DAY_SECONDS,
    YEAR_SECONDS,
    Bucket,
    Count,
    CountOrZero,
    DatabaseUrl,
    Folder,
    Folders,
    Grants,
    Hosts,
    Keys,
    Mebibytes,
    Names,
    OrNone,
    RegionIfAny,
    S3Endpoint,
    SendableIfAny,
    Token,
    WebUrl,
    WebUrlIfAny,
    Word,
    WorkerAddress,
)
from deploy.webhook_settings import WebhookSettings
from deploy.worker_address import DEFAULT_ADDRESS
from deploy.worker_end import STOP_SECONDS
from workflows.contracts import TASK_QUEUE
from workflows.definitions.agent import MAX_TOKENS
from workflows.definitions.plan import Atomicity
from workflows.errors import AgentOSError
from workflows.validation_messages import message_of

BUILT_IN_SKILLS = Path(__file__).parent.parent / "skills"

_SECRET_PREFIX = "AGENTOS_SECRET_"  # noqa: S105  (where secrets are, not one of them)


class SettingsInvalid(AgentOSError):
    """The environment is incomplete or wrong: {reason}. The README lists every variable."""


class _SetVariables(EnvSettingsSource):
    """Passes over the fields whose variables are not set: to find out how each of a hundred would
    be read takes 5 ms."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if variable(field_name).lower() not in self.env_vars:
            return None, field_name, True
        return super().get_field_value(field, field_name)

    def prepare_field_value(
        self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool
    ) -> Any:
        if value is None:
            return None
        return super().prepare_field_value(field_name, field, value, value_is_complex)


class Settings(
    SandboxSettings,
    ModelSettings,
    BreakerSettings,
    WebhookSettings,
    RetentionSettings,
    ScheduleSettings,
    ResidentSettings,
):
    """The settings of API and worker, from the environment."""

    model_config = SettingsConfigDict(
        env_prefix="AGENTOS_", frozen=True, extra="ignore", defer_build=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Without files, which we have none of: to look for them takes half of the time."""
        return init_settings, _SetVariables(settings_cls)

    database_url: DatabaseUrl
    database_read_url: OrNone[DatabaseUrl] = None
    pool_size: Count = DEFAULT_POOL_SIZE
    max_overflow: CountOrZero = DEFAULT_MAX_OVERFLOW

    s3_endpoint: S3Endpoint
    s3_region: RegionIfAny = ""
    s3_bucket: Bucket = "agentos"
    s3_access_key: SendableIfAny = SecretStr("")
    s3_secret_key: SendableIfAny = SecretStr("")

    task_queue: Word = TASK_QUEUE
    temporal_ui_url: OrNone[WebUrl] = None
    codec_key: Keys = Field(default=None, description="encrypts what Temporal keeps")
    codec_token: Token = Field(default=None, description="lets in whoever decrypts it")
    titles: Literal["prompt", "plain"] = Field(
        default="prompt", description="of workflows in Temporal"
    )
    public_url: WebUrlIfAny = ""
    served_hosts: Names = ()

    skills_path: str = ""
    tools_path: Folders = ""
    data_dir: Folder = Path(".agentos")
    services_dir: OrNone[DirectoryPath] = None

    worker_address: WorkerAddress = DEFAULT_ADDRESS
    metrics_token: Token = Field(default=None, description="lets in whoever reads metrics")

    stop_seconds: float = Field(default=STOP_SECONDS, ge=0, le=DAY_SECONDS)

    keys_required: bool | None = Field(default=None, description="by default not on loopback only")
    open_loopback: bool = Field(default=False, description="to every user of this machine")
    max_upload_mib: Mebibytes = 1_024
    max_viewers: Count = 2_000
    max_viewers_per_team: Count = 1_000
    allowed_hosts: Hosts = ()
    private_hosts: Hosts = ()
    allowed_buckets: Names = ()
    input_mib: Mebibytes = Field(default=1_024, description="the largest from outside")
    input_seconds: float = Field(
        default=600.0, gt=0, le=DAY_SECONDS, description="for one from outside"
    )
    input_cache_mib: Mebibytes = 10_240

    team_daily_tokens: int = Field(default=0, ge=0, le=MAX_TOKENS, description="0: no limit")
    approval_seconds: float = Field(default=DAY_SECONDS, gt=0, le=YEAR_SECONDS)
    atomicity: Atomicity = Field(
        default=Atomicity.CONSERVATIVE, description="of plans that do not say it"
    )

    mcp_commands: Names = Field(default=(), description="programs that stdio servers may be")
    mcp_hosts: Names = Field(default=(), description="hosts that HTTP servers may be on")
    mcp_env: Names = Field(default=(), description="variables that stdio servers may be given")
    secrets_key: Keys = Field(default=None, description="opens those in the database")
    secrets_for: Grants = Field(default=(), description="where those of the environment may go")
    mcp_start_seconds: float = Field(default=START_SECONDS, gt=0, le=LONGEST_START_SECONDS)
    search_url: OrNone[WebUrl] = None

    @property
    def secrets(self) -> Mapping[str, SecretStr]:
        """What ``secret:NAME`` in the configuration of an MCP server stands for, by NAME."""
        return {
            name.removeprefix(_SECRET_PREFIX): SecretStr(value)
            for name, value in os.environ.items()
            if name.startswith(_SECRET_PREFIX)
        }

    @property
    def codec_keys(self) -> Sequence[bytes]:
        """With which payloads are encrypted; none where they are not."""
        return read_keys(self.codec_key.get_secret_value()) if self.codec_key else ()

    @property
    def secrets_keys(self) -> Sequence[bytes]:
        """With which secrets are sealed in the database; none where there can be none."""
        return read_keys(self.secrets_key.get_secret_value()) if self.secrets_key else ()

    @property
    def skill_folders(self) -> tuple[Path, ...]:
        """Those of ``AGENTOS_SKILLS_PATH`` (separated like PATH), then the built-in ones."""
        return (
            *(Path(part) for part in self.skills_path.split(os.pathsep) if part),
            BUILT_IN_SKILLS,
        )

    @property
    def tool_folders(self) -> tuple[Path, ...]:
        """Those of ``AGENTOS_TOOLS_PATH`` (separated like PATH)."""
        return tuple(Path(part) for part in self.tools_path.split(os.pathsep) if part)

    @property
    def s3(self) -> S3Options:
        return S3Options(
            endpoint=self.s3_endpoint,
            bucket=self.s3_bucket,
            access_key=self.s3_access_key.get_secret_value(),
            secret_key=self.s3_secret_key.get_secret_value(),
            folder=self.services_dir,
            region=self.s3_region,
        )

    @property
    def input_policy(self) -> InputPolicy:
        return InputPolicy(
            allowed_hosts=self.allowed_hosts,
            private_hosts=self.private_hosts,
            allowed_buckets=self.allowed_buckets,
            max_bytes=self.input_mib * MEBIBYTE,
            timeout_seconds=self.input_seconds,
            cache_bytes=self.input_cache_mib * MEBIBYTE,
        )

    @property
    def is_for_owner(self) -> bool:
        """Whether it was said that nobody but the user who runs the API gets in without a key, and
        no skill of theirs either."""
        owner_only = self.keys_required is False and not self.open_loopback
        return owner_only and not self.networked_skills

    @property
    def mcp_policy(self) -> McpPolicy:
        """Which MCP servers may be. Where nobody but the user who runs the API gets in without a
        key, any may, unless the settings name some. A skill with network would be out of its
        sandbox by registering a program; its way out does not lead to the API, and this is a
        second lock.

        Who can reach the API must have been said: a worker does not see where its API listens, and
        both must come to the same policy.
        """
        if self.is_for_owner and not (self.mcp_commands or self.mcp_hosts):
            return McpPolicy.for_loopback()
        return McpPolicy(self.mcp_commands, self.mcp_hosts, self.mcp_env, self.private_hosts)


class _WithoutStore(Settings):
    s3_endpoint: str = ""


class WithoutServices(_WithoutStore):
    """The settings where it does not matter which database and store the environment names."""

    database_url: str = ""


def load() -> Settings:
    """Read the environment.

    Raises:
        SettingsInvalid: a variable is missing or wrong. Values are not shown: some are secrets.
    """
    return _load(Settings)


def load_without_services() -> Settings:
    """Read the environment also where it names no services: those of ``agentos up`` are meant.

    Raises:
        SettingsInvalid: a variable is wrong.
    """
    return _load(WithoutServices)


def load_database_url() -> str:
    """The database that the environment names, where nothing else of it is needed.

    Raises:
        SettingsInvalid: it names none, or a variable is wrong.
    """
    return _load(_WithoutStore).database_url


def _load(kind: type[Settings]) -> Settings:
    try:
        return kind()
    except ValidationError as error:
        reasons = (f"{name}: {why}" for name, why in problems_in(error))
        raise SettingsInvalid(reason="; ".join(reasons)) from None


def problems_in(error: ValidationError) -> list[tuple[str, str]]:
    """Variables, and what is wrong with the value of each."""
    return [(variable(str(item["loc"][0])), _reason(item)) for item in error.errors()]


def variable(name: str) -> str:
    """The variable that a field is read from; ``name`` may be an alias."""
    field = Settings.model_fields.get(name)
    alias = field.validation_alias if field else name
    return alias if isinstance(alias, str) else f"AGENTOS_{name.upper()}"


def _reason(item: ErrorDetails) -> str:
    place = ".".join(map(str, item["loc"][1:]))
    return f"{place}: {message_of(item)}" if place else message_of(item)
