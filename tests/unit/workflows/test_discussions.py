"""The rules of discussions in groups: they always end, and nobody speaks out of turn."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import ValidationError

from workflows.definitions.group import GroupLimits
from workflows.discussions import (
    Discussion,
    Said,
    Silence,
    Spent,
    digest_of,
    has_words,
    turn_after,
)
from workflows.states import GroupTurnState

ANN, BOB, CID = (UUID(int=number) for number in (1, 2, 3))
EVERYBODY = (ANN, BOB, CID)
HELLO = Said(None, digest_of("Hello"))


def opened(limits: GroupLimits | None = None, able: Sequence[UUID] = EVERYBODY) -> Discussion:
    discussion = Discussion.opened(limits or GroupLimits(), HELLO, able)
    assert isinstance(discussion, Discussion)
    return discussion


def after(discussion: Discussion, **replies: str | None) -> Discussion:
    names = {"ann": ANN, "bob": BOB, "cid": CID}
    for name, reply in replies.items():
        discussion = discussion.with_turn(names[name], reply)
    return discussion


def test_a_message_gives_every_member_a_turn_but_its_sender() -> None:
    assert opened().turns.keys() == {ANN, BOB, CID}
    first = Said(BOB, digest_of("Hello"))
    discussion = Discussion.opened(GroupLimits(), first, EVERYBODY)
    assert isinstance(discussion, Discussion)
    assert discussion.turns.keys() == {ANN, CID}


@pytest.mark.parametrize("able", [(), (BOB,)], ids=["nobody", "only the sender"])
def test_a_message_that_nobody_can_answer_ends_at_once(able: Sequence[UUID]) -> None:
    first = Said(BOB, digest_of("Hello"))
    assert Discussion.opened(GroupLimits(), first, able) is Silence.NOBODY


def test_a_round_waits_for_all_whose_turn_is_due() -> None:
    discussion = after(opened(), ann="Yes", bob="No")
    assert not discussion.is_over
    assert after(discussion, cid=None).is_over


def test_who_alone_has_spoken_has_nothing_new_to_read() -> None:
    discussion = after(opened(), ann="Yes", bob="", cid="(silent)").advanced(EVERYBODY, Spent())
    assert isinstance(discussion, Discussion)
    assert (discussion.round, discussion.turns.keys()) == (2, {BOB, CID})


def test_a_round_in_which_nobody_speaks_ends_the_discussion() -> None:
    assert (
        after(opened(), ann="", bob=None, cid=" (Silent). ").advanced(EVERYBODY, Spent())
        is Silence.QUIET
    )


def test_a_round_that_repeats_what_was_said_before_ends_the_discussion() -> None:
    second = after(opened(), ann="Yes", bob="No", cid="").advanced(EVERYBODY, Spent())
    assert isinstance(second, Discussion)
    said = after(second, ann="no", bob=" YES ", cid="hello")
    assert said.advanced(EVERYBODY, Spent()) is Silence.REPEATED
    said = after(second, ann="no", bob="Why?", cid="")
    assert isinstance(said.advanced(EVERYBODY, Spent()), Discussion)


def test_the_same_words_in_one_round_are_no_repetition() -> None:
    said = after(opened(), ann="Agreed", bob="Agreed", cid="Agreed")
    assert isinstance(said.advanced(EVERYBODY, Spent()), Discussion)


@pytest.mark.parametrize(
    ("limits", "spent", "silence"),
    [
        (GroupLimits(rounds=1), Spent(), Silence.ROUNDS),
        (GroupLimits(tokens=100), Spent(tokens=100), Silence.TOKENS),
        (GroupLimits(tokens=101), Spent(tokens=100), None),
        (GroupLimits(cost_usd=0.5), Spent(cost_usd=0.5), Silence.COST),
        (GroupLimits(cost_usd=0.6), Spent(cost_usd=0.5), None),
    ],
    ids=str,
)
def test_a_limit_that_is_reached_ends_the_discussion(
    limits: GroupLimits, spent: Spent, silence: Silence | None
) -> None:
    following = after(opened(limits), ann="Yes", bob="No", cid="").advanced(EVERYBODY, spent)
    assert following is silence or isinstance(following, Discussion)
    assert (following is silence) is (silence is not None)


def test_who_cannot_answer_any_more_has_no_turn() -> None:
    said = after(opened(), ann="Yes", bob="No", cid="")
    following = said.advanced((BOB,), Spent())
    assert isinstance(following, Discussion)
    assert following.turns.keys() == {BOB}
    assert said.advanced((), Spent()) is Silence.NOBODY


def test_a_discussion_ends_quietly_where_nobody_has_something_new_to_read() -> None:
    said = after(opened(), ann="Yes", bob="", cid="")
    assert said.advanced((ANN,), Spent()) is Silence.QUIET


@pytest.mark.parametrize(
    "reply", ["", " \n", "(silent)", "(Silent)", "silent", "*(silent)*", "`(silent)`.", "[silent]"]
)
def test_a_reply_that_says_only_that_it_says_nothing_has_no_words(reply: str) -> None:
    assert not has_words(reply)
    assert turn_after(reply) is GroupTurnState.PASSED


@pytest.mark.parametrize("reply", ["Silent night", "(silent) but:", "?", "0"])
def test_any_other_reply_has_words(reply: str) -> None:
    assert has_words(reply)


def test_every_silence_has_words_for_people() -> None:
    limits = GroupLimits(rounds=7, tokens=1_234, cost_usd=0.5)
    words = {each: each.words(limits) for each in Silence}
    assert len(set(words.values())) == len(Silence)
    assert "7 rounds" in words[Silence.ROUNDS]
    assert "1234 tokens" in words[Silence.TOKENS]
    assert "0.5 USD" in words[Silence.COST]


@pytest.mark.parametrize(
    "limits",
    [
        {"rounds": 0},
        {"rounds": 51},
        {"rounds": True},
        {"tokens": 0},
        {"cost_usd": 0},
        {"cost_usd": float("inf")},
        {"turn_seconds": 0},
        {"turn_seconds": 90_000},
        {"hops": 3},
    ],
    ids=str,
)
def test_limits_out_of_bounds_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GroupLimits.model_validate(limits)


@given(st.text(max_size=40))
def test_blanks_and_case_make_no_other_words(text: str) -> None:
    assume(text.casefold() == text.upper().casefold())
    assert digest_of(text) == digest_of(f"  {text.upper()}\n")


class Talk(RuleBasedStateMachine):
    """A group that talks in any way. Every member keeps what it was given to read."""

    @initialize(count=st.integers(0, 5), rounds=st.integers(1, 4))
    def gather(self, count: int, rounds: int) -> None:
        self.members = [UUID(int=number) for number in range(count)]
        self.limits = GroupLimits(rounds=rounds)
        self.inboxes: dict[UUID, list[tuple[UUID | None, str]]] = {m: [] for m in self.members}
        self.spoken: list[tuple[int, int, UUID]] = []
        self.threads = 0
        self.now: Discussion | Silence = Silence.QUIET

    @rule(author=st.none() | st.integers(0, 4))
    def post(self, author: int | None) -> None:
        """A message ends what is being discussed, and begins anew."""
        self.threads += 1
        before = self.now.said if isinstance(self.now, Discussion) else ()
        first = Said(None if author is None else UUID(int=author), digest_of(str(self.threads)))
        self._go_on(Discussion.opened(self.limits, first, self.members), [*before, first])

    def _go_on(self, following: Discussion | Silence, said: Sequence[Said]) -> None:
        for member, inbox in self.inboxes.items():
            inbox += [(each.author, each.digest) for each in said if each.author != member]
        self.now = following

    @property
    def due(self) -> list[UUID]:
        if isinstance(self.now, Silence):
            return []
        return [each for each, state in self.now.turns.items() if state is GroupTurnState.DUE]

    @precondition(lambda self: bool(self.due))
    @rule(data=st.data(), reply=st.none() | st.sampled_from(["", "(silent)", "a", "b", "c", "d"]))
    def answer(self, data: st.DataObject, reply: str | None) -> None:
        assert isinstance(self.now, Discussion)
        who = data.draw(st.sampled_from(self.due))
        self.now = self.now.with_turn(who, reply)
        if turn_after(reply) is GroupTurnState.SPOKE:
            self.spoken.append((self.threads, self.now.round, who))
        if self.now.is_over:
            able = [m for m in self.members if data.draw(st.booleans())]
            said = self.now.said
            following = self.now.advanced(able, Spent())
            if isinstance(following, Discussion):
                assert following.round == self.now.round + 1
                assert set(following.turns) <= set(able)
            self._go_on(following, said)

    @invariant()
    def nobody_speaks_twice_in_a_round(self) -> None:
        assert len(set(self.spoken)) == len(self.spoken)

    @invariant()
    def nobody_reads_its_own_words(self) -> None:
        for member, inbox in self.inboxes.items():
            assert all(author != member for author, _ in inbox)

    @invariant()
    def all_read_the_same_in_the_same_order(self) -> None:
        for one in self.members:
            for other in self.members:
                mine = [each for each in self.inboxes[one] if each[0] != other]
                theirs = [each for each in self.inboxes[other] if each[0] != one]
                assert mine == theirs

    @invariant()
    def it_ends_or_somebody_is_to_speak(self) -> None:
        if isinstance(self.now, Discussion):
            assert self.due
            assert self.now.round <= self.limits.rounds
        else:
            assert self.now.words(self.limits)


TestTalk = Talk.TestCase
