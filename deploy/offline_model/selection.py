"""Which files a script is given: the newest of the kinds that its skill takes."""

import re
from collections.abc import Iterator, Mapping, Sequence

from deploy.offline_model.conversation import Action, Conversation, Skill
from deploy.offline_model.kinds import File, kinds_taken

MAX_FILES = 8

_ARTICLES = ("a", "an", "i")
_NO_NOUN_FOLLOWS = r"(?=\s*(?:$|[^\w\s]|(?:and|or|with|to|by|on|into|from|then)\b))"


def files_for(skill: Skill, talk: Conversation, *, together: bool) -> Sequence[File]:
    """The files to give to a skill, oldest first; ``together`` when it takes them in one call.

    Of too many they are the newest that calls made, so that one skill goes on with those files that
    the one before has come to.
    """
    kinds = kinds_taken(skill.description)
    files = _current(talk)
    fitting = [file for file in files if not kinds or file.kind is None or file.kind in kinds]
    if not fitting:  # a table in a .txt file is still a table
        fitting = [file for file in files if file.kind == "txt"]
    chosen = list(one_of_each(fitting, kinds) if together else fitting)
    made = [file for file in chosen if file.url]
    if len(chosen) <= MAX_FILES:
        return chosen
    return made[-MAX_FILES:] or chosen[:MAX_FILES]


def untouched(talk: Conversation) -> Sequence[File]:
    """The files that the task is about and that no call was given."""
    given = {
        text
        for action in talk.actions
        for arg in _args(action)
        for text in (arg, arg.rpartition("=")[2])
    }
    return [file for file in inputs_named(talk) if file.name not in given]


def _args(action: Action) -> Sequence[str]:
    args = action.arguments.get("args")
    return [str(arg) for arg in args] if isinstance(args, list) else []


def all_files(talk: Conversation) -> Sequence[File]:
    """Those that it began with, then those that calls made."""
    made = [
        File(name, url) for action in talk.actions for name, url in action.observation.files.items()
    ]
    return [*talk.inputs, *made]


def inputs_named(talk: Conversation) -> Sequence[File]:
    """The files that the task began with and the prompt names; all of them when it names none."""
    return _named_in(talk.prompt, talk.inputs)


def one_of_each(files: Sequence[File], kinds: Sequence[str]) -> Iterator[File]:
    """Of a chart as PNG and as SVG, the one whose kind the skill names first."""

    def rank(file: File) -> int:
        return kinds.index(file.kind) if file.kind in kinds else len(kinds)

    for file in files:
        twins = [other for other in files if file.url and other.url and other.stem == file.stem]
        if file == min(twins, key=rank, default=file):
            yield file


def reference(file: File, files: Sequence[File]) -> str:
    """How a call names a file: by name, or by address where two have that name."""
    is_alone = sum(other.name == file.name for other in files) == 1
    return file.name if is_alone or not file.url else file.url


def _current(talk: Conversation) -> Sequence[File]:
    """All files but those of which a later one of the same kind was made."""
    files = all_files(talk)
    by_reference = {reference(file, files): file for file in files}
    replaced = {old for action in talk.actions for old in _replaced_by(action, by_reference)}
    made = [file for file in files if file.url and file not in replaced]
    inputs = [file for file in files if not file.url and file not in replaced]
    return [*_named_in(talk.prompt, inputs), *made]


def _replaced_by(action: Action, by_reference: Mapping[str, File]) -> Iterator[File]:
    kinds = {File(name).kind for name in action.observation.files}
    for arg in _args(action):
        source = by_reference.get(arg) or by_reference.get(arg.rpartition("=")[2])
        is_made = source is not None and source.url in action.observation.files.values()
        if source and not is_made and (source.kind in kinds or source.kind is None):
            yield source


def _named_in(prompt: str, files: Sequence[File]) -> Sequence[File]:
    """The files that the prompt names; all of them when it names none."""
    named = [file for file in files if re.search(_naming(file.name), prompt)]
    return named or files


def _naming(name: str) -> str:
    """A pattern for the name of a file. ``a`` is one only where it cannot be an article."""
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
    return pattern + _NO_NOUN_FOLLOWS if name.lower() in _ARTICLES else pattern
