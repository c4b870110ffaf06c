"""The dashboard, the alert rules and the README: they name what there is, and parse."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml

from activities.metrics.definitions import (
    OF_APIS,
    OF_PROCESSES,
    OF_WORKERS,
    STORED,
    Definition,
    Kind,
)
from deploy.worker_address import DEFAULT_ADDRESS
from tests.folders import PROJECT

FOLDER = PROJECT / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
SCRAPES = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
README = (PROJECT / "README.md").read_text()

OURS = (*OF_PROCESSES, *OF_WORKERS, *OF_APIS, *STORED)
# What Prometheus adds, and what libraries tell: tests/e2e/test_metrics.py looks for these.
TARGET = {"job", "instance"}
OTHERS = {
    "up": set[str](),
    "process_cpu_seconds_total": set[str](),
    "process_resident_memory_bytes": set[str](),
    "temporal_worker_task_slots_available": {"worker_type", "task_queue"},
    "temporal_activity_schedule_to_start_latency_seconds_bucket": {"le", "task_queue"},
}


def series(metric: Definition) -> dict[str, set[str]]:
    labels = set(metric.labels)
    if metric.kind is not Kind.HISTOGRAM:
        return {metric.name: labels}
    plain = {f"{metric.name}_{end}": labels for end in ("count", "sum")}
    return {**plain, f"{metric.name}_bucket": labels | {"le"}}


KNOWN = OTHERS | {name: labels for metric in OURS for name, labels in series(metric).items()}


def dashboard_expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "5m")
            yield f"{panel['title']} {target['refId']}", expression


EXPRESSIONS = [
    *dashboard_expressions(),
    *((rule["alert"], rule["expr"]) for rule in RULES),
]


def selectors(node: Any) -> Iterator[promql.VectorSelector]:
    """Those in an expression, however deep."""
    if isinstance(node, promql.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        inner = getattr(node, name, None)
        if isinstance(inner, promql.Expr):
            yield from selectors(inner)
    for argument in getattr(node, "args", ()):
        yield from selectors(argument)


def groupings(node: Any) -> Iterator[tuple[Any, list[str]]]:
    """What is aggregated, and by which labels."""
    if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
        yield node.expr, list(node.modifier.labels)
    for name in ("expr", "lhs", "rhs"):
        inner = getattr(node, name, None)
        if isinstance(inner, promql.Expr):
            yield from groupings(inner)
    for argument in getattr(node, "args", ()):
        yield from groupings(argument)


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_an_expression_parses_and_names_only_what_there_is(name: str, expression: str) -> None:
    parsed = promql.parse(expression)
    found = list(selectors(parsed))
    names = set(re.findall(r"\b(?:agentos|temporal|process)_[a-z_]+\b(?!-)", expression))
    assert {each.name for each in found} >= names
    for selector in found:
        assert selector.name in KNOWN, selector.name
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= KNOWN[selector.name] | TARGET, selector.name
    for inner, labels in groupings(parsed):
        for selector in selectors(inner):
            assert set(labels) <= KNOWN[selector.name] | TARGET, (selector.name, labels)


@pytest.mark.parametrize(
    ("expression", "is_known"),
    [
        ("sum by (kind) (agentos_steps_running)", True),
        ("sum by (kind) (agentos_steps_walking)", False),
        ("sum by (tool) (agentos_steps_running)", False),
        ('rate(agentos_tool_calls_total{task="x"}[5m]) > 1', False),
        ("histogram_quantile(0.9, rate(agentos_steps_nowhere_bucket[5m]))", False),
    ],
)
def test_an_expression_with_what_there_is_not_is_found(expression: str, is_known: bool) -> None:
    try:
        test_an_expression_parses_and_names_only_what_there_is("", expression)
    except AssertionError:
        assert not is_known
    else:
        assert is_known


@pytest.mark.parametrize(
    ("expression", "labels"),
    [("agentos_steps_running", {"kind"}), ("agentos_step_duration_seconds_bucket", {"le"})],
)
def test_labels_of_series_are_those_of_their_definitions(expression: str, labels: set[str]) -> None:
    assert KNOWN[expression] >= labels


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert re.fullmatch(r"[0-9]+m", rule["for"])
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    document, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert document == "README.md"
    assert f'<a name="{anchor}"></a>' in README
    assert rule["alert"] in README
    for label in re.findall(r"\$labels\.(\w+)", str(rule["annotations"])):
        assert label in TARGET or re.search(rf"\b{label}\b|disk", rule["expr"])


def test_alerts_and_panels_have_names_of_their_own() -> None:
    alerts = [rule["alert"] for rule in RULES]
    assert len(alerts) == len(set(alerts))
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_panels_lie_beside_each_other_within_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    used = " ".join(expression for _, expression in EXPRESSIONS)
    # Whether a worker stops is for whoever watches a single one.
    left_out = {"agentos_worker_draining", "agentos_database_connections_max"}
    left_out |= {"agentos_database_connections_overflow", "agentos_housekeeping_freed_bytes_total"}
    missing = {metric.name for metric in OURS if metric.name not in used}
    assert missing == left_out


def test_the_example_scrapes_api_and_worker_where_they_are_by_themselves() -> None:
    targets = {each["job_name"]: each["static_configs"][0]["targets"] for each in SCRAPES}
    assert targets == {"agentos-api": ["127.0.0.1:8000"], "agentos-worker": [DEFAULT_ADDRESS]}
    assert all("agentos-" in rule["expr"] for rule in RULES if "up{" in rule["expr"])


def test_the_readme_has_a_row_for_each_metric_and_for_no_other() -> None:
    rows = re.findall(r"^\| `(agentos_\w+)` \| (\w+) \| (.*?) \| (\w+) \|", README, re.MULTILINE)
    written = {name: (kind, labels, scope) for name, kind, labels, scope in rows}
    told = {
        metric.name: (
            metric.kind.value,
            ", ".join(f"`{label}`" for label in metric.labels) or "-",
            metric.scope.value,
        )
        for metric in OURS
    }
    assert len(rows) == len(written)
    assert written == told
