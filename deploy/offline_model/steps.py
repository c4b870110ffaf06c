"""What a prompt asks for, in its own order: skills by keyword, tools by their full name."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.offline_model.conversation import Conversation, Skill
from deploy.offline_model.filling import Facts, fill
from deploy.offline_model.matching import blanked, matching_skills, without_negated
from deploy.offline_model.reply import Call

# They are how skills are used and runs are ended; a prompt that says their names means no more.
_OWN_TOOLS = ("finish", "find_tools", "list_skills", "load_skill", "run_skill_script")


@dataclass(frozen=True, slots=True)
class _Named:
    start: int
    end: int
    call: Call


def steps(talk: Conversation) -> Sequence[Skill | Call]:
    """Skills to use and tools to call.

    A tool is called when the prompt has its whole name, as in ``call mcp.time.get_current_time
    {"timezone": "UTC"}``; its arguments are the JSON that follows, or ``name=value`` pairs.
    """
    named = list(_named_tools(talk))
    rest = blanked(
        without_negated(talk.prompt, talk.catalogue), [file.name for file in talk.inputs]
    )
    for tool in named:
        rest = rest[: tool.start] + " " * (tool.end - tool.start) + rest[tool.end :]
    found: list[tuple[int, Skill | Call]] = [(tool.start, tool.call) for tool in named]
    if "run_skill_script" in talk.tools:
        found += matching_skills(rest, talk.catalogue)
    return [step for _, step in sorted(found, key=lambda item: item[0])]


def _named_tools(talk: Conversation) -> Iterator[_Named]:
    for name, schema in talk.tools.items():
        parts = re.split(r"[^A-Za-z0-9]+", name)
        if name in _OWN_TOOLS or len(parts) == 1:
            continue  # one word alone is as likely to be meant as a word
        pattern = r"(?<![\w.])" + r"[._-]+".join(map(re.escape, parts)) + r"(?!\w)"
        for found in re.finditer(pattern, talk.prompt):
            arguments, end = _json_after(talk.prompt, found.end())
            if arguments is None:
                arguments = fill(schema, Facts(summary=talk.prompt, pairs=talk.prompt))
            yield _Named(found.start(), end, Call(name, arguments))


def _json_after(text: str, start: int) -> tuple[dict[str, object] | None, int]:
    gap = re.compile(r"\s*(?:with|:)?\s*").match(text, start)
    begin = gap.end() if gap else start
    if text[begin : begin + 1] == "{":
        try:
            value, end = json.JSONDecoder().raw_decode(text, begin)
        except (ValueError, RecursionError):
            return None, start
        return value, end
    return None, start
