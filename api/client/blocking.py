"""The client for programs that are not asynchronous: each call of the other, made on its loop.

A line for each says that there is one, so that editors and type checkers know it with its
parameters; a test compares the two.
"""

from types import TracebackType
from typing import Self

from api.client.agent_memory import AgentMemory as AsyncAgentMemory
from api.client.agent_streams import AgentStreams as AsyncAgentStreams
from api.client.agents import Agents as AsyncAgents
from api.client.blocking_calls import Blocking, Iterating
from api.client.client import AsyncClient
from api.client.groups import Groups as AsyncGroups
from api.client.loop_thread import LoopThread
from api.client.many_tasks import ManyTasks as AsyncManyTasks
from api.client.overview import Overview as AsyncOverview
from api.client.reminders import Reminders as AsyncReminders
from api.client.transport import ANSWER_TIMEOUT_SECONDS, PATIENCE_SECONDS
from api.client.uploads import Uploads as AsyncUploads


class Agents:
    """As those of ``AsyncClient``."""

    def __init__(self, inner: AsyncAgents, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    create = Blocking(AsyncAgents.create)
    list = Blocking(AsyncAgents.list)
    find_id = Blocking(AsyncAgents.find_id)
    show = Blocking(AsyncAgents.show)
    children = Blocking(AsyncAgents.children)
    change = Blocking(AsyncAgents.change)
    pause = Blocking(AsyncAgents.pause)
    resume = Blocking(AsyncAgents.resume)
    restart = Blocking(AsyncAgents.restart)
    interrupt = Blocking(AsyncAgents.interrupt)
    terminate = Blocking(AsyncAgents.terminate)
    delete = Blocking(AsyncAgents.delete)
    send = Blocking(AsyncAgents.send)
    messages = Blocking(AsyncAgents.messages)
    message = Blocking(AsyncAgents.message)
    withdraw = Blocking(AsyncAgents.withdraw)
    templates = Blocking(AsyncAgents.templates)
    template = Blocking(AsyncAgents.template)
    set_template = Blocking(AsyncAgents.set_template)
    delete_template = Blocking(AsyncAgents.delete_template)


class AgentMemory:
    """As those of ``AsyncClient``."""

    def __init__(self, inner: AsyncAgentMemory, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    notes = Blocking(AsyncAgentMemory.notes)
    write = Blocking(AsyncAgentMemory.write)
    delete = Blocking(AsyncAgentMemory.delete)
    summaries = Blocking(AsyncAgentMemory.summaries)


class AgentStreams:
    """As those of ``AsyncClient``."""

    def __init__(self, inner: AsyncAgentStreams, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    of_agent = Iterating(AsyncAgentStreams.of_agent)
    of_team = Iterating(AsyncAgentStreams.of_team)


class Groups:
    """As those of ``AsyncClient``."""

    def __init__(self, inner: AsyncGroups, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    list = Blocking(AsyncGroups.list)
    get = Blocking(AsyncGroups.get)
    create = Blocking(AsyncGroups.create)
    change = Blocking(AsyncGroups.change)
    delete = Blocking(AsyncGroups.delete)
    add = Blocking(AsyncGroups.add)
    remove = Blocking(AsyncGroups.remove)
    post = Blocking(AsyncGroups.post)
    discuss = Blocking(AsyncGroups.discuss)
    messages = Blocking(AsyncGroups.messages)
    events = Iterating(AsyncGroups.events)


class Reminders:
    """As those of ``AsyncClient``."""

    def __init__(self, inner: AsyncReminders, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    create = Blocking(AsyncReminders.create)
    list = Blocking(AsyncReminders.list)
    cancel = Blocking(AsyncReminders.cancel)


class Uploads:
    """As those of ``AsyncClient``."""

    def __init__(self, inner: AsyncUploads, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    list = Blocking(AsyncUploads.list)
    describe = Blocking(AsyncUploads.describe)
    download = Blocking(AsyncUploads.download)
    delete = Blocking(AsyncUploads.delete)


class ManyTasks:
    """As that of ``AsyncClient``."""

    def __init__(self, inner: AsyncManyTasks, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    start = Blocking(AsyncManyTasks.start)
    foresee = Blocking(AsyncManyTasks.foresee)


class Overview:
    """As that of ``AsyncClient``."""

    def __init__(self, inner: AsyncOverview, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    about = Blocking(AsyncOverview.about)
    readiness = Blocking(AsyncOverview.readiness)
    counts = Blocking(AsyncOverview.counts)
    waiting = Blocking(AsyncOverview.waiting)


class Client:
    """``with Client(url, api_key) as client: ...``; for the rest see ``AsyncClient``.

    It may be used by several threads, and where an event loop runs, which its calls then hold up.
    A process that is forked makes one of its own. ``on_lost`` is called on the client's thread, so
    it cannot call the client. Where that cannot be, ``ClientUnusable`` is raised.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = ANSWER_TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._inner = AsyncClient(
            url,
            api_key,
            timeout_seconds=timeout_seconds,
            patience_seconds=patience_seconds,
        )
        self._loop = LoopThread(self._inner.close)
        self.agents = Agents(self._inner.agents, self._loop)
        self.reminders = Reminders(self._inner.reminders, self._loop)
        self.memory = AgentMemory(self._inner.memory, self._loop)
        self.groups = Groups(self._inner.groups, self._loop)
        self.agent_events = AgentStreams(self._inner.agent_events, self._loop)
        self.uploads = Uploads(self._inner.uploads, self._loop)
        self.many_tasks = ManyTasks(self._inner.many_tasks, self._loop)
        self.overview = Overview(self._inner.overview, self._loop)

    def close(self) -> None:
        """Close the connections. Nothing can be asked for afterwards, and calls that other threads
        wait for end with ``ClientUnusable``."""
        self._loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    submit_pipeline = Blocking(AsyncClient.submit_pipeline)
    submit_agent = Blocking(AsyncClient.submit_agent)
    submit_plan = Blocking(AsyncClient.submit_plan)
    submit_auto = Blocking(AsyncClient.submit_auto)

    submit = Blocking(AsyncClient.submit)
    tasks = Blocking(AsyncClient.tasks)
    task = Blocking(AsyncClient.task)
    plan = Blocking(AsyncClient.plan)
    cancel = Blocking(AsyncClient.cancel)
    delete = Blocking(AsyncClient.delete)
    pause = Blocking(AsyncClient.pause)
    resume = Blocking(AsyncClient.resume)
    retry = Blocking(AsyncClient.retry)
    rerun = Blocking(AsyncClient.rerun)
    check = Blocking(AsyncClient.check)
    check_rerun = Blocking(AsyncClient.check_rerun)
    foresee_retry = Blocking(AsyncClient.foresee_retry)
    compile = Blocking(AsyncClient.compile)
    events = Iterating(AsyncClient.events)

    wait = Blocking(AsyncClient.wait)
    result = Blocking(AsyncClient.result)
    download_artifacts = Blocking(AsyncClient.download_artifacts)

    attempts = Blocking(AsyncClient.attempts)
    trace = Blocking(AsyncClient.trace)
    messages = Blocking(AsyncClient.messages)
    tell = Blocking(AsyncClient.tell)
    unread = Blocking(AsyncClient.unread)
    inputs = Blocking(AsyncClient.inputs)
    compare = Blocking(AsyncClient.compare)
    export = Blocking(AsyncClient.export)
    approvals = Blocking(AsyncClient.approvals)
    approve = Blocking(AsyncClient.approve)
    deny = Blocking(AsyncClient.deny)
    decide = Blocking(AsyncClient.decide)
    artifacts = Blocking(AsyncClient.artifacts)

    upload = Blocking(AsyncClient.upload)
    describe_artifact = Blocking(AsyncClient.describe_artifact)
    download = Blocking(AsyncClient.download)

    dead_letters = Blocking(AsyncClient.dead_letters)
    dead_letter_groups = Blocking(AsyncClient.dead_letter_groups)
    dead_letter = Blocking(AsyncClient.dead_letter)
    requeue = Blocking(AsyncClient.requeue)
    foresee_requeue = Blocking(AsyncClient.foresee_requeue)
    discard = Blocking(AsyncClient.discard)

    requeue_many = Blocking(AsyncClient.requeue_many)
    discard_many = Blocking(AsyncClient.discard_many)
    foresee_many = Blocking(AsyncClient.foresee_many)
    bulk_runs = Blocking(AsyncClient.bulk_runs)
    bulk_run = Blocking(AsyncClient.bulk_run)
    abort_bulk = Blocking(AsyncClient.abort_bulk)

    schedules = Blocking(AsyncClient.schedules)
    schedule = Blocking(AsyncClient.schedule)
    create_schedule = Blocking(AsyncClient.create_schedule)
    change_schedule = Blocking(AsyncClient.change_schedule)
    run_schedule = Blocking(AsyncClient.run_schedule)
    delete_schedule = Blocking(AsyncClient.delete_schedule)

    webhooks = Blocking(AsyncClient.webhooks)
    create_webhook = Blocking(AsyncClient.create_webhook)
    change_webhook = Blocking(AsyncClient.change_webhook)
    delete_webhook = Blocking(AsyncClient.delete_webhook)
    create_callback_secret = Blocking(AsyncClient.create_callback_secret)
    deliveries = Blocking(AsyncClient.deliveries)
    resend = Blocking(AsyncClient.resend)

    tools = Blocking(AsyncClient.tools)
    register_tools = Blocking(AsyncClient.register_tools)
    remove_tools = Blocking(AsyncClient.remove_tools)
    change_tool = Blocking(AsyncClient.change_tool)
    cache = Blocking(AsyncClient.cache)
    clear_cache = Blocking(AsyncClient.clear_cache)
    breakers = Blocking(AsyncClient.breakers)
    open_breaker = Blocking(AsyncClient.open_breaker)
    close_breaker = Blocking(AsyncClient.close_breaker)
    skills = Blocking(AsyncClient.skills)
    skill = Blocking(AsyncClient.skill)

    housekeeping = Blocking(AsyncClient.housekeeping)
    audit = Blocking(AsyncClient.audit)
    usage = Blocking(AsyncClient.usage)
    limits = Blocking(AsyncClient.limits)
