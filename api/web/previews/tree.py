"""JSON as a tree that unfolds."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import islice

from markupsafe import Markup

from api.web.text.visible import visible

MAX_NODES = 3_000
MAX_CHILDREN = 200  # Of one node.
MAX_DEPTH = 20
MAX_TEXT = 1_000
_OPEN_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Tree:
    html: Markup
    note: str


def tree_of(text: str) -> Tree | None:
    """The tree of a document; None when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    drawing = _Drawing()
    # Everything in it was escaped.
    html = Markup(f'<ul class="tree">{"".join(drawing.node("", value, 0))}</ul>')  # noqa: S704
    return Tree(
        html, "Parts of it are left out here: the download has them." if drawing.is_cut else ""
    )


class _Drawing:
    def __init__(self) -> None:
        self._left = MAX_NODES
        self.is_cut = False

    def node(self, name: str, value: object, depth: int) -> Iterator[str]:
        self._left -= 1
        if not isinstance(value, dict | list) or not value:
            yield f"<li>{_name(name)}{_leaf(value)}</li>"
            return
        is_open = " open" if depth < _OPEN_DEPTH else ""
        yield f"<li><details{is_open}><summary>{_name(name)}{_size(value)}</summary><ul>"
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in islice(items, MAX_CHILDREN):
            if self._left <= 0 or depth >= MAX_DEPTH:
                break
            yield from self.node(str(key), item, depth + 1)
        yield f"{self._rest(value, depth)}</ul></details></li>"

    def _rest(self, value: dict[str, object] | list[object], depth: int) -> str:
        if len(value) <= MAX_CHILDREN and self._left > 0 and depth < MAX_DEPTH:
            return ""
        self.is_cut = True
        return '<li class="soft">…</li>'


def _size(value: dict[str, object] | list[object]) -> str:
    sign, word = ("{}", "field") if isinstance(value, dict) else ("[]", "item")
    count = len(value)
    return f'<span class="soft">{sign[0]}{count} {word}{"" if count == 1 else "s"}{sign[1]}</span>'


def _name(name: str) -> str:
    return f'<bdi class="code-name">{_shown(name)}</bdi>: ' if name else ""


def _leaf(value: object) -> str:
    if isinstance(value, str):
        return f'<bdi class="code-string">&quot;{_shown(value)}&quot;</bdi>'
    kind = "constant" if value is None or isinstance(value, bool) else "number"
    return f'<span class="code-{kind}">{_shown(json.dumps(value))}</span>'


def _shown(text: str) -> str:
    return escape(visible(f"{text[:MAX_TEXT]}…" if len(text) > MAX_TEXT else text))
