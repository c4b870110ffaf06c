"""Environment variables that a step may set."""

import re

from workflows.definitions.credentials import is_credential_name, looks_like_credential

# Those by which the sandbox runs a script, says where its files are, or tells programs what else to
# load: the limits on a job are set by a program that runs inside, with the same variables.
_RESERVED = re.compile(
    r"PATH|HOME|TMPDIR|IFS|ENV|BASH_ENV|BASHOPTS|SHELLOPTS|PS4|PROMPT_COMMAND|NODE_OPTIONS"
    r"|NODE_PATH|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|PERL5LIB|PERL5OPT|RUBYLIB|RUBYOPT"
    r"|(LD|DYLD|PYTHON|BASH_FUNC|MALLOC|AGENTOS|INPUT)_?.*",
    re.IGNORECASE,
)


def problem_with_variable(name: str, value: str) -> str | None:
    """Why a step may not set a variable, and what to do; None when it may."""
    if _RESERVED.fullmatch(name):
        return f"{name} is set by the sandbox, or changes how programs start; use another name"
    if (is_credential_name(name) and value) or looks_like_credential(value):
        return (
            f"{name} looks like a secret, and everybody who sees the task would see it; "
            "scripts of pipelines cannot be given secrets"
        )
    return None
