"""Why a script failed, as far as what it printed last tells.

What it printed may hold anything, so it goes into ``AgentOSError.said``, which workflow history
never gets: short, printable, and without what has the form of a credential.
"""

import re

from activities.attempts.remedies import remedy_of_code
from activities.attempts.scripts import Script
from activities.skills.distributions import package_of
from activities.skills.imports import LEFT_IN, STANDARD_MODULES
from activities.skills.needs import declaration
from workflows.definitions.credentials import without_credentials
from workflows.errors.scripts import ModuleMissing, NetworkMissing, ScriptFailed

TAIL_BYTES = 8 * 1024
LINE_MAX_CHARACTERS = 300

_TRACEBACK = "Traceback (most recent call last):"
# `ValueError: text`, `requests.exceptions.HTTPError: text`, `Error [ERR_X]: text` of Node.js.
_EXCEPTION = re.compile(
    r"(?:Uncaught )?(?:[A-Za-z_][\w.]*)?(?:Error|Exception|Exit|Interrupt|Warning|Group)\b"
    r"(?:$|:| \[\w+\]:).*"
)
_NO_MODULE = re.compile(r"\bModuleNotFoundError: No module named '([A-Za-z_]\w{0,99})")
_NO_NODE_MODULE = re.compile(r"Cannot find (?:module|package) '[^./]")
# As bash quotes it, and as the kernel and env do of a first line.
_WINDOWS_LINES = re.compile(
    r"\$'[^'\n]*\\r'|\^M: |\r'?: (?:No such file|not found|bad interpreter)"
)
_READ_ONLY = re.compile(r"\bRead-only file system\b|\bEROFS\b")
_NO_NETWORK = re.compile(
    r"temporary failure in name resolution|name or service not known|network is unreachable"
    r"|no address associated with hostname|could not resolve (?:host|proxy)|failed to resolve '"
    r"|unable to resolve host|\bEAI_AGAIN\b|\bENETUNREACH\b|getaddrinfo ENOTFOUND",
    re.IGNORECASE,
)


_NO_ROOM = re.compile(
    r"no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b|disk is full|disk full"
    r"|not enough (?:free )?(?:disk )?space|\bout of disk space",
    re.IGNORECASE,
)


def lacked_room(*printed: bytes | bytearray) -> bool:
    """Whether what a script printed last says that its disk is full."""
    return any(_NO_ROOM.search(_tail(part)) for part in printed)


def failure_of(
    step: str,
    code: int,
    script: Script | None,
    *,
    stdout: bytes | bytearray = b"",
    stderr: bytes | bytearray = b"",
) -> ScriptFailed:
    """The error of a script that ended with ``code``; ``script`` is None when it is not known."""
    tails = [_tail(stderr), _tail(stdout)]
    line = next(filter(None, map(last_line, tails)), None)
    error = ScriptFailed(step=step, code=code)
    if script is not None and not script.network and any(map(_NO_NETWORK.search, tails)):
        error = NetworkMissing(step=step, code=code, remedy=_network_remedy(script))
    elif script is not None and (module := _missing_module(line or "")):
        error = ModuleMissing(step=step, code=code)
        error.remedy = _declaration(script, module)
    elif (found := _NO_MODULE.search(line or "")) and (left := LEFT_IN.get(found[1])):
        line = (
            f"{line}. Python has no {found[1]} from {left} on: ask for an older one in the "
            f'`# /// script` block, by `requires-python = "<{left}"`.'
        )
    elif _WINDOWS_LINES.search(tails[0]):
        line = f"{line}. The script has the ends of lines of Windows: save it with those of Unix."
    elif _READ_ONLY.search(line or ""):
        line = f"{line}. A script writes to its current folder, /workspace/output."
    elif _NO_NODE_MODULE.search(line or ""):
        line = (
            f"{line}. Packages of npm are not installed: the skill must bring along what it uses."
        )
    elif type(error) is ScriptFailed:
        error.remedy = remedy_of_code(code)
    error.said = line or ""
    return error


def _missing_module(line: str) -> str | None:
    found = _NO_MODULE.search(line)
    return found[1] if found and found[1] not in STANDARD_MODULES else None


def last_line(text: str) -> str | None:
    """The line that says why: that of the last exception, else the last one that says anything."""
    lines = text.splitlines()
    if _TRACEBACK in lines:
        start = len(lines) - lines[::-1].index(_TRACEBACK)
        # What follows the frames, which are indented; the text of an exception may have more lines.
        ends = (line for line in lines[start:] if line.strip() and not line[0].isspace())
        return shown_line(next(ends, ""))
    exceptions = [line for line in lines if _EXCEPTION.fullmatch(line)]
    others = [line for line in lines if line.strip()]
    return shown_line((exceptions or others or [""])[-1])


def _tail(printed: bytes | bytearray) -> str:
    return printed[-TAIL_BYTES:].decode("utf-8", "replace")


def shown_line(line: str) -> str | None:
    """A line as people may read it; None when nothing is left of it."""
    kept = "".join(c if c.isprintable() else " " for c in line)
    text = without_credentials(" ".join(kept.split()))
    if len(text) > LINE_MAX_CHARACTERS:
        text = f"{text[: LINE_MAX_CHARACTERS - 3]}..."
    return text or None


def _network_remedy(script: Script) -> str:
    if script.is_code:
        return (
            "Code of your own never has it: give it what it needs as an input, or let a skill of "
            "AGENTOS_NETWORKED_SKILLS fetch it."
        )
    return (
        f"To allow it, add {script.skill} to AGENTOS_NETWORKED_SKILLS for the API and the workers, "
        "and restart them."
    )


def _declaration(script: Script, module: str) -> str:
    """What to do so that a script has ``module``, after ``What to do: ``."""
    package = package_of(module)
    if not script.is_code and script.dependencies is not None:
        words = declaration(script.dependencies, module)
        return f"{words[0].lower()}{words[1:]}"
    if script.declares:
        way = f'add "{package}" to the dependencies in its `# /// script` block'
    else:
        way = (
            "begin the source with the lines `# /// script`, "
            f'`# dependencies = ["{package}"]` and `# ///`'
        )
    if script.skill is None:
        return f"{way}."
    return f"{way}, or declare {package} in the requirements.txt of skill {script.skill}."
