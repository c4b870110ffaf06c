"""Which skills a prompt asks for, by the words that it shares with their names and descriptions."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from deploy.offline_model.conversation import Skill

# A skill is taken from this score on. Its whole name scores 2, a part of it less; so does a word
# that only its description has: at the head of it, where skills say what they do, it suffices.
_ENOUGH = 1.5
_NAME_SCORE = 2.0
_HEAD_SCORE = 1.5
_WORD_SCORE = 1.0

_NEGATED = re.compile(
    r"\b(?:no|not|without|skip|never|omit|don't|don’t)"
    r"(?: (?!(?:and|but|just|only|then|instead|rather)\b)\w+){1,3}",
    re.IGNORECASE,
)
# Looked for where a word begins only: at every letter it would take a long word's length squared.
_FILE_NAME = re.compile(r"(?<!\S)\S*\w\.[A-Za-z][A-Za-z0-9]{0,4}\b(?:/\S*)?")
_HEAD_END = re.compile(r"[,.;:(]| - ")
_STOP_WORDS = frozenset(
    """
    a about all also an and any are as at be before both by can do does each every file files
    first for from get give has have how i if in into is it its last list make makes me more
    most my name names of on once one only or other our out over please put read same see show
    so some take than that the their them then there these this to together two up use used
    using want was what when where which who will with without write written you your data
    result results new work task need needs input output
    """.split()  # noqa: SIM905  (a list of them would be a page long)
)


@dataclass(frozen=True, slots=True)
class _Profile:
    """The stems of a skill: of its name (those no other name has), its head, and all the rest."""

    name: frozenset[str]
    head: frozenset[str]
    description: frozenset[str]


def matching_skills(prompt: str, catalogue: Sequence[Skill]) -> Sequence[tuple[int, Skill]]:
    """The skills that the prompt asks for, each with the place in the prompt that says so."""
    said = _places(_FILE_NAME.sub(lambda found: " " * len(found[0]), prompt))
    profiles = _profiles(tuple(catalogue))
    taken = frozenset[str]().union(*(profile.name for profile in profiles.values()))
    found = []
    for skill in catalogue:
        scores = dict(_scores(skill.name, profiles, taken, said))
        if sum(scores.values()) >= _ENOUGH:
            named = [said[stem] for stem in scores if stem in profiles[skill.name].name]
            found.append((min(named or [said[stem] for stem in scores]), skill))
    return sorted(found, key=lambda item: item[0])


def blanked(prompt: str, names: Iterable[str]) -> str:
    """A prompt with blanks for names of files that may have words for skills in them."""
    for name in names:
        if not name.isalpha():  # what is a word by itself is as likely to be meant as one
            pattern = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
            prompt = re.sub(pattern, lambda found: " " * len(found[0]), prompt)
    return prompt


def without_negated(prompt: str, catalogue: Sequence[Skill]) -> str:
    """A prompt with blanks for the words of skills that it asks not to be used: all mentions of one
    where the last is so, for that is what counts."""
    own = {stem(word_of(skill)) for skill in catalogue}
    spans = [range(found.start(), found.end()) for found in _NEGATED.finditer(prompt)]
    words = [found for found in re.finditer(r"\w+", prompt) if stem(found[0]) in own]
    negated = [word for word in words if any(word.start() in span for span in spans)]
    last = {stem(word[0]): word for word in words}
    for word in words:
        if word in negated or last[stem(word[0])] in negated:
            prompt = prompt[: word.start()] + " " * len(word[0]) + prompt[word.end() :]
    return prompt


def word_of(skill: Skill) -> str:
    """What it does, in a word: ``clean`` for ``csv-clean``."""
    return skill.name.rpartition("-")[2]


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that say something, without names of files."""
    return frozenset(_places(_FILE_NAME.sub(" ", text)))


def stem(word: str) -> str:
    """A word without its ending: crude, but the same for `profile`, `profiling` and `profiles`."""
    word = word.lower()
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _scores(
    skill: str, profiles: Mapping[str, _Profile], taken: frozenset[str], said: Mapping[str, int]
) -> Iterator[tuple[str, float]]:
    own = profiles[skill]
    for word in said:
        if word in own.name:
            yield word, _NAME_SCORE / len(own.name)
        elif word in own.description and word not in taken:
            others = sum(word in profile.description for profile in profiles.values())
            yield word, (_HEAD_SCORE if word in own.head else _WORD_SCORE) / others


@lru_cache(maxsize=8)  # One catalogue is asked of for every message of a turn.
def _profiles(catalogue: tuple[Skill, ...]) -> Mapping[str, _Profile]:
    names = {skill.name: set(_places(skill.name)) for skill in catalogue}
    shared = {
        word for word in set().union(*names.values()) if sum(word in n for n in names.values()) > 1
    }
    return {
        skill.name: _Profile(
            name=frozenset(names[skill.name] - shared or names[skill.name]),
            head=frozenset(_places(_HEAD_END.split(skill.description, maxsplit=1)[0])),
            description=frozenset(_places(skill.description)),
        )
        for skill in catalogue
    }


def _places(text: str) -> Mapping[str, int]:
    """Where each stem stands first in a text."""
    places: dict[str, int] = {}
    for found in re.finditer(r"[A-Za-z0-9]+", text):
        if found[0].lower() not in _STOP_WORDS:
            places.setdefault(stem(found[0]), found.start())
    return places
