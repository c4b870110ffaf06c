"""Plans on the terminal."""

from rich.console import Console

from api.cli.commands import agent_options, plan_options
from api.cli.commands.inputs import GivenInputs
from api.cli.commands.request_body import built
from api.cli.display.plan_displays import MovingPlan, PlainPlan
from api.cli.display.plan_progress import PlanProgress
from api.cli.kinds.agent import Prompt
from api.cli.kinds.base import Kind
from api.client import AsyncClient as Client
from api.wire.responses.tasks import AgentResult, Task
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType


class PlanKind(Kind[PlanProgress]):
    task_type = TaskType.PLAN

    def progress(self, task: Task) -> PlanProgress:
        return PlanProgress(
            str(task.task_id), task.name, temporal_url=task.temporal_url, latest_run=task.run
        )

    def picture(self, progress: PlanProgress, console: Console) -> MovingPlan:
        return MovingPlan(progress, console)

    def lines(self, progress: PlanProgress, console: Console) -> PlainPlan:
        return PlainPlan(progress, console)

    async def complete(self, progress: PlanProgress, client: Client) -> None:
        result = (await client.task(progress.task_id)).result
        if isinstance(result, AgentResult):
            progress.summary, progress.result = result.summary, result.result

    @staticmethod
    def request(
        inputs: GivenInputs,
        *,
        text: Prompt,
        atomicity: plan_options.OfAtomicity = None,
        max_nodes: plan_options.MaxNodes = None,
        parallel: plan_options.Parallel = None,
        depth: plan_options.Depth = None,
        replans: plan_options.Replans = None,
        approve: plan_options.Approve = False,
        skills: agent_options.Skills = None,
        tools: agent_options.Tools = None,
        model: agent_options.Model = None,
        schema: agent_options.Schema = None,
        tokens: agent_options.Tokens = None,
        cost: agent_options.Cost = None,
        seconds: agent_options.Seconds = None,
    ) -> TaskRequest:
        """Have a model split a task into nodes that run side by side.

        Skills, tools and model are those of the nodes; limits are those of all of them together.
        """
        plan = plan_options.make_plan(
            agent={"skills": skills, "tools": tools, "model": model},
            limits={"tokens": tokens, "cost_usd": cost, "seconds": seconds},
            atomicity=atomicity,
            max_nodes=max_nodes,
            parallel=parallel,
            depth=depth,
            replans=replans,
            approve=approve,
            output_schema=schema and agent_options.read_schema(schema),
        )
        return built(TaskRequest, {"type": TaskType.PLAN, "prompt": text, "plan": plan})


KIND = PlanKind()
