"""The last answer of a run: what was done, what was not, and why."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any

from deploy.offline_model import LABEL
from deploy.offline_model.calls import calls_of
from deploy.offline_model.conversation import Action, Conversation, Skill
from deploy.offline_model.filling import Facts, Schema, fill, untold_numbers
from deploy.offline_model.kinds import File
from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.selection import MAX_FILES, untouched

_MOST_FIGURES = 5
# To ``finish`` is tried with what is required, and then with all that can be given.
_MOST_REFUSALS = 2
_RESULT_CHARACTERS = 200


def ending(talk: Conversation, wanted: Sequence[Skill | Call], skipped: Mapping[str, str]) -> Reply:
    """``finish`` with a summary, or the summary as text where that tool is not offered."""
    left = untouched(talk) if calls_of(talk, "run_skill_script") else ()
    lines = [line for step in wanted for line in _told(step, talk, skipped)]
    lines += _of_those_left(left)
    summary = "\n".join([f"{LABEL}.", *lines]) if wanted else _nothing_matched(talk)
    refused = sum(action.tool == "finish" for action in talk.actions)
    if "finish" not in talk.tools:
        return Reply(summary)
    if (last := _last_refusals(talk))[_MOST_REFUSALS - 1 :]:
        # The rules know no other way. To call nothing ends a task soon, with an error.
        return Reply(f"{LABEL}: this cannot be finished. {last[0].observation.reason}\n{summary}")
    is_success = bool(wanted) and not (skipped or left or _has_failed(talk))
    arguments = finish_arguments(
        talk.tools["finish"],
        _facts(talk, summary, is_success=is_success),
        is_whole=refused > 0,  # what was required did not suffice
    )
    return Reply(f"{LABEL}: done.", (Call("finish", arguments),))


def _last_refusals(talk: Conversation) -> Sequence[Action]:
    """The calls of ``finish`` since anything else was done."""
    return list(takewhile(lambda action: action.tool == "finish", reversed(talk.actions)))


def plain_answer() -> Reply:
    """An answer where no tool may be called."""
    return Reply(
        f"{LABEL}: I can pick skills by keywords and run them, and nothing else. Without tools "
        "there is nothing I can do with this. Set OPENAI_API_KEY or OPENAI_BASE_URL to use a "
        "language model."
    )


def _nothing_matched(talk: Conversation) -> str:
    names = ", ".join(skill.name for skill in talk.catalogue) or "none"
    return (
        f"{LABEL}. The prompt shares no keyword with any skill, so nothing was done. "
        f"Available skills: {names}. Name one of them, or set OPENAI_API_KEY or "
        "OPENAI_BASE_URL to use a language model."
    )


def _told(step: Skill | Call, talk: Conversation, skipped: Mapping[str, str]) -> Iterator[str]:
    if isinstance(step, Skill):
        if step.name in skipped:
            yield f"- {step.name} was skipped: {skipped[step.name]}."
        runs = [
            action
            for action in talk.actions
            if action.tool == "run_skill_script" and action.arguments.get("skill") == step.name
        ]
        if not runs and step.name not in skipped:
            yield f"- {step.name} was not reached: no turns are left."
        yield from (_line(step.name, run) for run in runs if not _was_mended(run, talk))
    else:
        yield from (
            _line(step.tool, action)
            for action in talk.actions
            if action.tool == step.tool and action.arguments == step.arguments
        )


def _of_those_left(files: Sequence[File]) -> Iterator[str]:
    if files:
        names = ", ".join(file.name for file in files)
        yield (
            f"- Nothing was done with {names}: no skill here takes them, or there were more than "
            f"the {MAX_FILES} that each is given."
        )


def _line(name: str, action: Action) -> str:
    seen = action.observation
    if seen.is_failure:
        return f"- {name} failed and was left out: {seen.reason}"
    figures = ", ".join(_figures(seen.printed))
    made = f" made {', '.join(seen.files)}" if seen.files else ""
    result = made or f": {' '.join(seen.said.split())[:_RESULT_CHARACTERS]}"
    return f"- {name}{result}" + (f" ({figures})" if made and figures else "")


def _figures(printed: Mapping[str, Any]) -> Sequence[str]:
    """The first numbers that are not zero."""
    numbers = (
        f"{key} {value}"
        for key, value in printed.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value
    )
    return list(islice(numbers, _MOST_FIGURES))


def _has_failed(talk: Conversation) -> bool:
    """Whether something was tried that did not succeed in the end."""
    return any(
        action.observation.is_failure and not _was_mended(action, talk)
        for action in talk.actions
        if action.tool != "finish"
    )


def _was_mended(run: Action, talk: Conversation) -> bool:
    """Whether it was tried again, with some of its arguments left out."""
    return run.observation.is_failure and any(
        other.turn > run.turn and _args(other) < _args(run)
        for other in talk.actions
        if other.tool == run.tool and other.arguments.get("skill") == run.arguments.get("skill")
    )


def _args(run: Action) -> set[str]:
    args = run.arguments.get("args")
    return set(map(str, args)) if isinstance(args, list) else set()


def finish_arguments(schema: Schema, facts: Facts, *, is_whole: bool) -> dict[str, Any]:
    """The arguments of ``finish`` by its schema; the summary says what could only be made up."""
    summary = facts.summary
    properties = schema.get("properties", {})
    result = properties.get("result") if isinstance(properties, dict) else None
    arguments = fill(schema, facts, is_whole=is_whole)
    if isinstance(result, dict) and (unknown := untold_numbers(result, facts)):
        summary += f"\nThese were given no value and hold a neutral one: {', '.join(unknown)}."
    return {**arguments, "summary": summary}


def _facts(talk: Conversation, summary: str, *, is_success: bool) -> Facts:
    made = {name: url for action in talk.actions for name, url in action.observation.files.items()}
    printed = {k: v for action in talk.actions for k, v in action.observation.printed.items()}
    return Facts(
        prompt=talk.prompt,
        summary=summary,
        names=tuple(made),
        urls=tuple(made.values()),
        printed=printed,
        is_success=is_success,
    )
