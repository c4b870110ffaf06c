"""A client of the AgentOS API, for the command line and for programs."""

from api.client.agent_events import AgentEvent
from api.client.client import Client
from api.client.errors import (
    ApiProblem,
    ApiUnreachable,
    ApiUrlMalformed,
    ArtifactNameRefused,
    DownloadDamaged,
    FileUnreadable,
    FileUnwritable,
    NotTheApi,
)
from api.client.task_events import TaskEvent
from api.client.transfer import Download

__all__ = [
    "AgentEvent",
    "ApiProblem",
    "ApiUnreachable",
    "ApiUrlMalformed",
    "ArtifactNameRefused",
    "Client",
    "Download",
    "DownloadDamaged",
    "FileUnreadable",
    "FileUnwritable",
    "NotTheApi",
    "TaskEvent",
]
