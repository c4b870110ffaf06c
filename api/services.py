"""What the routes are given."""

from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import SecretStr

from activities.disk import Disk
from activities.inputs.policy import InputPolicy
from activities.kinds.base import Installed
from activities.limits.book import LimitBook
from activities.llm.base import ModelOptions
from activities.metrics.definitions import OF_APIS
from activities.metrics.numbers import Numbers
from activities.payloads import Codec
from activities.reminders.options import ReminderLimits
from activities.residents.options import ResidentOptions
from activities.secret_box import SecretBox
from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.due import find_due
from activities.tools.mcp.pool import McpPool
from activities.tools.registry import Registry
from activities.units import MEBIBYTE
from activities.webhooks.options import WebhookOptions
from api.housekeeping.options import HousekeepingOptions
from api.looks import Looks
from api.residents.template_files import TemplateFiles
from api.tasks.starts import Starts
from api.tasks.temporal import TemporalPort
from workflows.addresses import origin_of

DAY_SECONDS = 86_400.0
_LOOPBACK_NAMES = ("127.0.0.1", "localhost")

Titles = Literal["prompt", "plain"]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """A head must arrive within ``head_seconds``. A body may take any time, but in each
    ``body_seconds`` at least ``bytes_per_second`` must come."""

    most: int = 2_256
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    bytes_per_second: float = 1_024.0


@dataclass(frozen=True, slots=True)
class ScheduleLimits:
    """No schedule may run more often than every ``least_seconds``; a team has ``most`` of them."""

    least_seconds: float = 10.0
    most: int = 100


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Without ``keys_required`` the user who runs the server needs no key, and with
    ``open_loopback`` nobody on this machine does.

    ``public_url`` comes before the paths in answers; empty, they are relative to this server.
    ``page_url`` is where people find the web page from elsewhere, as from Temporal's; empty where
    nobody knows. ``served_hosts`` are names under which browsers may reach the server without an
    API key, beside ``localhost`` and plain addresses. ``approval_seconds`` is how long an agent
    waits for a person, ``daily_tokens`` the quota of a team that has none of its own; 0 is no
    limit. ``max_viewers`` follow events at once: each is an open connection. ``codec_token`` lets
    in those who have payloads decrypted and are not the user who runs the server,
    ``metrics_token`` whoever reads metrics. ``titles`` says whether Temporal is shown words of
    users, such as the beginning of a prompt or the name of a pipeline.
    ``sandbox`` is where the settings have scripts run.
    """

    keys_required: bool = False
    open_loopback: bool = False
    max_body_bytes: int = 2 * MEBIBYTE
    max_upload_bytes: int = 1024 * MEBIBYTE
    public_url: str = ""
    page_url: str = ""
    served_hosts: tuple[str, ...] = ()
    temporal_ui_url: str | None = None
    codec_token: SecretStr | None = None
    metrics_token: SecretStr | None = None
    temporal_namespace: str = "default"
    sandbox: str | None = None
    titles: Titles = "prompt"
    sweep_interval_seconds: float = 2.0
    housekeeping: HousekeepingOptions = field(default_factory=HousekeepingOptions)
    call_interval_seconds: float = 1.0
    bulk_interval_seconds: float = 1.0
    group_interval_seconds: float = 1.0
    heartbeat_seconds: float = 15.0
    approval_seconds: float = DAY_SECONDS
    daily_tokens: int = 0
    max_viewers: int = 2_000
    max_viewers_per_team: int = 1_000
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    schedules: ScheduleLimits = field(default_factory=ScheduleLimits)
    residents: ResidentOptions = field(default_factory=ResidentOptions)
    reminders: ReminderLimits = field(default_factory=ReminderLimits)

    @property
    def temporal_ui_origins(self) -> frozenset[str]:
        """As browsers name where its page comes from; on loopback it has two names."""
        origin = origin_of(self.temporal_ui_url or "")
        if origin is None:
            return frozenset()
        host = urlsplit(origin).hostname or ""
        names = _LOOPBACK_NAMES if host in _LOOPBACK_NAMES else (host,)
        return frozenset(origin.replace(host, name, 1) for name in names)


@dataclass(frozen=True, slots=True)
class Services:
    """The world as the API needs it. Whoever makes one closes what it holds.

    Without ``models`` there is nobody to be an agent. ``disk`` is that of the services, where they
    are on this machine; without ``codec`` Temporal keeps plain payloads, and without ``box`` there
    is nothing to sign ``webhooks`` with. ``team_names`` are those that were looked up already.
    ``numbers`` are what this process counts.
    """

    database: Database
    blobs: Blobs
    temporal: TemporalPort
    catalogue: Catalogue
    tools: Registry
    models: ModelOptions | None = None
    templates: TemplateFiles = field(default_factory=TemplateFiles)
    mcp: McpPool = field(default_factory=McpPool)
    inputs: InputPolicy = field(default_factory=InputPolicy)
    disk: Disk | None = None
    codec: Codec | None = None
    box: SecretBox | None = None
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)
    starts: Starts = field(default_factory=Starts)
    numbers: Numbers = field(default_factory=lambda: Numbers(OF_APIS))
    options: ApiOptions = field(default_factory=ApiOptions)
    limits: LimitBook = field(init=False)
    looks: Looks = field(init=False)
    team_names: dict[UUID, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = self.models.limits if self.models else {}
        book = LimitBook(self.database, limits, self.options.residents.thinking)
        object.__setattr__(self, "limits", book)
        object.__setattr__(self, "looks", Looks(partial(find_due, self.database)))

    @property
    def installed(self) -> Installed:
        return Installed(
            database=self.database,
            blobs=self.blobs,
            catalogue=self.catalogue,
            tools=self.tools,
            models=self.models,
            inputs=self.inputs,
            approval_seconds=self.options.approval_seconds,
        )
