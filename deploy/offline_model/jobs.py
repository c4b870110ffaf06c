"""What a prompt asks to be done, as far as skills can: each for every file, or for all together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploy.offline_model.clauses import Clause, clauses_of
from deploy.offline_model.conversation import Conversation, Skill
from deploy.offline_model.manuals import Manual, manual_of
from deploy.offline_model.matching import (
    blanked,
    content_stems,
    matching_skills,
    without_negated,
    word_of,
)
from workflows.errors import AgentOSError

# Words that allow a result without everything in it.
MAY_LEAVE_OUT = re.compile(
    r"\b(?:leave out|skip|ignore|without) (?:\w+ ){0,3}"
    r"(?:fails?|failed|cannot|broken|bad|errors?)\b"
    r"|\bas far as (?:possible|you can)\b|\bwhatever works\b|\bif possible\b",
    re.IGNORECASE,
)
_PER = re.compile(r"\b(?:for|per) (?:each|every)\b", re.IGNORECASE)
_EACH = re.compile(r"\b(?:each|every|both|all|separate|separately|individual)\b", re.IGNORECASE)
_TOGETHER = re.compile(
    r"\b(?:one|single|both|all|together|joint|combined|common|overall|everything)\b", re.IGNORECASE
)
# Right before the word for a skill.
_ONE = re.compile(r"\b(?:one|single|common|joint)(?: \w+)? $", re.IGNORECASE)
_OPEN_ENDED = re.compile(
    r"\?|\b(?:why|whether|decide|investigate|explore|compare|explain|research|recommend|suggest"
    r"|find out|figure out|ask)\b",
    re.IGNORECASE,
)
_LAST = re.compile(r"\blast step\b", re.IGNORECASE)
# Words that ask for nothing of their own.
_FILLERS = content_stems(
    "need want like help please kindly finally afterwards everything thing end way table sheet "
    "spreadsheet document dataset export exports csv following attached given both single separate "
    "individual per then next start begin after possible no not never skip omit don doesn"
)


class Unplannable(AgentOSError):
    """{reason}"""


@dataclass(frozen=True, slots=True)
class Job:
    """A skill to be used. ``is_joint``: on all files at once, else on each by itself. What the
    prompt has said of it: for each file (``says_each``), or once (``says_one``). ``clause`` are the
    words that ask for it."""

    skill: Skill
    manual: Manual
    is_joint: bool
    says_each: bool
    says_one: bool
    clause: str

    @property
    def word(self) -> str:
        return word_of(self.skill)


def skills_asked_for(talk: Conversation) -> Sequence[tuple[int, Skill]]:
    """Each with the place in the prompt that asks for it; those that it rules out are left out."""
    return _matching(replace(talk, prompt=without_negated(talk.prompt, talk.catalogue)))


def _matching(talk: Conversation, start: int | None = 0) -> Sequence[tuple[int, Skill]]:
    """The skills that the prompt mentions from a place on; none from no place."""
    if start is None:
        return ()
    prompt = blanked(talk.prompt, [file.name for file in talk.inputs])
    return matching_skills(" " * start + prompt[start:], talk.catalogue)


def jobs_of(talk: Conversation) -> Sequence[Job]:
    """In the order of the prompt; what its skill calls a last step comes last.

    Raises:
        Unplannable: the prompt asks for nothing that a skill does, or for something else as well.
    """
    asked = skills_asked_for(talk)
    if not asked:
        raise Unplannable(reason="the prompt shares no keyword with any skill")
    clauses = clauses_of(talk.prompt)
    _check_covered(talk, clauses)
    noted = {skill.name: at for at, skill in _matching(talk, talk.noted_from)}
    jobs = [_job(noted.get(skill.name, at), skill, clauses, talk) for at, skill in asked]
    return sorted(jobs, key=lambda job: _LAST.search(job.skill.description) is not None)


def _job(at: int, skill: Skill, clauses: Sequence[Clause], talk: Conversation) -> Job:
    manual = manual_of(skill, talk)
    clause = next((clause for clause in clauses if clause.start <= at < clause.end), None)
    clause = clause or Clause(talk.prompt, 0, len(talk.prompt))
    is_each = _is_each(clause)
    return Job(
        skill,
        manual,
        is_joint=manual.usage.takes_many and not is_each,
        says_each=_EACH.search(clause.text) is not None,
        says_one=_ONE.search(talk.prompt[:at]) is not None and not is_each,
        clause=talk.prompt[clause.start : clause.end].strip(),
    )


def _is_each(clause: Clause) -> bool:
    """Whether what takes several files is to be given them one by one."""
    if _PER.search(clause.text):
        return True
    if _TOGETHER.search(clause.text):
        return False
    return clause.is_for_each or _EACH.search(clause.text) is not None


def _check_covered(talk: Conversation, clauses: Sequence[Clause]) -> None:
    """Raises ``Unplannable`` where a part of the prompt is about something that no skill does."""
    if open_ended := _OPEN_ENDED.search(talk.prompt):
        raise Unplannable(reason=f"{open_ended[0]!r} asks for more than a fixed sequence of skills")
    asked = _matching(talk)
    known = set(_FILLERS)
    known |= content_stems(" ".join(file.name for file in talk.inputs))
    for _, skill in asked:
        options = (option.name for option in manual_of(skill, talk).usage.options)
        known |= content_stems(f"{skill.name} {skill.description} {' '.join(options)}")
    for clause in clauses:
        has_skill = any(clause.start <= at < clause.end for at, _ in asked)
        if not has_skill and (content_stems(MAY_LEAVE_OUT.sub(" ", clause.text)) - known):
            raise Unplannable(reason=f"no skill is for {' '.join(clause.text.split())!r}")
