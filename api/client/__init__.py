"""A client of the AgentOS API, for the command line and for programs."""

from importlib import import_module
from typing import TYPE_CHECKING

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
from workflows.errors import AgentOSError

if TYPE_CHECKING:
    from api.client.agent_events import AgentEvent
    from api.client.blocking import Client
    from api.client.client import AsyncClient
    from api.client.task_events import TaskEvent
    from api.client.transfer import Download
else:
    # Loaded when they are asked for: with them come the models of all requests and answers, and a
    # command that needs few of those starts in half of the time.
    _MODULES = {
        "AgentEvent": "agent_events",
        "AsyncClient": "client",
        "Client": "blocking",
        "Download": "transfer",
        "TaskEvent": "task_events",
    }

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__():
        return __all__


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
