"""The arguments of a script: files in their places, and options that the prompt names."""

import re
from collections.abc import Iterator, Sequence

from deploy.offline_model.conversation import Conversation, Skill
from deploy.offline_model.naming import output_option
from deploy.offline_model.selection import all_files, files_for, reference
from deploy.offline_model.usage import Option, Usage, Word
from workflows.errors import AgentOSError

_QUOTED = r"[\"'“‘](?P<quoted>[^\"'”’\n]{1,200})[\"'”’]"
_PLAIN = r"(?P<plain>[\w.=-]*\w(?:,[\w.=-]*\w)*)"
_TEXT_PLACES = ("text", "query", "prompt", "message", "question", "topic")


class Unanswerable(AgentOSError):
    """{reason}"""


def argument_lists(
    usage: Usage, skill: Skill, talk: Conversation, *, is_plain: bool
) -> Sequence[tuple[str, ...]]:
    """The arguments of each call that the skill needs: one, or one for each file.

    ``is_plain`` leaves out all that is not required, for a script that did not like the rest.

    Raises:
        Unanswerable: a file or a value is missing.
    """
    options = tuple(_options(usage, talk, is_plain=is_plain))
    places = [word for word in usage.words if _is_for_files(word)]
    if not places:
        return [(*_fill(usage.words, (), talk.prompt), *options)]
    files = files_for(skill, talk, together=usage.takes_many)
    if len(files) < len([word for word in places if not word.is_many] or places[:1]):
        raise Unanswerable(reason=f"it needs {_wanted(places)}, and there is no fitting file")
    known = all_files(talk)
    if usage.takes_many:
        references = [reference(file, known) for file in files]
        output = output_option(usage, talk.to_make)
        return [(*_fill(usage.words, references, talk.prompt), *options, *output)]
    return [
        (
            *_fill(usage.words, [reference(file, known)], talk.prompt),
            *options,
            *output_option(usage, talk.to_make, file, is_one_of_many=len(files) > 1),
        )
        for file in files
    ]


def command(
    usage: Usage, references: Sequence[str], talk: Conversation, *, is_plain: bool
) -> Sequence[str]:
    """The arguments of one call, with ``references`` in the places for files.

    Raises:
        Unanswerable: a value is missing.
    """
    filled = _fill(usage.words, references, talk.prompt)
    return (*filled, *_options(usage, talk, is_plain=is_plain))


def _fill(words: Sequence[Word], references: Sequence[str], prompt: str) -> Iterator[str]:
    left = list(references)
    for index, word in enumerate(words):
        if not word.is_place:
            yield word.text
        elif not _is_for_files(word):
            quoted = re.search(_QUOTED, prompt)
            yield quoted["quoted"] if quoted else prompt
        else:
            # Later places get one each; all that is left goes to the one that takes many.
            later = filter(_is_for_files, words[index + 1 :])
            reserved = sum(not other.is_many for other in later)
            count = len(left) - reserved if word.is_many else 1
            yield from left[:count]
            left = left[count:]


def _options(usage: Usage, talk: Conversation, *, is_plain: bool) -> Iterator[str]:
    for option in usage.options:
        value = _value(option, talk.prompt) or _answered(option, talk)
        if value is None and option.is_required:
            raise Unanswerable(reason=f"it needs {option.flag} {option.placeholder}")
        if value is not None and (option.is_required or not is_plain):
            yield from (option.flag, value)
    if not is_plain:
        yield from usage.flags


def _value(option: Option, prompt: str) -> str | None:
    for choice in option.choices:
        if len(choice) > 2 and re.search(rf"\b{re.escape(choice)}\b", prompt, re.IGNORECASE):
            return choice
    if option.choices or not option.placeholder:
        return None
    name = re.escape(option.name)
    forms = [rf"(?:--{name}[ =]|\b{name}[=:]) ?(?:{_QUOTED}|{_PLAIN})", rf"\b{name}d? {_QUOTED}"]
    if option.is_required:
        forms.append(rf"\b{name} (?:the )?(?:column |columns |key |field )?(?:{_QUOTED}|{_PLAIN})")
    for form in forms:
        if found := re.search(form, prompt, re.IGNORECASE):
            given = found.groupdict()
            return given.get("quoted") or given.get("plain")
    return None


def _answered(option: Option, talk: Conversation) -> str | None:
    """What a person said when asked for it."""
    for action in talk.actions:
        question = str(action.arguments.get("question", ""))
        if action.tool == "ask_human" and f" {option.flag} " in question:
            return None if action.observation.is_failure else action.observation.said
    return None


def _is_for_files(word: Word) -> bool:
    return word.is_place and word.text.lower() not in _TEXT_PLACES


def _wanted(places: Sequence[Word]) -> str:
    return " and ".join(dict.fromkeys(word.text for word in places))
