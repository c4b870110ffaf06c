"""Which errors tell of a failing tool, MCP server or model: every error that a call can end with is
in one of these tables. What the caller did wrong, and a tool that says no, are no failures."""

from enum import StrEnum

from activities.attempts.holding import Held
from activities.breakers.breaker import Outcome
from activities.breakers.errors import BreakerOpen
from activities.residents.note_errors import NotesFull
from activities.store.housekeeping.errors import BlobGone, PartSwept
from activities.tools.mcp.errors import McpQuestionUnclear
from activities.webhooks.errors import SecretUnreadable
from workflows import errors


class Culprit(StrEnum):
    """What failed. A failure counts against one breaker: of a server that is away, each of its
    tools would be one more to wait for, and a tool that hangs must not take its server along."""

    TOOL = "tool"
    SERVER = "mcp"
    MODEL = "model"


CULPRITS: dict[type[BaseException], Culprit] = {
    errors.McpUnavailable: Culprit.SERVER,
    errors.McpConnectionLost: Culprit.SERVER,
    errors.McpListingRefused: Culprit.SERVER,
    errors.McpTimedOut: Culprit.TOOL,
    errors.McpAnswerInvalid: Culprit.TOOL,
    errors.ToolTimedOut: Culprit.TOOL,
    errors.SearchFailed: Culprit.TOOL,
    errors.ModelOverloaded: Culprit.MODEL,
    errors.ModelUnavailable: Culprit.MODEL,
}

# Only where another attempt is worth while: else it is the configuration that is wrong.
_ONLY_IF_RETRYABLE = (errors.SearchFailed,)

# It answered, though not as was hoped.
SOUND: tuple[type[BaseException], ...] = (
    errors.McpAsks,
    errors.McpFilesLost,
    errors.McpToolFailed,
    McpQuestionUnclear,
    errors.AnswerWithheld,
)

# The caller, a person, our own services or the sandbox: it says nothing of what was called.
UNKNOWN: tuple[type[BaseException], ...] = (
    Held,
    BreakerOpen,
    errors.BadInput,
    errors.TemporaryFailure,
    errors.InternalError,
    errors.TaskMoved,
    errors.WorkerStopping,
    errors.WorkersLost,
    errors.StepInterrupted,
    errors.DatabaseRefused,
    BlobGone,
    PartSwept,
    SecretUnreadable,
    NotesFull,
    errors.DatabaseNewer,
    errors.PayloadUnreadable,
    errors.StoreRefused,
    errors.BlobCorrupt,
    errors.AddressNotPublic,
    errors.AnswerTooLarge,
    errors.ReferenceMalformed,
    errors.ReferenceUnresolved,
    errors.InputRefMalformed,
    errors.InputNotFound,
    errors.InputRefused,
    errors.InputTooLarge,
    errors.InputFolderFull,
    errors.DependenciesUnavailable,
    errors.NodeMissing,
    errors.SandboxUnavailable,
    errors.ScriptFailed,
    errors.ScriptKilled,
    errors.LimitExceeded,
    errors.StepTimedOut,
    errors.FileNameRefused,
    errors.TooManyFiles,
    errors.OutputTooLarge,
    errors.OutputChanged,
    errors.ToolNotFound,
    errors.ToolDisabled,
    errors.ToolArgumentsInvalid,
    errors.ToolNotRun,
    errors.ToolChanged,
    errors.McpBusy,
    errors.ModelNotConfigured,
    errors.ModelRefused,
    errors.ContextTooLong,
    errors.TokenQuotaUsedUp,
    errors.TurnsUsedUp,
    errors.TokensUsedUp,
    errors.CostUsedUp,
    errors.TimeUsedUp,
    errors.GoesRoundInCircles,
    errors.NeverFinishes,
    errors.PlanBudgetUsedUp,
    errors.NodeInputMissing,
    errors.NodeFilesMissing,
    errors.NodeEndedOutside,
    errors.NodeDependencyMissing,
    errors.NodesFailed,
    errors.CallInterrupted,
    errors.CallRefused,
    errors.CallExpired,
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
