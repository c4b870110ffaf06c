"""References and inputs."""

from workflows.errors import AgentOSError


class ReferenceMalformed(AgentOSError):
    """{text!r} is not a reference: {reason}. Write ${{inputs.NAME}}, ${{parameters.NAME}},
    ${{steps.ID.files['NAME']}}, ${{steps.ID.stdout}}, ${{steps.ID.exit_code}} or
    ${{steps.ID.json}}, and in a step with foreach ${{item}} or ${{index}}; write $${{ for a
    literal ${{."""


class ForeachMalformed(ReferenceMalformed):
    """{text!r} has no items: {reason}. Write the files of an earlier step
    (${{steps.ID.files}}, or ${{steps.ID.files['*.csv']}}), a list in what it printed
    (${{steps.ID.json.rows}}), or a list."""


class ReferenceUnresolved(AgentOSError):
    """{reference} has no value: {reason}."""


class ItemsUnusable(AgentOSError):
    """Step {step!r} cannot be run for each of {text}: {reason}."""


class InputRefMalformed(AgentOSError):
    """{ref!r} is not a valid input: {reason}. Write file:<id>, artifact:<id>, s3://bucket/key or
    https://host/path."""


class InputNotFound(AgentOSError):
    """Input {ref} was not found: {reason}. Check it, or upload the file and use its file:<id>."""


class InputDeleted(AgentOSError):
    """Input {name!r} is gone: file {file!r} was deleted ({ref}). Retry the task with another one:
    on the command line with --input {name}=FILE."""


class InputRefused(AgentOSError):
    """Input {ref} may not be fetched: {reason}. Upload the file and use its file:<id>, or ask
    whoever runs AgentOS to allow it."""


class InputTooLarge(AgentOSError):
    """Input {ref} is larger than {limit_bytes} bytes, which is the limit for one input."""


class InputFolderFull(AgentOSError):
    """No space is left on the disk of {folder}. Unused inputs were removed from it; free more space
    if this happens again."""

    retryable = True
