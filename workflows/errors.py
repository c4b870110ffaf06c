"""The one error tree. A class's docstring is its message; its fields fill the braces.

Every message says what was wrong, where, and what to do. ``code`` is stable: clients may branch on
it.
"""

import re
from typing import ClassVar


class AgentOSError(Exception):
    """Something went wrong that AgentOS has no better name for: {reason}."""

    code: ClassVar[str] = "error"
    # Whether another attempt may succeed. A class says what is usual; a step may say otherwise.
    retryable: bool = False
    # How long to wait before that, where whoever refused has said so.
    retry_after_seconds: float | None = None

    def __init_subclass__(cls) -> None:
        # `SkillNotFound` -> `skill-not-found`: derived, so a name and its code cannot drift apart.
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((self.__doc__ or "").format(**fields).split()))


if AgentOSError.__doc__ is None:
    raise ImportError(
        "AgentOS needs the docstrings that Python was told to drop: start it without -OO, and with"
        " PYTHONOPTIMIZE unset or 1."
    )


class BadInput(AgentOSError):
    """{reason}."""


class TemporaryFailure(AgentOSError):
    """{service} could not be reached: {reason}. Try again when it is back."""

    retryable = True


class DatabaseOutdated(TemporaryFailure):
    """The tables of the database are not up to date. Run `agentos migrate`."""


class SandboxUnavailable(AgentOSError):
    """The {sandbox} sandbox cannot run here: {reason}. {remedy}"""


class DependenciesUnavailable(AgentOSError):
    """The dependencies of skill {skill} could not be installed: {reason}. Check its declaration."""


class AddressNotPublic(AgentOSError):
    """{host!r} has the address {address}, which is not a public one."""


class AnswerTooLarge(AgentOSError):
    """The answer has more than the {limit_bytes} bytes that are read of it."""


class ReferenceMalformed(AgentOSError):
    """{text!r} is not a reference: {reason} at character {position}. Write ${{inputs.NAME}},
    ${{steps.ID.files['NAME']}}, ${{steps.ID.stdout}}, ${{steps.ID.exit_code}} or
    ${{steps.ID.json}}; write $${{ for a plain ${{."""


class ReferenceUnresolved(AgentOSError):
    """{reference} has no value: {reason}."""


class StoreRefused(AgentOSError):
    """The S3 store refused: {reason}. Check the bucket and the keys in AGENTOS_S3_*."""


class DatabaseRefused(AgentOSError):
    """The database refused: {reason}. Check AGENTOS_DATABASE_URL, and that the server allows this
    user and this address."""


class DatabaseNewer(AgentOSError):
    """The database holds the {kind} {value!r}, which this version of AgentOS does not know: it is
    older than its database. Run the version that last migrated the database."""


class TaskMoved(AgentOSError):
    """Task {task_id} has ended or was started again; what this attempt did no longer counts."""


class SkillNotFound(BadInput):
    """There is no skill named {skill!r}. {suggestion}"""


class SkillRefused(BadInput):
    """Skill {skill} cannot be used: {reason}."""


class ScriptNotFound(BadInput):
    """Skill {skill} has no script {script!r}. {scripts}"""


class ScriptNotNamed(BadInput):
    """Skill {skill} has more than one script. Name one of them: {scripts}."""


class SkillFileNotFound(BadInput):
    """Skill {skill} has no file {path!r}. {suggestion}"""


class SkillFileUnreadable(BadInput):
    """{path} of skill {skill} cannot be given as text: {reason}."""


class DependencyRefused(BadInput):
    """{where} is refused: {reason}. Name packages and versions only, such as 'pandas>=2'."""


class PythonUnsuitable(BadInput):
    """{where} asks for Python {wanted}, but the sandbox has Python {present}. Widen
    requires-python, or run the worker where that Python is installed."""


class NodeMissing(AgentOSError):
    """{script} of skill {skill} needs Node.js, and there is none in /usr/bin or /usr/local/bin.
    Install it there; on Debian: apt-get install nodejs."""


