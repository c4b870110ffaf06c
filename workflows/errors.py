"""The one error tree. A class's docstring is its message; its fields fill the braces.

Every message says what was wrong, where, and what to do. ``code`` is stable: clients may branch on
it.
"""

import re
from typing import ClassVar


class AgentOSError(Exception):
    """An unexpected error occurred: {reason}."""

    code: ClassVar[str] = "error"
    # Whether another attempt may succeed. A class says what is usual; a step may say otherwise.
    retryable: bool = False
    # How long to wait before that, if the service that refused has said so.
    retry_after_seconds: float | None = None
    # What a script or a server said itself, for rows and events. It may be anything: models, logs
    # and workflow history must never get it as our words.
    said: str = ""
    # Whether it was retried as often as it may be. Whoever counts attempts says so.
    retries_used_up: bool = False

    def __init_subclass__(cls) -> None:
        # `SkillNotFound` -> `skill-not-found`: derived, so a name and its code cannot drift apart.
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join((self.__doc__ or "").format(**fields).split()))

    @property
    def account(self) -> str:
        """The message, and what was said."""
        return f"{self} It ended with: {self.said}" if self.said else str(self)


if AgentOSError.__doc__ is None:
    raise ImportError(
        "AgentOS needs docstrings, which Python is set to drop: start it without -OO, and with"
        " PYTHONOPTIMIZE unset or 1."
    )


class BadInput(AgentOSError):
    """{reason}."""


class TemporaryFailure(AgentOSError):
    """{service} could not be reached: {reason}. Try again once it is back."""

    retryable = True


class DiskFull(TemporaryFailure):
    """The disk of {service} is full: {reason}. Free some space there; what waits for it then goes
    on by itself."""


class InternalError(AgentOSError):
    """Something failed in {place} that nobody foresaw: {kind}. That is a fault of AgentOS or of a
    library, not of the task. What was under way may have taken effect. The log of the worker says
    where it came from: report it with that."""

    retryable = True


class RunNotEnded(TemporaryFailure):
    """{service} could not start the task: its previous run has not ended yet. Try again once it
    has."""


# The task.


class TaskMoved(AgentOSError):
    """Task {task_id} has ended or was restarted; the result of this attempt was discarded."""


class WorkerStopping(AgentOSError):
    """The worker was stopped during this attempt; another one takes over."""

    retryable = True
    retry_after_seconds = 1.0  # However often: workers are restarted one after the other.


class WorkersLost(AgentOSError):
    """{lost} attempts were cut short because their worker was stopped or died, which is more than
    the limit of {limit}. Find out why in the logs of the workers, then retry the task."""

    retryable = True
    retries_used_up = True


class StepInterrupted(AgentOSError):
    """The worker was stopped or died during step {step}, which may have taken effect. It was not
    run again, because that may not be repeated blindly. Check what it did, then retry the task from
    this step, or from the next one. Write `retry_on: [any]` in a step that may always be
    repeated."""

    retryable = True
    retries_used_up = True


# Our own services.


class DatabaseOutdated(TemporaryFailure):
    """The tables of the database are not up to date. Run `agentos migrate`."""


class DatabaseRefused(AgentOSError):
    """The database refused: {reason}. Check AGENTOS_DATABASE_URL, and that the server allows this
    user and this address to connect."""


class DatabaseNewer(AgentOSError):
    """The database contains the {kind} {value!r}, which this version of AgentOS does not know,
    because the database is newer. Run the version that last migrated it."""


class PayloadKeyMissing(TemporaryFailure):
    """What Temporal keeps of a task is encrypted with the key {key}, which this process does not
    have. Add that key to AGENTOS_CODEC_KEY (several are separated by commas), and restart it. The
    task waits until then."""


class PayloadUnreadable(AgentOSError):
    """What Temporal keeps of a task cannot be decrypted with its key {key}: it was changed by
    somebody else, or was damaged."""


class StoreRefused(AgentOSError):
    """The S3 store refused: {reason}. Check the bucket and the keys in AGENTOS_S3_*."""


class BlobCorrupt(AgentOSError):
    """The stored file with SHA-256 {sha256} is damaged: its bytes do not match. Upload the file
    again, or rerun the step that made it."""


# Hosts that somebody named.


class AddressNotPublic(AgentOSError):
    """{host!r} has the address {address}, which is not public."""


class AnswerTooLarge(AgentOSError):
    """The answer is larger than {limit_bytes} bytes, which is the limit."""


