"""The rules of a discussion in a group: who speaks in its next round, or why it falls silent.

A message begins a discussion. In each round every member speaks once at most; when nobody's turn is
due any more, all members are given together what was said, and those who read something new have a
turn in the next round.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from workflows.definitions.group import GroupLimits
from workflows.states import GroupTurnState

# What a member answers that has nothing to say.
SILENT = "(silent)"
_AROUND = " \t\r\n\"'`*_()[].!"


class Silence(StrEnum):
    """Why a group fell silent."""

    QUIET = "quiet"
    ROUNDS = "rounds"
    TOKENS = "tokens"
    COST = "cost"
    REPEATED = "repeated"
    NOBODY = "nobody"
    SUPERSEDED = "superseded"

    def words(self, limits: GroupLimits) -> str:
        """The same for people."""
        return _WORDS[self].format_map(limits.model_dump())


_WORDS: Mapping[Silence, str] = {
    Silence.QUIET: "Nobody had anything more to say.",
    Silence.ROUNDS: "The discussion had its {rounds} rounds, which is its limit.",
    Silence.TOKENS: "The discussion used up its budget of {tokens} tokens.",
    Silence.COST: "The discussion used up its budget of {cost_usd} USD.",
    Silence.REPEATED: "In the last round nothing was said that had not been said before.",
    Silence.NOBODY: "Nobody can answer: no member that may answer is there, or they are paused, "
    "in error or terminated.",
    Silence.SUPERSEDED: "A newer message began another discussion.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What ``author`` said, None for a person. The same words have the same ``digest``."""

    author: UUID | None
    digest: str


@dataclass(frozen=True, slots=True)
class Spent:
    tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Discussion:
    """A discussion in a round: the turns of that, what was said in it, and the digests of what was
    said before."""

    limits: GroupLimits
    round: int
    turns: Mapping[UUID, GroupTurnState]
    said: Sequence[Said] = ()
    before: frozenset[str] = field(default=frozenset())

    @classmethod
    def opened(
        cls, limits: GroupLimits, first: Said, able: Collection[UUID]
    ) -> "Discussion | Silence":
        """The first round. ``able``: those who may answer now, and can."""
        turns = _due(able, [first])
        if not turns:
            return Silence.NOBODY
        return cls(limits, 1, turns, before=frozenset({first.digest}))

    @property
    def is_over(self) -> bool:
        """Whether nobody's turn is due any more in this round."""
        return GroupTurnState.DUE not in self.turns.values()

    def with_turn(self, agent_id: UUID, reply: str | None) -> "Discussion":
        """After an answer of a member; None where it could not give one."""
        state = turn_after(reply)
        turns = dict(self.turns)
        if turns.get(agent_id) is GroupTurnState.DUE:
            turns[agent_id] = state
        said = [*self.said]
        if reply is not None and state is GroupTurnState.SPOKE:
            said.append(Said(agent_id, digest_of(reply)))
        return replace(self, turns=turns, said=said)

    def advanced(self, able: Collection[UUID], spent: Spent) -> "Discussion | Silence":
        """The next round, once this one is over."""
        assert self.is_over
        if reason := self._silence(spent):
            return reason
        turns = _due(able, self.said)
        if not turns:
            return Silence.QUIET if able else Silence.NOBODY
        before = self.before | {each.digest for each in self.said}
        return Discussion(self.limits, self.round + 1, turns, before=before)

    def _silence(self, spent: Spent) -> Silence | None:
        limits = self.limits
        if not self.said:
            return Silence.QUIET
        if all(each.digest in self.before for each in self.said):
            return Silence.REPEATED
        if self.round >= limits.rounds:
            return Silence.ROUNDS
        if limits.tokens is not None and spent.tokens >= limits.tokens:
            return Silence.TOKENS
        if limits.cost_usd is not None and spent.cost_usd >= limits.cost_usd:
            return Silence.COST
        return None


def turn_after(reply: str | None) -> GroupTurnState:
    """What has become of the turn of a member that gave this reply; None where it gave none."""
    if reply is None:
        return GroupTurnState.MISSED
    return GroupTurnState.SPOKE if has_words(reply) else GroupTurnState.PASSED


def has_words(reply: str) -> bool:
    """Whether a reply says something: not if it is empty, or says only that it says nothing."""
    return reply.strip(_AROUND).casefold() not in ("", SILENT.strip(_AROUND))


def digest_of(text: str) -> str:
    """The same for texts that differ in nothing but blanks and case."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "replace")).hexdigest()


def _due(able: Collection[UUID], said: Sequence[Said]) -> dict[UUID, GroupTurnState]:
    """A turn for each that has something to read that it has not said itself."""
    return {
        each: GroupTurnState.DUE
        for each in sorted(able)
        if any(words.author != each for words in said)
    }
