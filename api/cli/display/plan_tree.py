"""The nodes of a plan as a tree: each stands below the one that it waits for longest."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from api.cli.display.frames import LINE_CHARACTERS, line
from api.cli.display.glyphs import UNICODE, Glyphs, style_of
from api.cli.terminal import safe_line
from workflows.definitions.plan import Node
from workflows.definitions.plan_checking import dependencies_of
from workflows.open_values import Unknown
from workflows.states import Status

_TITLE_CHARACTERS = 48
_NAME_COLUMNS = 40
# What is deeper stands at the margin again, so that a long chain does not leave the terminal.
_LEVELS = 8


@dataclass(frozen=True, slots=True)
class TreeNode:
    """``took`` is how long it has run so far, as text. ``is_out``: the plan goes on without it."""

    id: str
    title: str = ""
    kind: str = ""
    depends_on: Collection[str] = ()
    status: Status | Unknown = Status.PENDING
    took: str = ""
    note: str = ""
    is_out: bool = False

    @classmethod
    def of(cls, node: Node) -> "TreeNode":
        """A node that is yet to be approved."""
        return cls(node.id, node.title, node.kind.value, dependencies_of(node))


def tree_lines(
    nodes: Sequence[TreeNode],
    glyphs: Glyphs = UNICODE,
    *,
    seconds: float = 0.0,
    indent: str = "  ",
    most_lines: int | None = None,
) -> Iterator[Text]:
    """A line for each node. Where there is room for ``most_lines`` only, those that are done give
    way first, then those that have not begun. Running signs turn as the ``seconds`` pass."""
    places = list(_places(nodes, glyphs))
    width = max((_columns(place.branch, place.node) for place in places), default=0)
    kept = _kept(places, most_lines)
    for place in kept:
        yield _line(place, glyphs, seconds, indent, min(width, _NAME_COLUMNS))
    if (hidden := len(places) - len(kept)) and most_lines:
        yield line((f"{indent}and {hidden} more", "dim"))


@dataclass(frozen=True, slots=True)
class _Place:
    """``branch`` leads to the node from above; ``others`` are nodes that it waits for beside the
    one that it stands below, and what that waits for itself."""

    node: TreeNode
    branch: str
    others: Sequence[str]


def _places(nodes: Sequence[TreeNode], glyphs: Glyphs) -> Iterator[_Place]:
    by_id = {node.id: node for node in nodes}
    parents, implied = _parents(by_id), _implied(by_id)
    below: dict[str | None, list[TreeNode]] = {}
    for node in by_id.values():
        below.setdefault(parents[node.id], []).append(node)

    def placed(parent: str | None, lead: str) -> Iterator[_Place]:
        children = below.get(parent, [])
        for node in children:
            is_last = node is children[-1]
            is_root = parent is None
            branch = "" if is_root else lead + (glyphs.last_branch if is_last else glyphs.branch)
            awaited = [name for name in by_id if name in node.depends_on]
            known = set().union(*(implied[name] for name in awaited))
            others = [name for name in awaited if name != parent and name not in known]
            yield _Place(node, branch, others)
            more = "" if is_root else glyphs.no_branch if is_last else glyphs.past_branch
            yield from placed(node.id, lead + more)

    return placed(None, "")


def _implied(by_id: Mapping[str, TreeNode]) -> Mapping[str, frozenset[str]]:
    """All that each node waits for, near and far, but for itself."""
    found: dict[str, frozenset[str]] = dict.fromkeys(by_id, frozenset())
    for _ in by_id:
        before = dict(found)
        for name, node in by_id.items():
            near = frozenset(other for other in node.depends_on if other in by_id)
            found[name] = near.union(*(found[other] for other in near)) - {name}
        if found == before:
            break
    return found


def _parents(by_id: dict[str, TreeNode]) -> Mapping[str, str | None]:
    """Below whom each node stands: what it waits for that is deepest itself, and comes last."""
    levels = dict.fromkeys(by_id, 0)
    for _ in by_id:  # No path is longer; and nodes in a circle, which nobody should send, end too.
        for name, node in by_id.items():
            awaited = [levels[other] + 1 for other in node.depends_on if other in by_id]
            levels[name] = min(max(awaited, default=0), len(by_id))
    parents: dict[str, str | None] = {}
    for name, node in by_id.items():
        known = [other for other in reversed(by_id) if other in node.depends_on]
        nearest = max(known, key=lambda other: levels[other], default=None)
        is_below = nearest is not None and levels[nearest] < levels[name]
        parents[name] = nearest if is_below and levels[name] % _LEVELS else None
    return parents


def _kept(places: Sequence[_Place], most_lines: int | None) -> Sequence[_Place]:
    if most_lines is None or len(places) <= most_lines:
        return places
    ranks: Mapping[Status | Unknown, int] = {Status.COMPLETED: 2, Status.PENDING: 1}
    order = [ranks.get(place.node.status, 0) for place in places]
    ranked = sorted(range(len(places)), key=order.__getitem__)
    chosen = set(ranked[: max(0, most_lines - 1)])
    return [place for at, place in enumerate(places) if at in chosen]


def _line(place: _Place, glyphs: Glyphs, seconds: float, indent: str, columns: int) -> Text:
    node = place.node
    style = "dim" if node.is_out else style_of(node.status)
    name = safe_line(node.id, LINE_CHARACTERS)
    padding = " " * max(0, columns - _columns(place.branch, node))
    about = [safe_line(node.title, _TITLE_CHARACTERS)]
    if node.kind not in ("", "agent"):
        about.append(safe_line(node.kind, LINE_CHARACTERS))
    if place.others:
        after = ", ".join(place.others)
        about.append(safe_line(f"{'also ' if place.branch else ''}after {after}", LINE_CHARACTERS))
    if node.took:
        about.append(node.took)
    return line(
        (f"{indent}{place.branch}", "dim"),
        (f"{glyphs.of(node.status, seconds)} ", style),
        (name, "dim" if node.is_out or node.status is Status.PENDING else "bold"),
        (f"{padding}  {glyphs.between.join(filter(None, about))}", "dim"),
        (f"  {_note(node)}" if _note(node) else "", "dim" if node.is_out else "yellow"),
    )


def _note(node: TreeNode) -> str:
    if node.is_out:
        return "left out when the plan was revised"
    return safe_line(node.note, LINE_CHARACTERS)


def _columns(branch: str, node: TreeNode) -> int:
    return Text(f"{branch}{safe_line(node.id, LINE_CHARACTERS)}").cell_len