# References and inputs.


class ReferenceMalformed(AgentOSError):
    """{text!r} is not a reference: {reason} at character {position}. Write ${{inputs.NAME}},
    ${{parameters.NAME}}, ${{steps.ID.files['NAME']}}, ${{steps.ID.stdout}},
    ${{steps.ID.exit_code}} or ${{steps.ID.json}}; write $${{ for a literal ${{."""


class ReferenceUnresolved(AgentOSError):
    """{reference} has no value: {reason}."""


class InputRefMalformed(AgentOSError):
    """{ref!r} is not a valid input: {reason}. Write file:<id>, artifact:<id>, s3://bucket/key or
    https://host/path."""


class InputNotFound(AgentOSError):
    """Input {ref} was not found: {reason}. Check it, or upload the file and use its file:<id>."""


class InputRefused(AgentOSError):
    """Input {ref} may not be fetched: {reason}. Upload the file and use its file:<id>, or ask
    whoever runs AgentOS to allow it."""


class InputTooLarge(AgentOSError):
    """Input {ref} is larger than {limit_bytes} bytes, which is the limit for one input."""


class InputFolderFull(AgentOSError):
    """No space is left on the disk of {folder}. Unused inputs were removed from it; free more space
    if this happens again."""

    retryable = True


# Skills, and what their scripts need.


class SkillNotFound(BadInput):
    """There is no skill named {skill!r}. {suggestion}"""


class SkillRefused(BadInput):
    """Skill {skill} cannot be used: {reason}."""


class ScriptNotFound(BadInput):
    """Skill {skill} has no script {script!r}. {scripts}"""


class ScriptUnsuitable(BadInput):
    """Skill {skill} has the file {script}, but it cannot be run: it is {reason}. Scripts are files
    in Python (.py), shell (.sh, .bash) or JavaScript (.js, .mjs, .cjs), or name one of these
    interpreters in a first line such as #!/usr/bin/env python3."""


class ScriptNotNamed(BadInput):
    """Skill {skill} has several scripts. Name one of them: {scripts}."""


class SkillFileNotFound(BadInput):
    """Skill {skill} has no file {path!r}. {suggestion}"""


class SkillFileUnreadable(BadInput):
    """{path} of skill {skill} cannot be read as text: {reason}."""


class DependencyRefused(BadInput):
    """{where} is refused: {reason}. Name packages and versions only, such as 'pandas>=2'."""


class ImportUndeclared(BadInput):
    """{path} of skill {skill} imports {module!r} in line {line}, which is not part of Python or of
    the skill, and no declared package has it. {remedy}"""


class DependenciesUnavailable(AgentOSError):
    """The dependencies of skill {skill} could not be installed: {reason}. Check its declaration."""


class PythonUnsuitable(BadInput):
    """{where} requires Python {wanted}, but the sandbox has Python {present}. Widen
    requires-python, run the worker where that version is installed, or let uv bring it, with
    AGENTOS_PYTHON_DOWNLOADS=true (not in e2b)."""


class NodeMissing(AgentOSError):
    """{script} of skill {skill} needs Node.js, which is not in /usr/bin or /usr/local/bin.
    Install it there; on Debian: apt-get install nodejs."""


# Scripts that run, and the files that they leave.


class SandboxUnavailable(AgentOSError):
    """The {sandbox} sandbox cannot run here: {reason}. {remedy}"""


class ScriptFailed(AgentOSError):
    """Step {step}: the script failed with exit code {code}. Its output is in the task's log."""


class ModuleMissing(ScriptFailed):
    """Step {step}: the script failed with exit code {code}, because it imports a module that it
    does not have. Declare the package of it: in the script's `# /// script` block, or in the
    skill's requirements.txt."""


class NetworkMissing(ScriptFailed):
    """Step {step}: the script failed with exit code {code}, because it needs the network and has
    none. {remedy}"""


class ScriptKilled(AgentOSError):
    """Step {step}: the script was killed by signal {signal}. Its output is in the task's log."""


class LimitExceeded(AgentOSError):
    """Step {step}: the script exceeded the limit on {limit} ({bound}) and was stopped."""


class StepTimedOut(AgentOSError):
    """Step {step} was stopped after its time limit of {seconds:g} s. Give it a longer `timeout` or
    less work."""


class FileNameRefused(AgentOSError):
    """{name!r} is not allowed as a file name: {reason}."""


