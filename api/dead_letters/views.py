"""Dead letters of the store as the answers of the API."""

from collections.abc import Mapping
from dataclasses import asdict

from activities.store.reading.dead_letters import StoredLetter
from activities.store.reading.letter_groups import LetterGroup
from api.dead_letters.foresight import Foresight
from api.wire.responses import dead_letters as wire


def letter(stored: StoredLetter) -> wire.DeadLetter:
    return wire.DeadLetter(
        id=stored.id,
        task_id=stored.task_id,
        sub_task=stored.part,
        sub_task_id=stored.sub_task_id,
        run=stored.run,
        type=stored.type,
        name=stored.name,
        error=stored.error.model_dump(exclude_none=True),
        fingerprint=stored.fingerprint,
        parts=wire.FingerprintParts.model_validate(stored.parts),
        attempts=stored.attempts,
        usage=wire.Cost(
            tokens=stored.tokens, cost_usd=stored.cost_usd, seconds=round(stored.seconds, 3)
        ),
        state=stored.state,
        note=stored.note,
        ended_by=stored.ended_by,
        created_at=stored.created_at,
        ended_at=stored.ended_at,
    )


def group(stored: LetterGroup) -> wire.DeadLetterGroup:
    document = asdict(stored)
    usage = wire.GroupUsage(tokens=document.pop("tokens"), cost_usd=document.pop("cost_usd"))
    return wire.DeadLetterGroup.model_validate({**document, "usage": usage})


def foresight(foreseen: Foresight) -> wire.Foresight:
    return wire.Foresight(
        count=foreseen.count,
        kept_steps=_counts(foreseen.kept_steps),
        redone_steps=_counts(foreseen.redone_steps),
        estimate=wire.Estimate.model_validate(asdict(foreseen.estimate)),
        refused=foreseen.refused,
        changes=foreseen.changes,
    )


def _counts(steps: Mapping[str, int]) -> list[wire.StepCount]:
    return [wire.StepCount(step=name, tasks=count) for name, count in steps.items()]
