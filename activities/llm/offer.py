"""What goes to a model with every turn beside the conversation: tools, and the list of skills.

It has a budget, for it comes before the first word and is paid for again in each turn. Where it is
too much, descriptions become shorter, then tools and skills are left to a search, where a model has
one: else all are sent, in as few words as it takes. What is sent depends on the model, the tools
and the recorded conversation alone: another worker, or another attempt, sends the same.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from activities.llm.base import ToolSpec
from activities.llm.tool_choice import Chosen, Forms, choose, choose_unsearched
from activities.llm.tool_forms import Count, ToolForms
from activities.skills.section import SkillSection, split

# What system prompt, skills and tools may take of the tokens that a prompt may have: the rest is
# for the work, without which a small model forgets what it has just read.
OFFER_SHARE = 0.4

# In tokens, however much a model reads: they are sent with each turn, and models choose worse among
# many tools than among few.
MAX_OFFER_TOKENS = 12_000

# In tokens. What always stays may take more than the whole budget of a small model. A tool that was
# found must have a place even then, or it would be of no use to find it.
MIN_ROOM_TOKENS = 700

# Of the room that is left beside what stays, the list of skills may have this share, and more where
# tools do not need the rest.
SKILLS_SHARE = 0.35

# OpenAI refuses a request with more ("array too long ... maximum length 128").
MAX_TOOLS = 128

# What a search says of those that it finds: its longest text, and that in tokens.
_TOLD_CHARACTERS = 160
_TOLD_TOKENS = 60


@dataclass(frozen=True, slots=True)
class Offer:
    """``prompt`` is the system prompt as it is sent. ``hidden_tools`` and ``hidden_skills`` are how
    many a search has to find. ``prompt_tokens`` are those without the list of skills."""

    prompt: str
    tools: Sequence[ToolSpec]
    hidden_tools: int
    skills: int
    hidden_skills: int
    prompt_tokens: int
    skills_tokens: int
    tools_tokens: int

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.skills_tokens + self.tools_tokens


class Offers:
    """Makes offers to one model, whose tokens ``count`` counts."""

    def __init__(self, count: Count, forms: ToolForms) -> None:
        self._count = count
        self._forms = forms

    def make(
        self, prompt: str, tools: Sequence[ToolSpec], found: Sequence[str], budget_tokens: int
    ) -> Offer:
        """What fits ``budget_tokens``. ``found`` are the names of tools that the model has looked
        for or called, the latest last; others may be among them."""
        before, section, after = split(prompt) or (prompt, SkillSection(()), "")
        if not any(tool.finds_skills for tool in tools):
            section = replace(section, is_searched=False)
        prompt_tokens = self._count(before) + self._count(after)
        sorted_tools = _Sorted.of(tools, self._forms)
        room = max(budget_tokens - prompt_tokens - sorted_tools.kept_tokens, MIN_ROOM_TOKENS)
        skills_tokens = 0
        if section.entries or section.more:
            left = max(room - sorted_tools.others_tokens, round(room * SKILLS_SHARE))
            section = section.within(left, self._count)
            prompt = f"{before}{section}{after}"
            skills_tokens = self._count(str(section))
        shown = _shown(sorted_tools, found, room - skills_tokens)
        lacking = len(sorted_tools.others) - sum(tool.source is not None for tool in shown)
        if lacking and not sorted_tools.searches:
            told = f"\n\n{lacking} more tools have no room here, and nothing finds them."
            prompt, prompt_tokens = f"{prompt}{told}", prompt_tokens + self._count(told)
        return Offer(
            prompt,
            shown,
            hidden_tools=lacking,
            skills=len(section.entries),
            hidden_skills=section.more,
            prompt_tokens=prompt_tokens,
            skills_tokens=skills_tokens,
            tools_tokens=sum(self._forms.of(tool)[0].tokens for tool in shown),
        )


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Tools by what may be done with them: those that stay, those that find others, and the
    others. ``ordered`` are all but those that find."""

    ordered: Sequence[ToolSpec]
    kept: Sequence[ToolSpec]
    searches: Sequence[ToolSpec]
    others: Sequence[Forms]
    kept_tokens: int
    searches_tokens: int
    others_tokens: int

    @classmethod
    def of(cls, tools: Sequence[ToolSpec], forms: ToolForms) -> Self:
        is_searched = any(tool.finds_others for tool in tools)
        known = [forms.of(tool, is_searched=is_searched) for tool in tools]
        kept = [item for item in known if not _gives_way(item[0].tool)]
        searches = [item for item in known if item[0].tool.finds_others]
        others = [item for item in known if item[0].tool.source is not None]
        return cls(
            ordered=[tool for tool in tools if not tool.finds_others],
            kept=[item[0].tool for item in kept],
            searches=[item[0].tool for item in searches],
            others=others,
            kept_tokens=sum(item[0].tokens for item in kept),
            searches_tokens=sum(item[0].tokens for item in searches),
            others_tokens=sum(item[0].tokens for item in others),
        )


def _gives_way(tool: ToolSpec) -> bool:
    return tool.source is not None or tool.finds_others


def _shown(tools: _Sorted, found: Sequence[str], room: int) -> Sequence[ToolSpec]:
    """The tools as they are sent."""
    if tools.others_tokens <= room and len(tools.ordered) <= MAX_TOOLS:
        return tools.ordered
    if not tools.searches:
        places = max(MAX_TOOLS - len(tools.kept), 0)
        return [
            *tools.kept,
            *(form.tool for form in choose_unsearched(tools.others, max(room, 0), places).steady),
        ]
    places = MAX_TOOLS - len(tools.kept) - len(tools.searches)
    left = room - tools.searches_tokens - _TOLD_TOKENS * len(tools.searches)
    chosen = choose(tools.others, found, max(left, 0), max(places, 0))
    # First what is the same in every turn: providers remember what a prompt begins with.
    is_needed = len(chosen.names) < len(tools.others) or not chosen.is_whole
    told = [_telling(tool, tools.others, chosen) for tool in tools.searches] if is_needed else []
    return [*tools.kept, *told, *(form.tool for form in (*chosen.steady, *chosen.found))]


def _telling(search: ToolSpec, others: Sequence[Forms], chosen: Chosen) -> ToolSpec:
    """A search that says what it can find. It says the same whatever was found before."""
    tools = (forms[0].tool for forms in others)
    hidden = Counter(tool.source for tool in tools if tool.name not in chosen.names)
    if not hidden:
        return search
    sources = ", ".join(f"{source} ({number})" for source, number in sorted(hidden.items()))
    told = f"{hidden.total()} tools are not listed here, of: {sources}"
    if len(told) > _TOLD_CHARACTERS:
        told = f"{told[:_TOLD_CHARACTERS].rpartition(',')[0]}, ..."
    return replace(search, description=f"{search.description} {told}.")