class TooManyFiles(AgentOSError):
    """The output folder contains more than {limit} files and folders; none was collected. Let the
    script pack them into one archive, or remove what it does not need."""


class OutputTooLarge(AgentOSError):
    """The output folder contains more than {limit_bytes} bytes; nothing was collected. Let the
    script write less, or compress what it writes."""


class OutputChanged(AgentOSError):
    """The output file {name} changed while it was being collected, so it was left out. Nothing may
    write to the output folder once a script has ended; rerun the step."""


# Tools.


class ToolNotFound(AgentOSError):
    """There is no tool {tool!r}. Known tools: {known}."""


class ToolDisabled(AgentOSError):
    """Tool {tool!r} is disabled or denied for this team. `agentos tools enable {tool}` and
    `agentos tools permit {tool} auto` allow calls to it."""


class ToolArgumentsInvalid(AgentOSError):
    """The arguments of tool {tool!r} are not valid: {reason}."""


class ToolTimedOut(AgentOSError):
    """Tool {tool!r} was stopped after its time limit of {seconds:g} s. It may have taken effect
    anyway."""


class ToolNotRun(AgentOSError):
    """Tool {tool!r} is not run by workers: the workflow carries it out itself."""


class WorkingFileNotFound(BadInput):
    """This task has no file {file!r}. {suggestion}"""


class FileNotText(BadInput):
    """{file!r} is not text. Pass it to a script that can read it."""


class SearchFailed(AgentOSError):
    """The search failed: {reason}."""


# MCP servers.


class McpError(AgentOSError):
    """MCP server {server}: {reason}."""

    def __init__(self, *, said: str = "", **fields: object) -> None:
        super().__init__(**fields)
        self.said = said

    @property
    def account(self) -> str:
        """The message alone: what the server said is the output of the call."""
        return str(self)


class McpServerInvalid(BadInput):
    """The MCP server cannot be registered: {reason}"""


class McpNotAllowed(BadInput):
    """MCP server {server} is not allowed here: {reason} Ask whoever runs AgentOS to list it in
    {setting}."""


class McpSecretMissing(BadInput):
    """MCP server {server} needs the secret {secret}, and this team has none of that name for this
    server. Whoever runs AgentOS can set one: `agentos secrets set {secret} --for TARGET`, or
    AGENTOS_SECRET_{secret} with AGENTOS_SECRETS_FOR for the API and the workers."""


class McpUnavailable(McpError):
    """MCP server {server} cannot be reached: {reason}."""

    retryable = True


class McpStartTimedOut(McpUnavailable):
    """MCP server {server} was not ready within {seconds:g} s. If its program has to be installed
    first, as with `npx -y`, set AGENTOS_MCP_START_SECONDS for the API and the workers to a longer
    time."""


class McpBusy(McpUnavailable):
    """MCP server {server} cannot be started: this worker has reached its limit of {limit} servers
    in use. Try again later."""


class McpConnectionLost(McpError):
    """The connection to MCP server {server} was lost during the call to {tool}: {reason}. The call
    may have taken effect; check before you repeat it. The next call reconnects."""


class McpTimedOut(McpError):
    """MCP server {server} sent neither an answer nor progress for {tool} within {seconds:g} s. The
    call was cancelled; it may have taken effect anyway."""


class McpAnswerInvalid(McpError):
    """MCP server {server} answered the call to {tool} with something that cannot be used: {reason}.
    The call may have taken effect."""


class McpAsks(McpError):
    """MCP server {server} asks a person something during the call to {tool}, and nobody can be
    asked: a step of a pipeline asks nobody, and a call of an agent {limit} questions at most. Have
    an agent call the tool, or give it arguments that leave nothing to ask."""


class McpListingRefused(McpError):
    """The tools of MCP server {server} cannot be used: {reason}."""


class McpFilesLost(McpError):
    """Tool {tool} of MCP server {server} did its work, but the files of its answer could not be
    kept: {reason}. Make room, and call it again only if that does no harm."""


class McpToolFailed(McpError):
    """Tool {tool} of MCP server {server} reported an error. Its message is in the task's log."""


# Models.


class ModelNotConfigured(AgentOSError):
    """This worker has no model configured. Set OPENAI_API_KEY, or OPENAI_BASE_URL for your own
    server, and AGENTOS_MODELS to choose among its models, for both the worker and the API; then
    retry."""


class ModelOverloaded(AgentOSError):
    """{model} is overloaded: {reason}. Retry later, or list further models in AGENTOS_MODELS."""

    retryable = True


