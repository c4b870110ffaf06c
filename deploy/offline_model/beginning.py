"""``start_task``: work that is asked of an agent that stays, as a pipeline that runs beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deploy.offline_model import LABEL
from deploy.offline_model.asking import files_meant
from deploy.offline_model.calls import calls_of
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.flow import parts_of, unused
from deploy.offline_model.jobs import Unplannable, jobs_of, skills_asked_for
from deploy.offline_model.kinds import File
from deploy.offline_model.manuals import loading
from deploy.offline_model.messages import Message
from deploy.offline_model.piping import piped
from deploy.offline_model.reply import Call, Reply

START_TASK = "start_task"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_COUNT = re.compile(r"\bcount (?:the |all )?(?P<what>words|lines|characters)\b", re.IGNORECASE)
_COUNTING = {"words": "len(text.split())", "lines": "len(text.splitlines())"}
_SOURCE = """\
import json, pathlib, sys
text = pathlib.Path(sys.argv[1]).read_text("utf-8", "replace")
counted = json.dumps({{"{what}": {expression}}})
pathlib.Path("{what}.json").write_text(counted)
print(counted)
"""


def begin(message: Message, talk: Conversation) -> Reply | None:
    """The next call on the way to a task that does what the message asks for; None when that is
    begun.

    Raises:
        Unplannable: it is no fixed sequence of what is known here.
    """
    if calls_of(talk, START_TASK):
        return None
    names = files_meant(message, talk) or [file.name for file in talk.inputs]
    files = [file for file in talk.inputs if file.name in names]
    if counted := _COUNT.search(message.text):
        return _started(*_counting(counted["what"].lower(), files))
    # A pipeline knows its inputs by names of its own.
    aliases = _aliases(files)
    own = replace(
        talk,
        prompt=_renamed(message.text, aliases),
        inputs=tuple(File(aliases[f.name], f.url, _media_type(f)) for f in files),
    )
    if reply := loading([skill for _, skill in skills_asked_for(own)], own):
        return reply
    parts = parts_of(jobs_of(own), own)
    piping = piped(parts, own)
    named = {alias: name for name, alias in aliases.items()}
    words = ", ".join(part.job.word for part in parts)
    pipeline = {"name": words, "inputs": list(piping.inputs), "steps": list(piping.steps)}
    return _started(pipeline, {name: named.get(name, name) for name in piping.inputs})


def _started(pipeline: Mapping[str, Any], inputs: Mapping[str, str]) -> Reply:
    call = Call(START_TASK, {"type": "pipeline", "pipeline": pipeline, "inputs": inputs})
    return Reply(f"{LABEL}: this is a pipeline, which runs beside me.", (call,))


def _counting(what: str, files: Sequence[File]) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    if len(files) != 1:
        raise Unplannable(reason="it takes one file, and the message names none, or several")
    source = _SOURCE.format(what=what, expression=_COUNTING.get(what, "len(text)"))
    code = {"language": "python", "source": source}
    step = {"id": "count", "code": code, "args": ["${inputs.text}"]}
    pipeline = {"name": f"count {what}", "inputs": ["text"], "steps": [step]}
    return pipeline, {"text": files[0].name}


def _aliases(files: Sequence[File]) -> Mapping[str, str]:
    """Names that inputs of a pipeline may have."""
    aliases: dict[str, str] = {}
    for file in files:
        fits = _NAME.fullmatch(file.name) and file.name not in aliases.values()
        aliases[file.name] = file.name if fits else unused(file.stem, aliases.values())
    return aliases


def _renamed(text: str, aliases: Mapping[str, str]) -> str:
    for name, alias in sorted(aliases.items(), key=lambda item: -len(item[0])):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", alias, text)
    return text


def _media_type(file: File) -> str:
    """The name no longer tells it."""
    media_types = {"csv": "text/csv", "md": "text/markdown", "txt": "text/plain"}
    return file.media_type or media_types.get(file.kind or "", "")
