"""The adapters of a worker, built from their options and given back at the end."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from activities.agents.adapter import Agents
from activities.agents.roles.table import roles_of
from activities.agents.turn import TurnOptions
from activities.attempts.scratch import Scratch
from activities.attempts.scripts import Scripts
from activities.breakers.breakers import Breakers
from activities.breakers.options import BreakerOptions
from activities.equipment import Equipment
from activities.inputs.fetching import Inputs
from activities.inputs.policy import InputPolicy
from activities.kinds.base import Installed
from activities.limits.book import LimitBook
from activities.limits.slots import Slots
from activities.llm.base import ModelOptions
from activities.llm.models import Models
from activities.metrics.numbers import Numbers
from activities.plans.adapter import Nodes, Titles
from activities.reminders.options import ReminderLimits
from activities.residents.adapter import Conversations
from activities.residents.options import ConversationOptions, MemoryOptions, ResidentOptions
from activities.residents.summarising import Summariser
from activities.results.cache import ResultCache
from activities.routes.adapter import Routes
from activities.sandbox.base import Limits, Sandbox
from activities.sandbox.counted import CountedSandbox
from activities.schedules.adapter import Schedules
from activities.skills.catalogue import Catalogue
from activities.skills.environments import Environments
from activities.skills.staging import Stage
from activities.steps.adapter import Steps
from activities.steps.items import Items
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.task_records import Tasks
from activities.tokens import Tokens
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.team_tools import TeamTools
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from activities.tools.searching import WebSearch
from activities.tools.toolbox import Toolbox
from workflows.ports import Port


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """``work_folder`` must be such that the sandbox's user can pass through; ``uv`` is the program
    that installs what scripts need, and ``environment`` that of this process: uv gets of it what it
    needs to reach a package index."""

    worker_id: str
    work_folder: Path
    skill_folders: tuple[Path, ...]
    uv: Path
    limits: Limits
    input_policy: InputPolicy
    environment: Mapping[str, str] = field(repr=False)
    tool_folders: tuple[Path, ...] = ()
    networked_skills: tuple[str, ...] = ()
    python_downloads: bool = False
    models: ModelOptions | None = None
    turns: TurnOptions = field(default_factory=TurnOptions)
    search_url: str | None = None
    public_url: str = ""
    titles: Titles = "prompt"
    breakers: BreakerOptions = field(default_factory=BreakerOptions)
    conversations: ConversationOptions = field(default_factory=ConversationOptions)
    residents: ResidentOptions = field(default_factory=ResidentOptions)
    reminders: ReminderLimits = field(default_factory=ReminderLimits)
    memory: MemoryOptions = field(default_factory=MemoryOptions)
    max_thinking_agents: int | None = None


@asynccontextmanager
async def adapters(
    database: Database,
    blobs: Blobs,
    sandbox: Sandbox,
    mcp: McpPool,
    options: AdapterOptions,
    *,
    numbers: Numbers,
) -> AsyncIterator[Sequence[Port]]:
    """``numbers`` take what this worker counts."""
    registry = Registry(modules(options.tool_folders))
    counted = CountedSandbox(sandbox, numbers)
    async with _equipped(database, blobs, counted, registry, options, numbers=numbers) as equipment:
        has_search, installed = equipment.search is not None, equipment.installed
        toolbox = Toolbox(registry, database, mcp=TeamTools(database, mcp), has_search=has_search)
        yield (
            Steps(equipment, toolbox),
            Items(database),
            Agents(equipment, toolbox, roles_of(equipment, toolbox, installed), options.turns),
            Nodes(equipment, installed, options.titles),
            Routes(installed),
            Schedules(installed, options.titles),
            Conversations(installed, options.conversations, Summariser(equipment, options.memory)),
            Tasks(database),
        )


def _installed(
    database: Database,
    blobs: Blobs,
    catalogue: Catalogue,
    registry: Registry,
    options: AdapterOptions,
) -> Installed:
    return Installed(
        database=database,
        blobs=blobs,
        catalogue=catalogue,
        tools=registry,
        models=options.models,
        inputs=options.input_policy,
        approval_seconds=options.turns.approval_seconds,
        atomicity=options.turns.atomicity,
    )


@asynccontextmanager
async def _equipped(
    database: Database,
    blobs: Blobs,
    sandbox: Sandbox,
    registry: Registry,
    options: AdapterOptions,
    *,
    numbers: Numbers,
) -> AsyncIterator[Equipment]:
    async with AsyncExitStack() as stack:
        scratch = await asyncio.to_thread(Scratch, options.work_folder)
        stack.push_async_callback(asyncio.to_thread, scratch.close)
        catalogue = Catalogue(options.skill_folders)
        tokens = Tokens()
        models = Models(options.models, tokens, numbers) if options.models else None
        if models is not None:
            stack.push_async_callback(models.close)
        limits = options.models.limits if options.models else {}
        book = LimitBook(database, limits, options.max_thinking_agents)
        slots = Slots(database, book, options.worker_id)
        stack.push_async_callback(slots.close)
        search = WebSearch(options.search_url, options.input_policy) if options.search_url else None
        breakers = await stack.enter_async_context(_following(database, options))
        yield Equipment(
            worker_id=options.worker_id,
            database=database,
            blobs=blobs,
            inputs=Inputs(database, blobs, options.work_folder / "inputs", options.input_policy),
            results=ResultCache(database, blobs),
            sandbox=sandbox,
            scripts=_scripts(catalogue, sandbox, options),
            catalogue=catalogue,
            scratch=scratch,
            tokens=tokens,
            breakers=breakers,
            installed=_installed(database, blobs, catalogue, registry, options),
            models=models,
            search=search,
            slots=slots,
            numbers=numbers,
            public_url=options.public_url,
            names_files=options.titles == "prompt",
            residents=options.residents,
            reminders=options.reminders,
        )


@asynccontextmanager
async def _following(database: Database, options: AdapterOptions) -> AsyncIterator[Breakers]:
    """Breakers that hear of those of other workers."""
    breakers = Breakers(database, options.breakers)
    running = asyncio.create_task(breakers.run(), name="breakers")
    try:
        yield breakers
    finally:
        await breakers.close()
        running.cancel()
        await asyncio.wait({running})


def _scripts(catalogue: Catalogue, sandbox: Sandbox, options: AdapterOptions) -> Scripts:
    python = sandbox.python
    environments = Environments(
        options.work_folder,
        python,
        options.uv,
        environment=options.environment,
        downloads=options.python_downloads and sandbox.takes_interpreters,
    )
    return Scripts(
        catalogue,
        Stage(options.work_folder),
        environments,
        python=python,
        limits=options.limits,
        networked=options.networked_skills,
    )
