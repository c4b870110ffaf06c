"""Which errors tell of a failing tool, MCP server or model: every error that a call can end with is
in one of these tables. What the caller did wrong, and a tool that says no, are no failures."""

from enum import StrEnum

from activities.attempts.holding import Held
from activities.breakers.breaker import Outcome
from activities.breakers.errors import BreakerOpen
from activities.residents.note_errors import NotesFull
from activities.store.housekeeping.errors import BlobGone, PartSwept
from activities.tools.mcp.errors import McpQuestionUnclear
from activities.tools.own.errors import ToolBrokenOff, ToolResultTooLarge, ToolResultUnwritable
from activities.webhooks.errors import SecretUnreadable
from workflows.errors import (
    BadInput,
    InternalError,
    TemporaryFailure,
    agents,
    hosts,
    inputs,
    mcp,
    models,
    plans,
    scripts,
    services,
    skills,
    tasks,
    tools,
)


class Culprit(StrEnum):
    """What failed. A failure counts against one breaker: of a server that is away, each of its
    tools would be one more to wait for, and a tool that hangs must not take its server along."""

    TOOL = "tool"
    SERVER = "mcp"
    MODEL = "model"


CULPRITS: dict[type[BaseException], Culprit] = {
    mcp.McpUnavailable: Culprit.SERVER,
    mcp.McpConnectionLost: Culprit.SERVER,
    mcp.McpListingRefused: Culprit.SERVER,
    mcp.McpTimedOut: Culprit.TOOL,
    mcp.McpAnswerInvalid: Culprit.TOOL,
    tools.ToolTimedOut: Culprit.TOOL,
    tools.ToolUnavailable: Culprit.TOOL,
    tools.SearchFailed: Culprit.TOOL,
    models.ModelOverloaded: Culprit.MODEL,
    models.ModelUnavailable: Culprit.MODEL,
}

# Only where another attempt is worth while: else it is the configuration that is wrong.
_ONLY_IF_RETRYABLE = (tools.SearchFailed,)

# It answered, though not as was hoped.
SOUND: tuple[type[BaseException], ...] = (
    mcp.McpAsks,
    mcp.McpFilesLost,
    mcp.McpToolFailed,
    tools.ToolFailed,
    ToolResultTooLarge,
    ToolResultUnwritable,
    McpQuestionUnclear,
    models.AnswerWithheld,
)

# The caller, a person, our own services or the sandbox: it says nothing of what was called.
UNKNOWN: tuple[type[BaseException], ...] = (
    Held,
    BreakerOpen,
    BadInput,
    TemporaryFailure,
    InternalError,
    tasks.TaskMoved,
    tasks.WorkerStopping,
    tasks.WorkersLost,
    tasks.StepInterrupted,
    services.DatabaseRefused,
    BlobGone,
    PartSwept,
    SecretUnreadable,
    NotesFull,
    services.DatabaseNewer,
    services.RowsRefused,
    services.PayloadUnreadable,
    services.StoreRefused,
    services.BlobCorrupt,
    hosts.AddressNotPublic,
    hosts.AnswerTooLarge,
    inputs.ReferenceMalformed,
    inputs.ForeachMalformed,
    inputs.ItemsUnusable,
    inputs.ReferenceUnresolved,
    inputs.InputRefMalformed,
    inputs.InputDeleted,
    inputs.InputNotFound,
    inputs.InputRefused,
    inputs.InputTooLarge,
    inputs.InputFolderFull,
    skills.CodePackagesUnavailable,
    skills.DependenciesUnavailable,
    skills.NodeMissing,
    scripts.SandboxKilled,
    scripts.SandboxUnavailable,
    scripts.ScriptFailed,
    scripts.ScriptKilled,
    scripts.LimitExceeded,
    scripts.DiskOutgrown,
    scripts.StepTimedOut,
    scripts.FileNameRefused,
    scripts.TooManyFiles,
    scripts.OutputTooLarge,
    scripts.OutputChanged,
    tools.ToolNotFound,
    tools.ToolDisabled,
    tools.ToolArgumentsInvalid,
    tools.ToolNotRun,
    ToolBrokenOff,
    tools.ToolDefinitionInvalid,
    tools.ToolModuleBroken,
    tools.ToolNameTaken,
    agents.ToolChanged,
    mcp.McpBusy,
    models.ModelNotConfigured,
    models.ModelRefused,
    models.ContextTooLong,
    agents.TokenQuotaUsedUp,
    agents.TurnsUsedUp,
    agents.TokensUsedUp,
    agents.CostUsedUp,
    agents.TimeUsedUp,
    agents.GoesRoundInCircles,
    agents.NeverFinishes,
    plans.PlanBudgetUsedUp,
    plans.NodeInputMissing,
    plans.NodeFilesMissing,
    plans.NodeEndedOutside,
    plans.NodeDependencyMissing,
    plans.NodesFailed,
    agents.CallInterrupted,
    agents.CallRefused,
    agents.CallExpired,
)

_JUDGEMENTS: dict[type[BaseException], Culprit | Outcome] = {
    **CULPRITS,
    **dict.fromkeys(SOUND, Outcome.SOUND),
    **dict.fromkeys(UNKNOWN, Outcome.UNKNOWN),
}


def judgement_of(kind: type[BaseException]) -> Culprit | Outcome | None:
    """What an error of this kind tells; None for one that is in no table."""
    return next((_JUDGEMENTS[each] for each in kind.__mro__ if each in _JUDGEMENTS), None)


def outcome_of(error: BaseException | None, watched: Culprit) -> Outcome:
    """What the end of a call tells of the one that is ``watched``. A cancelled call tells nothing,
    nor does what nobody foresaw."""
    if error is None:
        return Outcome.SOUND
    judgement = judgement_of(type(error)) or Outcome.UNKNOWN
    if isinstance(judgement, Outcome):
        return judgement
    if isinstance(error, _ONLY_IF_RETRYABLE) and not getattr(error, "retryable", False):
        return Outcome.UNKNOWN
    return Outcome.FAILED if judgement is watched else Outcome.UNKNOWN
