"""A plan at work, on a terminal and elsewhere."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.text import Text

from api.cli.display import plan_frames
from api.cli.display.agent_displays import PlainTurns
from api.cli.display.amounts import counted, duration, seconds_between
from api.cli.display.glyphs import glyphs_of
from api.cli.display.moving_picture import MovingPicture, now
from api.cli.display.plan_progress import MAKE_PLAN, PlanProgress, shortened
from api.cli.display.progress import StepProgress
from workflows import events
from workflows.events import Event, PlannedNode


class MovingPlan(MovingPicture):
    """All nodes are in sight, with the states that they are in."""

    def __init__(self, task: PlanProgress, console: Console) -> None:
        self._plan = task
        super().__init__(task, console)

    def last(self) -> Group:
        tree = plan_frames.tree_of(self._plan, now(), self.glyphs)
        return Group(*tree, Text(), self._summary())

    def _summary(self) -> Group:
        return plan_frames.summary(self._plan, now(), self.glyphs, width=self._console.width)

    def _frame(self, height_lines: int | None) -> Group:
        return plan_frames.frame(
            self._plan,
            now(),
            self.glyphs,
            width=self._console.width,
            height_lines=height_lines,
        )


class PlainPlan(PlainTurns):
    """One line for each node that is planned, begins or ends, and for what the planner says."""

    def __init__(self, task: PlanProgress, console: Console) -> None:
        super().__init__(task, console)
        self._plan = task
        self._opened = events.PlanOpened(nodes=())

    def _take(self, event: Event, step: StepProgress | None, at: datetime) -> None:
        if isinstance(event, events.ApprovalAsked) and plan_frames.nodes_in(event.arguments):
            self._print_asked(event, at)
            return
        if isinstance(event, events.ToolCalled) and event.tool == MAKE_PLAN:
            return  # Its nodes get lines of their own.
        super()._take(shortened(event), step, at)
        for text in _lines_of(event, self._opened, self._plan, at):
            self._print_timed(text, at)
        if isinstance(event, events.PlanOpened):
            self._opened = event

    def summary(self, now: datetime) -> RenderableType:
        console = self._console
        return plan_frames.summary(self._plan, now, glyphs_of(console), width=console.width)

    def _print_asked(self, event: events.ApprovalAsked, at: datetime) -> None:
        nodes = plan_frames.nodes_in(event.arguments)
        what = counted(len(nodes), "node")
        self._print_timed(f"{event.step}: waiting for you to approve {what}", at)
        for text in plan_frames.asked_lines(self._plan, event, at, glyphs_of(self._console)):
            self._console.print(text, soft_wrap=True)


def _lines_of(
    event: Event, before: events.PlanOpened, plan: PlanProgress, at: datetime
) -> Iterator[str]:
    match event:
        case events.PlanOpened() if before.nodes and event.seq > before.seq:
            yield from _revision_lines(before.nodes, event.nodes)
        case events.PlanOpened():
            yield f"plan: {counted(len(event.nodes), 'node')}"
            yield from map(_planned, event.nodes)
        case events.NodeStarted():
            yield f"{event.node}: started"
        case events.NodeEnded():
            known = plan.nodes[event.node]
            took = duration(seconds_between(known.started_at, at))
            reason = f": {event.error.message}" if event.error else ""
            yield f"{event.node}: {event.status.value} after {took}{reason}"
        case _:
            pass


def _revision_lines(before: Sequence[PlannedNode], after: Sequence[PlannedNode]) -> Iterator[str]:
    """What a revision has changed. What a node is told to do is not known here."""
    known, kept = {node.id: node for node in before}, {node.id for node in after}
    added = [node for node in after if node.id not in known]
    rewired = [node for node in after if known.get(node.id, node) != node]
    dropped = [node.id for node in before if node.id not in kept]
    changes = {
        "added": [node.id for node in added],
        "dropped": dropped,
        "rewired": [node.id for node in rewired],
    }
    said = [f"{what} {', '.join(names)}" for what, names in changes.items() if names]
    yield f"plan revised: {'; '.join(said) or 'the same nodes'}"
    yield from map(_planned, [*added, *rewired])


def _planned(node: PlannedNode) -> str:
    after = f", after {', '.join(node.depends_on)}" if node.depends_on else ""
    return f"plan: {node.id} ({node.kind or 'agent'}){after}: {node.title}"
