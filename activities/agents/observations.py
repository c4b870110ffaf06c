"""What a model reads of a call: what the tool said, how it ended, and which files it made.

The text of a tool is not trusted. It is fenced between ``<output>`` and ``</output>``, and cannot
end the fence or pass for one of our own lines, which come after it.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import JsonValue

from activities.tokens import Tokens
from activities.tools.context import ToolResult
from workflows.errors.scripts import ScriptFailed

LIMIT_TOKENS = 4_000
MAX_FILES_SHOWN = 50
MAX_REFUSALS_SHOWN = 20
MAX_ERROR_CHARACTERS = 2_000
MAX_ARGUMENT_CHARACTERS = 4_000

_MAX_NAMES_TRIED = 100
_FENCE_END = re.compile(r"<(?=\s*/\s*output)", re.IGNORECASE)
# Every character that some program takes for the beginning of a new line.
_FILE_LINE = re.compile(r"(^|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])(?=File ')")


@dataclass(frozen=True, slots=True)
class Shown:
    """The text of a result as the model is given it. ``whole`` names the file with all of it."""

    text: str
    whole: str | None = None


async def shorten(
    result: ToolResult, tokens: Tokens, output: Path, call: str, limit_tokens: int = LIMIT_TOKENS
) -> Shown:
    """Cut what is too long, and write the whole to ``<call>.txt`` in the folder ``output``.

    To be called when nothing of the call runs any more, and before its files are collected.
    """
    text = result.text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if result.is_protected:
        return Shown(text)
    cut = await asyncio.to_thread(tokens.truncate, text, limit_tokens)
    if cut.removed_tokens == 0 or result.is_kept:
        return Shown(cut.text)
    return Shown(cut.text, await asyncio.to_thread(_keep, text, output, call))


def observation(
    result: ToolResult,
    shown: Shown,
    files: Mapping[str, UUID],
    refused: Sequence[str] = (),
    *,
    public_url: str = "",
) -> str:
    """The message to the model. ``files`` are the artifacts of the call, by name."""
    parts = [
        *_source(result),
        *_end(result),
        *_said(result, shown),
        *_made(shown, files, public_url),
        *(f"Not kept: {item}" for item in refused[:MAX_REFUSALS_SHOWN]),
    ]
    return "\n".join(parts) or "Done. There was no output."


def fenced(text: str) -> str:
    """What others have said, so that it cannot pass for our own words."""
    safe = _FENCE_END.sub("&lt;", _FILE_LINE.sub(r"\1 ", text.rstrip("\n")))
    return f"<output>\n{safe}\n</output>"


def is_kept_output(name: str, call: str) -> bool:
    """Whether a file has the name of those that ``shorten`` writes for this call."""
    return re.fullmatch(rf"{re.escape(_stem(call))}(-[0-9]+)?\.txt", name) is not None


def interrupted() -> str:
    """After a worker was lost that ran a tool which must not simply run again."""
    return (
        "Interrupted: the worker was lost during this call. It may have taken effect, in whole or "
        "in part, or not at all. Check before you repeat it."
    )


def denied(note: str | None = None) -> str:
    """When a person denied the call."""
    said = f" They say: {note}" if note else ""
    return f"Denied: a person denied this call, so it was not made.{said}"


def changed() -> str:
    """When a tool is not any more what it was as a person was asked."""
    return (
        "Not made: the definition of this tool was changed while the call waited for a person. "
        "Read it again; if the call is still right, make it again, and a person will be asked "
        "again."
    )


def edited(arguments: Mapping[str, JsonValue]) -> str:
    """What stands before the result of a call that was not made as the model had asked for it."""
    said = json.dumps(arguments, ensure_ascii=False)
    if len(said) > MAX_ARGUMENT_CHARACTERS:
        said = f"{said[:MAX_ARGUMENT_CHARACTERS]}... (cut)"
    return f"A person changed the arguments of this call, and approved it with these: {said}\n"


def expired() -> str:
    """When nobody allowed the call, or answered the question, in time."""
    return "Denied: nobody answered in time, so the call was not made. Continue without it."


def artifact_url(artifact_id: UUID, public_url: str = "") -> str:
    return f"{public_url.rstrip('/')}/api/v1/artifacts/{artifact_id}"


def _source(result: ToolResult) -> Iterator[str]:
    if result.answered_by:
        yield (
            f"Answered by {result.answered_by} in place of {result.in_place_of}, which fails too "
            "often to be called for now."
        )


def _end(result: ToolResult) -> Iterator[str]:
    if type(result.error) is ScriptFailed:  # Those below it say more.
        yield f"The call failed with exit code {result.exit_code}."
    elif result.error is not None:
        yield f"Error: {str(result.error)[:MAX_ERROR_CHARACTERS]}"


def _said(result: ToolResult, shown: Shown) -> Iterator[str]:
    if result.is_protected:
        yield shown.text
    elif shown.text.strip():
        yield fenced(shown.text)


def _made(shown: Shown, files: Mapping[str, UUID], public_url: str) -> Iterator[str]:
    for name, artifact_id in list(files.items())[:MAX_FILES_SHOWN]:
        quoted = name.replace("'", r"\'")
        yield f"File '{quoted}' created at {artifact_url(artifact_id, public_url)}"
    if len(files) > MAX_FILES_SHOWN:
        yield f"{len(files) - MAX_FILES_SHOWN} more files were created: list_files shows them."
    if shown.whole is not None and shown.whole in files:
        yield f"The output was too long. All of it is in '{shown.whole}': read it with read_file."


def _stem(call: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", call).strip("-._") or "output"


def _keep(text: str, output: Path, call: str) -> str | None:
    """Write the text to a new file. None when that cannot be: a script may have locked its folder.

    Never through a link, and never over a file: what the script left there may be either.
    """
    stem = _stem(call)
    data = text.encode("utf-8", "replace")
    for number in range(1, _MAX_NAMES_TRIED):
        name = f"{stem}.txt" if number == 1 else f"{stem}-{number}.txt"
        try:
            descriptor = os.open(output / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            continue
        except OSError:
            return None
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(data)
        except OSError:  # The disk is full. The call has taken effect: it must not fail for this.
            (output / name).unlink(missing_ok=True)
            return None
        return name
    return None
