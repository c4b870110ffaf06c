"""Bulk runs of the store as the answers of the API."""

from dataclasses import asdict
from datetime import datetime

from activities.store.reading.bulk import StoredRun
from api.dead_letters import views
from api.dead_letters.foresight import Foresight
from api.wire.responses import bulk as wire


def bulk_run(stored: StoredRun) -> wire.BulkRun:
    counts = stored.counts
    return wire.BulkRun(
        id=stored.id,
        action=stored.action,
        state=stored.state,
        reason=stored.reason,
        filter=None if stored.filter is None else dict(stored.filter),
        note=stored.note,
        actor=stored.actor,
        canary=stored.canary,
        rate=stored.rate,
        counts=wire.BulkCounts(**asdict(counts), total=counts.total, requeued=counts.requeued),
        skipped=[wire.SkipReason(**asdict(reason)) for reason in stored.skipped],
        created_at=stored.created_at,
        ended_at=stored.ended_at,
    )


def foresight(count: int, foreseen: Foresight, as_of: datetime) -> wire.BulkForesight:
    fields = views.foresight(foreseen).model_dump()
    looked_at = foreseen.count + foreseen.refused
    told = {"count": count, "foreseen": looked_at, "as_of": as_of}
    return wire.BulkForesight(**{**fields, **told})
