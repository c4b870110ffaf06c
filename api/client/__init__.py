"""A client of the AgentOS API, for the command line and for programs."""

from api.client.agent_events import AgentEvent
from api.client.blocking import Client
from api.client.client import AsyncClient
from api.client.errors import (
    AgentAmbiguous,
    AgentUnknown,
    ApiProblem,
    ApiUnable,
    ApiUnreachable,
    ApiUrlMalformed,
    ArtifactNameRefused,
    ClientUnusable,
    Conflicting,
    DownloadDamaged,
    FileUnreadable,
    FileUnwritable,
    HeaderUnsendable,
    IdempotencyKeyBlank,
    KeyMissing,
    NothingThere,
    NotTheApi,
    PipelineUnreadable,
    RequestInvalid,
    RequestMistaken,
    ResultUnknown,
    StillRunning,
    TaskUnsuccessful,
    TooManyRequests,
)
from api.client.task_events import TaskEvent
from api.client.transfer import Download
from workflows.errors import AgentOSError

__all__ = [
    "AgentAmbiguous",
    "AgentEvent",
    "AgentOSError",
    "AgentUnknown",
    "ApiProblem",
    "ApiUnable",
    "ApiUnreachable",
    "ApiUrlMalformed",
    "ArtifactNameRefused",
    "AsyncClient",
    "Client",
    "ClientUnusable",
    "Conflicting",
    "Download",
    "DownloadDamaged",
    "FileUnreadable",
    "FileUnwritable",
    "HeaderUnsendable",
    "IdempotencyKeyBlank",
    "KeyMissing",
    "NotTheApi",
    "NothingThere",
    "PipelineUnreadable",
    "RequestInvalid",
    "RequestMistaken",
    "ResultUnknown",
    "StillRunning",
    "TaskEvent",
    "TaskUnsuccessful",
    "TooManyRequests",
]