class ScriptFailed(AgentOSError):
    """Step {step}: the script ended with exit code {code}. Its output is in the log of the task."""


class ScriptKilled(AgentOSError):
    """Step {step}: the script was killed by signal {signal}. Its output is in the log of the
    task."""


class LimitExceeded(AgentOSError):
    """Step {step}: the script ran into the limit on {limit} ({bound}) and was stopped."""


class StepTimedOut(AgentOSError):
    """Step {step}: the script was stopped after its time limit of {seconds:g} s. Give the step a
    longer `timeout`, or less to do."""


class WorkerStopping(AgentOSError):
    """The worker was stopped during this attempt; another one takes over."""

    retryable = True


class ToolNotFound(AgentOSError):
    """There is no tool {tool!r}. Known: {known}."""


class ToolDisabled(AgentOSError):
    """Tool {tool!r} is switched off or denied to this team. `agentos tools enable {tool}` and
    `agentos tools permit {tool} auto` let it be called."""


class ToolArgumentsInvalid(AgentOSError):
    """The arguments of tool {tool!r} are wrong: {reason}."""


class ModelNotConfigured(AgentOSError):
    """This worker knows of no model. Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your
    own, and AGENTOS_MODELS to choose among its models, for the worker as for the API; then
    retry."""


class TokenQuotaUsedUp(AgentOSError):
    """The team has used {used} of its {quota} tokens of today (UTC). Retry the task tomorrow, or
    ask whoever runs AgentOS for more."""


class TurnsUsedUp(AgentOSError):
    """The agent has not finished within its limit of {limit} turns. Look at its messages: a retry
    goes on where it stopped, with as many turns again; a new task may have more `turns`."""


class TokensUsedUp(AgentOSError):
    """The agent has used {used} tokens; its limit is {limit}. A retry goes on where it stopped,
    with as many tokens again; a new task may have more `tokens`."""


class CostUsedUp(AgentOSError):
    """The agent has cost {used:.4f} US dollars; its limit is {limit:.4f}. A retry goes on where it
    stopped, and may cost as much again; a new task may have a higher `cost_usd`."""


class TimeUsedUp(AgentOSError):
    """The agent has not finished within its limit of {limit:g} seconds. A retry goes on where it
    stopped, with as much time again; a new task may have more `seconds`."""


class GoesRoundInCircles(AgentOSError):
    """The agent made the same calls with the same results {times} times, and did not stop when it
    was told. Look at its messages; reword the prompt, or use another model."""


class NeverFinishes(AgentOSError):
    """The model answered {times} times in a row without calling a tool, and never called `finish`.
    Use a model that can call tools, or reword the prompt."""


class CallInterrupted(AgentOSError):
    """The worker was lost during a call of {tool!r}, which may have taken effect. It was not made
    again, for nobody knows; the model was told."""


class CallRefused(AgentOSError):
    """A person did not allow the call of {tool!r}. The model was told."""


class CallExpired(AgentOSError):
    """Nobody allowed or answered the call of {tool!r} in time. The model was told."""


class FileNameRefused(AgentOSError):
    """{name!r} cannot be the name of a file here: {reason}."""


class InputRefMalformed(AgentOSError):
    """{ref!r} is not an input: {reason}. Write file:<id>, artifact:<id>, s3://bucket/key or
    https://host/path."""


class InputNotFound(AgentOSError):
    """Input {ref} was not found: {reason}. Check it, or upload the file and give its file:<id>."""


class InputRefused(AgentOSError):
    """Input {ref} may not be fetched: {reason}. Upload the file and give its file:<id>, or ask
    whoever runs AgentOS to allow it."""


class InputTooLarge(AgentOSError):
    """Input {ref} has more than the {limit_bytes} bytes that are allowed for one input."""


class BlobCorrupt(AgentOSError):
    """The store gave other bytes than were put in for SHA-256 {sha256}: it is damaged. Upload the
    file again, or run the step that made it again."""


