"""Scripts that run, and the files that they leave."""

from workflows.errors import AgentOSError


class SandboxUnavailable(AgentOSError):
    """The {sandbox} sandbox cannot run here: {reason}. {remedy}"""


class SandboxKilled(AgentOSError):
    """The {sandbox} sandbox of this step was ended from outside, by signal {signal}: what the
    script did is no reason for that. Mostly the machine is short of memory: give it more, or run
    fewer steps at once."""

    retryable = True


class ScriptFailed(AgentOSError):
    """Step {step}: the script failed with exit code {code}. Its output is in the task's log."""


class ModuleMissing(ScriptFailed):
    """Step {step}: the script failed with exit code {code}, because it imports a module whose
    package is not declared."""

    @property
    def account(self) -> str:
        """Python itself says which module it is, and the remedy which package: that is enough."""
        if not self.said:
            return super().account
        plain = ScriptFailed(**self.fields)
        plain.said, plain.remedy = self.said, self.remedy
        return plain.account


class NetworkMissing(ScriptFailed):
    """Step {step}: the script failed with exit code {code}, because it needs the network and has
    none. {remedy}"""


class ScriptKilled(AgentOSError):
    """Step {step}: the script was killed by signal {signal}. Its output is in the task's log."""


class LimitExceeded(AgentOSError):
    """Step {step}: the script exceeded the limit on {limit} ({bound}) and was stopped."""


class DiskOutgrown(AgentOSError):
    """Step {step}: the script was stopped because it has filled the disk of the worker: it had
    written {written_mib} MiB, of the {allowed_mib} MiB that it may write, and the disk has only
    {room}. Free some space there, or have it write less, and retry the task."""


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
