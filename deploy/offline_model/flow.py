"""Which script runs on which files, and what it makes of them, before anything has run."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.offline_model.arguments import Unanswerable, command
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.jobs import Job, Unplannable
from deploy.offline_model.kinds import File, kinds_taken
from deploy.offline_model.selection import inputs_named, one_of_each
from workflows.definitions.inputs import MAX_INPUTS, environment_name

_ID_CHARACTERS = 50  # which leaves room for a number, up to the 63 of an id
_TOGETHER = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A file that is there, or will be: an input of the task where it has no ``maker``, the id of
    a part. ``branch`` is the input that it comes from; empty for what is made of several. Where it
    ``is_all``, it stands for all files of that part: nothing tells their names."""

    file: File
    branch: str
    maker: str | None = None
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a script on the files ``takes``; ``stem`` is that of the files it makes."""

    id: str
    job: Job
    branch: str
    takes: tuple[Item, ...]
    makes: tuple[Item, ...]
    stem: str

    @property
    def is_joint(self) -> bool:
        return self.branch == _TOGETHER

    def arguments(self, references: Sequence[str], talk: Conversation) -> Sequence[str]:
        """Its command line, with the ``references`` for the files that it takes.

        Raises:
            Unplannable: nothing says how the script is called, or a value that it needs.
        """
        if not self.job.manual.is_told:
            raise Unplannable(reason=f"nothing here says how {self.job.skill.name} is called")
        try:
            words = command(self.job.manual.usage, references, talk, is_plain=False)
        except Unanswerable as missing:
            raise Unplannable(reason=f"{self.job.skill.name}: {missing}") from None
        return (*words, *self.job.manual.product.option(self.stem))


def parts_of(jobs: Sequence[Job], talk: Conversation) -> Sequence[Part]:
    """In an order in which they can run one after the other.

    Raises:
        Unplannable: a job has no file that fits it, or too few.
    """
    inputs = inputs_named(talk)
    flow = _Flow([Item(file, file.name) for file in inputs], has_branches=len(inputs) > 1)
    for job in jobs:
        flow.add(job)
    taken = {item.file.name for part in flow.parts for item in part.takes}
    if left := [file.name for file in inputs if file.name not in taken]:
        raise Unplannable(reason=f"no skill that is asked for takes {', '.join(left)}")
    return flow.parts


@dataclass(slots=True)
class _Flow:
    """``items`` are the files of which no later one of the same kind was made. Those that one was
    made of together with others are ``joined``: they count for what is asked for each."""

    items: list[Item]
    has_branches: bool
    joined: list[Item] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def add(self, job: Job) -> None:
        groups = self._groups(job)
        if job.says_one and len(groups) > 1:
            raise Unplannable(reason=f"{job.skill.name} takes one file, and not several together")
        for branch, items in groups.items():
            self._add(job, branch, self._taken(job, items))

    def _groups(self, job: Job) -> Mapping[str, Sequence[Item]]:
        """The files that fit a job, by branch; of no branch for a job that is for all together."""
        kinds = kinds_taken(job.skill.description)
        fitting = [
            item
            for item in [*(self.joined if job.says_each and not job.is_joint else ()), *self.items]
            if (job.manual.usage.takes_many if item.is_all else _fits(item.file, kinds))
        ]
        groups: dict[str, list[Item]] = {}
        for item in fitting:
            groups.setdefault(_TOGETHER if job.is_joint else item.branch, []).append(item)
        if _TOGETHER in groups and len(groups) > 1:  # What was joined is one more file, or the one.
            joined = groups.pop(_TOGETHER)
            groups = groups if job.says_each else {_TOGETHER: joined}
        if not groups:
            raise Unplannable(reason=f"there is no file that fits {job.skill.name}")
        return groups

    def _taken(self, job: Job, items: Sequence[Item]) -> Sequence[Item]:
        usage = job.manual.usage
        if not usage.takes_many:
            return items[-1:]
        kinds = kinds_taken(job.skill.description)
        kept = list(one_of_each([item.file for item in items], kinds))
        least = len([word for word in usage.places if not word.is_many])
        if len(kept) < least:
            raise Unplannable(reason=f"{job.skill.name} needs {least} files that fit it")
        taken = [item for item in items if item.file in kept]
        if len(taken) <= MAX_INPUTS:
            return taken
        # No node takes as many: the newest of each branch has to do.
        return list({item.branch: item for item in taken}.values())

    def _add(self, job: Job, branch: str, takes: Sequence[Item]) -> None:
        is_one_of_many = branch != _TOGETHER and self.has_branches
        stem = job.manual.product.stem
        stem = f"{branch}-{stem}" if is_one_of_many and job.manual.product.flag else stem
        name = self._new_id(f"{job.word}-{branch}" if is_one_of_many else job.word)
        names = job.manual.product.names(stem)
        makes = tuple(Item(File(made, url=name), branch, name) for made in names) or (
            Item(File(stem, url=name), branch, name, is_all=True),
        )
        self.parts.append(Part(name, job, branch, tuple(takes), makes, stem))
        kinds = {item.file.kind for item in makes}
        replaced = [item for item in takes if not item.is_all and item.file.kind in (*kinds, None)]
        if branch == _TOGETHER and len(replaced) > 1:
            self.joined += replaced
        self.items = [item for item in self.items if item not in replaced] + list(makes)

    def _new_id(self, text: str) -> str:
        return unused(text, [part.id for part in self.parts])


def _fits(file: File, kinds: Sequence[str]) -> bool:
    return not kinds or file.kind is None or file.kind in kinds


def unused(text: str, taken: Iterable[str]) -> str:
    """``text`` as an id or as the name of an input, with a number where it is taken.

    Names count as the same that would be the same environment variable.
    """
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:_ID_CHARACTERS]
    base = base if base[:1].isalpha() else f"n-{base}"
    used, number, name = {environment_name(item) for item in taken}, 1, base
    while environment_name(name) in used:
        number += 1
        name = f"{base}-{number}"
    return name
