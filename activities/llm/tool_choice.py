"""Which tools of others a model is shown, in which form, when there is no room for all of them."""

import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from activities.llm.tool_forms import Form

# Where tools are left to a search, this share of their room, at least so many tokens and so many
# places are kept for those that are found. So the others stay as they are when one is, and so do
# the providers' caches of them.
FOUND_SHARE = 0.3
FOUND_TOKENS = 300
FOUND_PLACES = 16

# What a tool is shortened to, in tokens, before any is left to a search.
SHORT_TOKENS = 200

Forms = tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """``steady`` are shown whatever was found, but for those of them that ``found`` has in more
    words. ``names`` are all of the steady ones."""

    steady: Sequence[Form]
    found: Sequence[Form]
    names: Collection[str]

    @property
    def is_whole(self) -> bool:
        """Whether every argument is in it of every tool that is shown."""
        return not any(form.is_partial for form in (*self.steady, *self.found))


def choose(tools: Sequence[Forms], found: Sequence[str], tokens: int, places: int) -> Chosen:
    """Show tools in at most ``tokens`` and ``places``: all of them in shorter forms, or else some.

    ``found`` are the names of those that the model has looked for or called, the latest last.
    """
    least = sum(forms[-1].tokens for forms in tools)
    if len(tools) <= places and least <= tokens:
        chosen = _chosen(_all(tools, tokens))
        if chosen.is_whole:
            return chosen
    free = max(tokens - max(round(tokens * FOUND_SHARE), FOUND_TOKENS), 0)
    if len(tools) <= places and least <= free:
        steady = _all(tools, free)
    else:
        steady = _some(tools, free, max(places - FOUND_PLACES, 0))
    left = tokens - sum(form.tokens for form in steady)
    return _chosen(steady, _found(tools, found, {form.tool.name: form for form in steady}, left))


def choose_unsearched(tools: Sequence[Forms], tokens: int, places: int) -> Chosen:
    """Show as many tools as there are ``places``, for what is not shown cannot be called; in at
    most ``tokens`` where shorter forms allow that."""
    if len(tools) > places:
        listed = {form.tool.name for form in _some(tools, sys.maxsize, places)}
        tools = [forms for forms in tools if forms[0].tool.name in listed]
    return _chosen(_all(tools, tokens))


def _chosen(steady: Sequence[Form], found: Sequence[Form] = ()) -> Chosen:
    replaced = {form.tool.name for form in found}
    return Chosen(
        tuple(form for form in steady if form.tool.name not in replaced),
        found,
        frozenset(form.tool.name for form in steady),
    )


def _all(tools: Sequence[Forms], tokens: int) -> Sequence[Form]:
    """Every tool, the largest ones shortened first, and as little as will do."""
    bounds = sorted({form.tokens for forms in tools for form in forms})

    def total(bound: int) -> int:
        return sum(_within(forms, bound).tokens for forms in tools)

    # Totals grow with the bound, so the last one that fits can be searched by halves.
    place = bisect_right(bounds, tokens, key=total)
    chosen = [_within(forms, bounds[place - 1] if place else 0) for forms in tools]
    left = tokens - sum(form.tokens for form in chosen)
    # Tools that are alike reach the next bound together, or not at all: some of them can.
    for number, forms in enumerate(tools):
        longer = _within(
            forms, min(bounds[min(place, len(bounds) - 1)], chosen[number].tokens + left)
        )
        left -= longer.tokens - chosen[number].tokens
        chosen[number] = longer
    return tuple(chosen)


def _within(forms: Forms, tokens: int) -> Form:
    """The first form of at most ``tokens``; the shortest where none is."""
    return next((form for form in forms if form.tokens <= tokens), forms[-1])


def _some(tools: Sequence[Forms], tokens: int, places: int) -> Sequence[Form]:
    """One tool of each source in turn: a large server leaves room for a small one."""
    by_source: defaultdict[str | None, list[Forms]] = defaultdict(list)
    for forms in tools:
        by_source[forms[0].tool.source].append(forms)
    shown: dict[str, Form] = {}
    for turn in zip_longest(*by_source.values()):
        for forms in filter(None, turn):
            form = _within(forms, SHORT_TOKENS)
            if len(shown) < places and form.tokens <= tokens:
                tokens -= form.tokens
                shown[form.tool.name] = form
    return tuple(shown[name] for forms in tools if (name := forms[0].tool.name) in shown)


def _found(
    tools: Sequence[Forms], found: Sequence[str], shown: dict[str, Form], left: int
) -> Sequence[Form]:
    """What was found last, in up to half of what is left each; in the order of ``tools``."""
    by_name = {forms[0].tool.name: forms for forms in tools}
    chosen: dict[str, Form] = {}
    for name in reversed(found):
        forms = by_name.get(name)
        if forms is None or name in chosen or len(chosen) == FOUND_PLACES:
            continue
        shown_tokens = shown[name].tokens if name in shown else 0
        room = left + shown_tokens
        form = _within(forms, room // 2)
        if shown_tokens < form.tokens <= room and (name not in shown or shown[name].is_partial):
            chosen[name] = form
            left = room - form.tokens
    return tuple(chosen[name] for name in by_name if name in chosen)