class InputFolderFull(AgentOSError):
    """No space is left on the disk of {folder}. Unused inputs were removed from it; make more room
    if this happens again."""

    retryable = True


class TooManyFiles(AgentOSError):
    """The output folder holds more than {limit} files and folders; none was taken. Let the script
    put them into one archive, or remove what it does not need."""


class OutputTooLarge(AgentOSError):
    """The output folder holds more than {limit_bytes} bytes; nothing was taken. Let the script
    write less, or compress what it writes."""


class OutputChanged(AgentOSError):
    """The output file {name} changed after it was collected; it was not taken. Nothing may write to
    the output folder once a job has ended; run the step again."""


class McpError(AgentOSError):
    """MCP server {server}: {reason}."""


class McpServerInvalid(BadInput):
    """The MCP server cannot be registered so: {reason}"""


class McpNotAllowed(BadInput):
    """MCP server {server} is not allowed here: {reason} Ask whoever runs AgentOS to list it in
    {setting}."""


class McpSecretMissing(BadInput):
    """MCP server {server} needs the secret {secret}, which is not set here. Set the variable
    AGENTOS_SECRET_{secret} for the API and the workers, and start them again."""


class McpUnavailable(McpError):
    """MCP server {server} cannot be reached: {reason}."""

    retryable = True


class McpCircuitOpen(McpUnavailable):
    """MCP server {server} failed too often in a row and is left alone. Try again in {seconds:.0f}
    s."""


class McpBusy(McpUnavailable):
    """MCP server {server} cannot be started: {limit} servers are in use on this worker, which is
    its limit. Try again later."""


class McpConnectionLost(McpError):
    """MCP server {server} went away during the call of {tool}: {reason}. The call may have taken
    effect; look before you repeat it. The next call connects anew."""


class McpTimedOut(McpError):
    """MCP server {server} gave neither an answer nor a sign of progress to {tool} for {seconds:g}
    s. The call was cancelled; it may have taken effect all the same."""


class McpAnswerInvalid(McpError):
    """MCP server {server} answered {tool} with something that cannot be used: {reason}. The call
    may have taken effect."""


class McpListingRefused(McpError):
    """The tools of MCP server {server} cannot be taken: {reason}."""


class McpToolFailed(McpError):
    """Tool {tool} of MCP server {server} reported an error. Its words are in the log of the
    task."""


class ModelOverloaded(AgentOSError):
    """{model} takes no request at the moment: {reason}. Retry later, or name other models beside it
    in AGENTOS_MODELS."""

    retryable = True


class ModelUnavailable(AgentOSError):
    """{model} gave no whole answer: {reason}. Retry once its server is well."""

    retryable = True


class ModelRefused(AgentOSError):
    """{model} refused the request: {reason}. {remedy}"""


class ModelNotFound(ModelRefused):
    """There is no model {model!r} at the server: {reason}. Check the agent's `model`,
    AGENTOS_MODELS and OPENAI_BASE_URL."""


class ModelUnsuitable(ModelRefused):
    """{model} cannot be used: {reason}. Name a model that can call tools in AGENTOS_MODELS or in
    the agent's `model`."""


class ContextTooLong(AgentOSError):
    """The conversation is longer than {model} can read, even with its old turns shortened:
    {reason}. Give it less to read, or use a model with a longer context."""


class AnswerWithheld(AgentOSError):
    """A content filter withheld the answer of {model}. Word the task in another way, or use another
    model."""


class ToolTimedOut(AgentOSError):
    """Tool {tool!r} was stopped after its time limit of {seconds:g} s. It may have taken effect all
    the same."""


class ToolNotRun(AgentOSError):
    """Tool {tool!r} is not run by workers: the workflow itself does what it says."""


class WorkingFileNotFound(BadInput):
    """This task has no file {file!r}. {suggestion}"""


class FileNotText(BadInput):
    """{file!r} is not text. Give it to a script that can read it."""


class SearchFailed(AgentOSError):
    """The search gave nothing: {reason}."""
