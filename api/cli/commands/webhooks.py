"""``agentos webhooks``: URLs that are told of tasks, and what they were sent."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_fields, print_json, print_line, print_table, when
from api.cli.commands.request_body import built
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.requests import WebhookChange, WebhookRequest
from api.wire.responses.webhooks import Delivery, Webhook
from workflows.definitions.webhook import DeliveryState, Notice

app = typer.Typer(no_args_is_help=True)

_STYLES: Mapping[str, str] = {DeliveryState.DELIVERED: "green", DeliveryState.FAILED: "red"}
# As many as the API gives at once; filters lead to older ones.
_SHOWN = 200
# Of the path of a URL, in the list of deliveries.
_PATH_CHARACTERS = 16

WebhookId = Annotated[str, typer.Argument(metavar="ID", show_default=False)]
Events = Annotated[
    list[Notice] | None,
    typer.Option("--event", show_default=False, help="What it is told: all but task.started."),
]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the webhooks of the team."""
    page = talk(context, lambda client: client.webhooks())
    print_json(page) if output is Format.JSON else _print(page.items)


@app.command()
def create(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", show_default=False)],
    *,
    event: Events = None,
    output: Output = Format.TABLE,
) -> None:
    """Have a URL told of the team's tasks. Its secret is printed once, and never again."""
    document = {"url": url} | ({"events": event} if event else {})
    request = built(WebhookRequest, document)
    made = talk(context, lambda client: client.create_webhook(request))
    if output is Format.JSON:
        print_json(made)
        return
    events = ", ".join(event.value for event in made.events)
    fields = [("id", str(made.id)), ("url", made.url), ("events", events), ("secret", made.secret)]
    print_fields(fields)


@app.command()
def delete(context: typer.Context, webhook_id: WebhookId) -> None:
    """Delete a webhook, with the list of what it was sent."""
    talk(context, lambda client: client.delete_webhook(webhook_id))
    print_line(webhook_id)


@app.command()
def enable(context: typer.Context, webhook_id: WebhookId, output: Output = Format.TABLE) -> None:
    """Switch a webhook on again, and send what was given up when it was switched off."""
    _switch(context, webhook_id, output, is_active=True)


@app.command()
def disable(context: typer.Context, webhook_id: WebhookId, output: Output = Format.TABLE) -> None:
    """Switch a webhook off."""
    _switch(context, webhook_id, output, is_active=False)


@app.command()
def secret(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Make the secret that callbacks are signed with, in place of the one before, and print it."""
    made = talk(context, lambda client: client.create_callback_secret())
    print_json(made) if output is Format.JSON else print_line(made.secret)


@app.command()
def deliveries(
    context: typer.Context,
    *,
    webhook: Annotated[str | None, typer.Option(metavar="ID", show_default=False)] = None,
    task: Annotated[str | None, typer.Option(metavar="ID", show_default=False)] = None,
    state: Annotated[list[DeliveryState] | None, typer.Option(show_default=False)] = None,
    output: Output = Format.TABLE,
) -> None:
    """List what was sent, or is to be, the newest first: 200 at most."""
    params = {"webhook_id": webhook, "task_id": task, "state": state, "limit": _SHOWN}
    given = {name: value for name, value in params.items() if value}
    page = talk(context, lambda client: client.deliveries(given))
    print_json(page) if output is Format.JSON else _print_deliveries(page.items)


@app.command()
def resend(
    context: typer.Context,
    delivery_ids: Annotated[list[str], typer.Argument(metavar="ID...", show_default=False)],
) -> None:
    """Send deliveries again, as they were."""
    talk(context, lambda client: _resend(client, delivery_ids))


async def _resend(client: Client, delivery_ids: Sequence[str]) -> None:
    for delivery_id in delivery_ids:
        await client.resend(delivery_id)
        print_line(delivery_id)


def _switch(context: typer.Context, webhook_id: str, output: Format, *, is_active: bool) -> None:
    change = WebhookChange(is_active=is_active)
    webhook = talk(context, lambda client: client.change_webhook(webhook_id, change))
    print_json(webhook) if output is Format.JSON else _print([webhook])


def _print(webhooks: Sequence[Webhook]) -> None:
    rows = [
        (
            str(webhook.id),
            Text("on", style="green") if webhook.is_active else Text("off", style="red"),
            when(webhook.failing_since),
            ", ".join(event.value for event in webhook.events),
            webhook.url,
        )
        for webhook in webhooks
    ]
    print_table(
        ("ID", "STATE", "FAILING SINCE", "EVENTS", "URL"),
        rows,
        cut="URL",
        spare=("EVENTS", "FAILING SINCE"),
    )
    for webhook in webhooks:
        if webhook.disabled_reason is not None:
            note = f"{webhook.id}: switched off: {webhook.disabled_reason}"
            terminal.stderr().print(safe_line(note), style="yellow", soft_wrap=True, markup=False)


def _print_deliveries(found: Sequence[Delivery]) -> None:
    rows = [
        (
            str(each.id),
            Text(each.state.value, style=_STYLES.get(each.state.value, "")),
            str(len(each.attempts)),
            when(each.created_at),
            each.type.value,
            str(each.task_id),
            "callback" if each.webhook_id is None else "webhook",
            _beginning(each.url),
            when(each.next_at),
            _last_word(each),
        )
        for each in found
    ]
    columns = ("ID", "STATE", "TRIES", "WRITTEN", "EVENT", "TASK", "BY", "TO", "NEXT", "LAST")
    spare = ("TASK", "BY", "WRITTEN", "TRIES", "NEXT", "TO", "EVENT")
    print_table(columns, rows, cut="LAST", spare=spare)


def _beginning(url: str) -> str:
    """The origin of a URL and the first characters of its path, short enough for a column."""
    parts = urlsplit(url)
    path = parts.path
    short = path if len(path) <= _PATH_CHARACTERS else f"{path[:_PATH_CHARACTERS]}…"
    return f"{parts.scheme}://{parts.netloc}{short}"


def _last_word(delivery: Delivery) -> str:
    last = delivery.attempts[-1] if delivery.attempts else None
    return delivery.reason or (last.error or str(last.status) if last else "")
