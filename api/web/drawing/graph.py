"""The nodes of a plan, or the steps of a pipeline, and what waits for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from api.web.drawing.layers import BOX_HEIGHT, BOX_WIDTH, Layout, Line, Point, layout
from api.web.drawing.svg import number
from api.web.drawing.words import cut, link_to, seconds_between
from api.web.filters import colour_of, duration, sign_of
from api.wire.responses.plans import PlanOfTask
from api.wire.responses.tasks import SubTask
from workflows.open_values import Unknown
from workflows.states import Status

_MARGIN = 6
_NAME_COLUMNS = 24
_TITLE_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class Node:
    """``key`` is unique, and how ``?step=`` names it. A node ``is_out`` of the plan by now."""

    key: str
    name: str
    status: Status | Unknown
    waits_for: Sequence[str] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_out: bool = False
    items: str = ""


def nodes_of_plan(plan: PlanOfTask) -> Sequence[Node]:
    return [
        Node(
            node.id,
            node.title or node.id,
            node.status,
            node.depends_on,
            node.started_at,
            node.finished_at,
            is_out=node.is_out,
        )
        for node in plan.nodes
    ]


def nodes_of_pipeline(sub_tasks: Sequence[SubTask]) -> Sequence[Node]:
    """Where steps do not say for which others they wait, they run one after the other. Items are
    counted with their step."""
    steps = [step for step in sub_tasks if step.item_of is None]
    is_list = not any(step.dependencies for step in steps)
    before = [[], *([step.name] for step in steps[:-1])] if is_list else []
    return [
        Node(
            step.name,
            step.name,
            step.status,
            before[number] if is_list else step.dependencies,
            step.started_at,
            step.finished_at,
            items=f"{step.items.completed}/{step.items.total}" if step.items else "",
        )
        for number, step in enumerate(steps)
    ]


def graph(nodes: Sequence[Node], now: datetime, selected: str | None = None) -> Markup:
    """The picture, from top to bottom; a click on a node selects it."""
    numbers = {node.key: number for number, node in enumerate(nodes)}
    edges = [
        (numbers[before], number)
        for number, node in enumerate(nodes)
        for before in sorted(set(node.waits_for))
        if before in numbers
    ]
    placed = layout(len(nodes), edges)
    lines = Markup("").join(_edge(line, nodes) for line in placed.lines)
    boxes = Markup("").join(
        _box(node, at, now, is_selected=node.key == selected)
        for node, at in zip(nodes, placed.boxes, strict=True)
    )
    return _frame(placed, len(nodes), lines + boxes)


def _frame(placed: Layout, count: int, drawn: Markup) -> Markup:
    width, height = placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    return Markup(
        '<svg class="graph" role="group" aria-label="{}" width="{}" height="{}"'
        ' viewBox="{} {} {} {}">{}</svg>'
    ).format(
        f"Graph of {count} {'node' if count == 1 else 'nodes'}",
        *map(number, (width, height, -_MARGIN, -_MARGIN, width, height)),
        drawn,
    )


def _box(node: Node, at: Point, now: datetime, *, is_selected: bool) -> Markup:
    classes = ["node", colour_of(node.status)]
    classes += ["is-out"] * node.is_out + ["is-selected"] * is_selected
    state = _state(node, now)
    return Markup(
        '<a class="{}" href="{}"{}><title>{}</title>'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="8"/>'
        '<text class="node-name" x="{}" y="{}" unicode-bidi="isolate">{}</text>'
        '<text class="node-state" x="{}" y="{}"><tspan class="sign">{}</tspan> {}</text></a>'
    ).format(
        " ".join(classes),
        link_to(node.key),
        Markup(' aria-current="true"') if is_selected else "",
        f"{cut(node.name, _TITLE_COLUMNS)}: {state}",
        *map(number, (at.x, at.y, BOX_WIDTH, BOX_HEIGHT)),
        *map(number, (at.x + 14, at.y + 22)),
        cut(node.name, _NAME_COLUMNS),
        *map(number, (at.x + 14, at.y + 41)),
        sign_of(node.status),
        state,
    )


def _state(node: Node, now: datetime) -> str:
    words = cut("left out" if node.is_out else node.status.value, 16)
    if node.items:
        words += f" {node.items}"
    if node.started_at is None:
        return words
    return f"{words} · {duration(seconds_between(node.started_at, node.finished_at or now))}"


def _edge(line: Line, nodes: Sequence[Node]) -> Markup:
    """Lines through the layers, curves between them. What is done leads on to what is next."""
    classes = ["edge"]
    if nodes[line.source].status is Status.COMPLETED:
        classes.append("is-done")
    if nodes[line.source].is_out or nodes[line.target].is_out:
        classes.append("is-out")
    first, *rest = line.points
    drawn = [f"M{number(first.x)} {number(first.y)}"]
    at = first
    for point in rest:
        drawn.append(_curve(at, point))
        at = point
    tip = f"M{number(at.x - 4)} {number(at.y - 6)}l4 6l4 -6"
    return Markup('<path class="{}" d="{}{}"/>').format(" ".join(classes), "".join(drawn), tip)


def _curve(start: Point, end: Point) -> str:
    if start.x == end.x:
        return f"V{number(end.y)}"
    middle = (start.y + end.y) / 2
    numbers = (start.x, middle, end.x, middle, end.x, end.y)
    return "C" + " ".join(map(number, numbers))
