"""The application: routes, guards before them, and what runs beside them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from fastapi import Depends, FastAPI, Request, Response
from starlette.middleware import Middleware

from api.bulk.engine import BulkEngine
from api.groups.rounds import Rounds
from api.housekeeping.housekeeper import Housekeeper
from api.http import problems
from api.http.calls import documented_api
from api.http.changes import Changes
from api.http.dependencies import known_query
from api.http.document.assembly import Place
from api.http.feeds import Feeds
from api.http.group_stream import GroupFeeds
from api.http.key_ring import KeyRing
from api.http.key_watch import KeyWatch
from api.http.middleware.authentication import Authentication
from api.http.middleware.head import HeadAsGet
from api.http.middleware.limits import BodyLimit, OriginGuard
from api.http.middleware.observer import Observer
from api.http.notifications import Notifications
from api.http.resident_feeds import InboxFeeds, TeamFeeds
from api.http.routes import codec
from api.http.task_stream import NothingMore
from api.http.viewers import Viewers
from api.metrics.metrics import Metrics
from api.metrics.tallying import Tallying
from api.passes import Passes
from api.residents.begun_tasks import BegunTasks
from api.residents.reminding import Reminding
from api.residents.teller import Teller
from api.schedules.syncing import Schedules
from api.services import Services
from api.tasks.calling import Caller
from api.tasks.sweeper import Sweeper
from api.web import routes as pages
from api.web.new_task.sending import PATH as NEW_TASK
from api.web.problem_pages import ProblemPages
from api.web.standing import Standings
from api.web.static_files import ROOT, PageFiles
from api.web.swagger_ui import ROOT as SWAGGER_ROOT
from api.web.swagger_ui import swagger_files
from api.webhooks.sender import Sender
from api.wire.responses.base import API
from workflows.discovery import modules_of


def create_app(services: Services) -> FastAPI:
    """The API over its services. It starts, and accepts tasks, while Temporal is away."""
    keys = KeyRing(services.database, keys_required=services.options.keys_required)
    options = services.options
    app = documented_api(
        Place(keys_required=options.keys_required, url=options.public_url),
        dependencies=[Depends(known_query)],
        lifespan=_lifespan,
        middleware=_layers(services, keys),
    )
    app.state.services = services
    app.state.metrics = Metrics(services)
    app.state.keys = keys
    app.state.notifications = Notifications(services.database.url)
    app.state.changes = changes = Changes(services.database, app.state.notifications)
    app.state.standings = Standings(services, changes)
    for name, kind in (
        ("feeds", Feeds),
        ("inboxes", InboxFeeds),
        ("team_feeds", TeamFeeds),
        ("group_feeds", GroupFeeds),
    ):
        feeds = kind(
            services.database,
            app.state.notifications,
            heartbeat_seconds=services.options.heartbeat_seconds,
        )
        setattr(app.state, name, feeds)
    app.state.key_watch = KeyWatch(services.database)
    app.state.viewers = Viewers(
        most=services.options.max_viewers, most_per_team=services.options.max_viewers_per_team
    )
    problems.install(app)
    app.add_exception_handler(NothingMore, _on_nothing_more)
    for module in modules_of(pages):
        module.router.add_to(app)
    app.mount(ROOT, PageFiles(), name="static")
    app.mount(SWAGGER_ROOT, swagger_files(), name="swagger-ui")
    return app


def _layers(services: Services, keys: KeyRing) -> list[Middleware]:
    """From the outside in."""
    options = services.options
    layers = [Middleware(Observer, numbers=services.numbers), Middleware(ProblemPages)]
    if not options.keys_required:
        pages = {codec.PREFIX: options.temporal_ui_origins}
        guard = Middleware(OriginGuard, served_hosts=options.served_hosts, pages=pages)
        layers.append(guard)
    layers.append(
        Middleware(
            Authentication,
            keys=keys,
            open_loopback=options.open_loopback,
            metrics_token=options.metrics_token,
        )
    )
    layers.append(
        Middleware(
            BodyLimit,
            max_body_bytes=options.max_body_bytes,
            upload_paths=(f"{API}/files", NEW_TASK),
            max_upload_bytes=options.max_upload_bytes,
        )
    )
    layers.append(Middleware(HeadAsGet))
    return layers


def _passes(services: Services, changes: Changes) -> Sequence[Passes]:
    """What goes on beside the answers."""
    return (
        Sweeper(services).passes,
        Schedules(services).passes,
        BulkEngine(services).passes,
        Caller(services).passes,
        Housekeeper(services).passes,
        BegunTasks(services, changes).passes,
        Reminding(services).passes,
        Rounds(services).passes,
        Tallying(services).passes,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    notifications: Notifications = app.state.notifications
    teller = Teller(app.state.services, notifications)
    beside = [
        asyncio.create_task(notifications.run(), name="notifications"),
        asyncio.create_task(app.state.changes.run(), name="changes"),
        asyncio.create_task(app.state.standings.run(), name="standings"),
        asyncio.create_task(app.state.key_watch.run(), name="keys"),
        asyncio.create_task(app.state.metrics.process.run(), name="metrics"),
        asyncio.create_task(Sender(app.state.services).run(), name="webhooks"),
        asyncio.create_task(teller.run(), name="teller"),
        *(
            asyncio.create_task(each.run(), name=each.name)
            for each in _passes(app.state.services, app.state.changes)
        ),
    ]
    try:
        yield
    finally:
        notifications.close()
        app.state.changes.close()
        for task in beside:
            task.cancel()
        for task in beside:
            with suppress(asyncio.CancelledError):
                await task
        await app.state.services.looks.close()
        await app.state.services.starts.close()


async def _on_nothing_more(request: Request, error: Exception) -> Response:
    return Response(status_code=204)