class ModelUnavailable(AgentOSError):
    """{model} gave no complete answer: {reason}. Retry once its server is healthy."""

    retryable = True


class ModelRefused(AgentOSError):
    """{model} refused the request: {reason}. {remedy}"""


class ModelNotFound(ModelRefused):
    """The server has no model {model!r}: {reason}. Check the agent's `model`, AGENTOS_MODELS and
    OPENAI_BASE_URL."""


class ModelUnsuitable(ModelRefused):
    """{model} cannot be used: {reason}. Name a model that can call tools in AGENTOS_MODELS or in
    the agent's `model`."""


class ContextTooLong(AgentOSError):
    """What is to be sent is too long for {model}, even shortened as far as it goes: {reason}; or
    use a model with a longer context. If this one reads more than AGENTOS_CONTEXT_TOKENS says, set
    its own number in AGENTOS_MODEL_CONTEXT_TOKENS."""


class AnswerWithheld(AgentOSError):
    """A content filter withheld the answer of {model}. Reword the task, or use another model."""


# Agents: what ends a run, and a call.


class TokenQuotaUsedUp(AgentOSError):
    """The team has used {used} of its {quota} tokens for today (UTC). Retry the task tomorrow, or
    ask whoever runs AgentOS for more."""


class TurnsUsedUp(AgentOSError):
    """The task did not end within its limit on turns ({limit}). Look at its messages. A retry
    resumes where it stopped, with the same number of turns; a new task can allow more `turns`."""


class TokensUsedUp(AgentOSError):
    """The task has too few tokens left for another turn: {used} of {limit} are used. A retry
    resumes where it stopped, with the same number of tokens; a new task can allow more
    `tokens`."""


class CostUsedUp(AgentOSError):
    """The task has cost {used:.4f} US dollars; its limit is {limit:.4f}. A retry resumes where it
    stopped, with the same budget; a new task can allow a higher `cost_usd`."""


class TimeUsedUp(AgentOSError):
    """The task did not end within its time limit of {limit:g} s. A retry resumes where it
    stopped, with the same amount of time; a new task can allow more `seconds`."""


class GoesRoundInCircles(AgentOSError):
    """The agent made the same calls with the same results {times} times, even after a warning.
    Look at its messages; reword the prompt, or use another model."""


class NeverFinishes(AgentOSError):
    """The model answered {times} times in a row without calling a tool, and never called `finish`.
    Use a model that can call tools, or reword the prompt. If its messages show calls as text, such
    as <tool_call>, its server does not read them: turn on its parser of tool calls."""


class PlanBudgetUsedUp(AgentOSError):
    """Node {node} did not begin: the plan has used {used}, and what is left is less than a turn
    takes, beside what is kept for the result. A retry of the plan runs it with the same budget
    again; a new plan can allow more `{field}` in its `limits`."""


class NodeInputMissing(AgentOSError):
    """Node {node} needs {file}, which is not there. Retry the plan from the node that makes it, or
    with that input."""


class NodeFilesMissing(AgentOSError):
    """Node {node} ended without all the files that it had to make; missing: {files}. See what it
    did with `agentos show {task}`, and say in its description, or in the steps of its pipeline, how
    the files come about."""


class NodeEndedOutside(AgentOSError):
    """The workflow of node {node} ended in Temporal and left no result: it was terminated there,
    or reached its time limit. Retry the plan, and the node runs again."""


class NodeDependencyMissing(AgentOSError):
    """Node {node} depends on {dependency}, which the plan does not have, so it cannot run. Retry
    the plan from its start with `agentos retry --from start`."""


class NodesFailed(AgentOSError):
    """The plan is not complete. {nodes} See why with `agentos show`, and run them again with
    `agentos retry`, with other inputs where these were the reason."""

    retryable = True
    retries_used_up = True

    @property
    def account(self) -> str:
        """The message, and what the first of them failed of."""
        return f"{self} {self.said}" if self.said else str(self)


class ToolChanged(AgentOSError):
    """The MCP server changed the definition of {tool} while this call waited for a person, so the
    call was not made."""


class CallInterrupted(AgentOSError):
    """The worker was lost during a call to {tool!r}, which may have taken effect. It was not
    retried, because its effect is unknown; the model was informed."""


class CallRefused(AgentOSError):
    """A person denied the call to {tool!r}. The model was informed."""


class CallExpired(AgentOSError):
    """The call to {tool!r} was neither approved nor answered in time. The model was informed."""
