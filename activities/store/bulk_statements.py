"""The statements of ``bulk``, each a whole: one round trip and one commit."""

from sqlalchemy import ARRAY, Uuid, bindparam, text

from activities.store import fence
from workflows.states import BulkState, ItemState, Status

# Of a run that was held up, so much is made good for at once.
_MOST_BEHIND = "1 second"

INSERT_LETTERS = text(
    f"""
    INSERT INTO bulk_items (bulk_id, number, letter_id, task_id, run, fingerprint, state)
    SELECT :bulk_id, row_number() OVER (ORDER BY x.place), letter.id, letter.task_id,
           letter.run + 1, letter.fingerprint, '{ItemState.OPEN}'
    FROM unnest(CAST(:items AS uuid[])) WITH ORDINALITY AS x(id, place)
    JOIN dead_letters AS letter ON letter.id = x.id AND letter.team_id = :team_id
    RETURNING number
    """
).bindparams(bindparam("items", type_=ARRAY(Uuid())))

# ``:more`` is 1 where the tasks are to run once more.
INSERT_TASKS = text(
    f"""
    INSERT INTO bulk_items (bulk_id, number, task_id, run, state)
    SELECT :bulk_id, row_number() OVER (ORDER BY x.place), tasks.id,
           tasks.run + CAST(:more AS int), '{ItemState.OPEN}'
    FROM unnest(CAST(:items AS uuid[])) WITH ORDINALITY AS x(id, place)
    JOIN tasks ON tasks.id = x.id AND tasks.team_id = :team_id AND tasks.deleted_at IS NULL
    RETURNING number
    """
).bindparams(bindparam("items", type_=ARRAY(Uuid())))

RELEASE = text(
    """
    UPDATE bulk_runs
    SET lease_until = NULL,
        next_at = greatest(next_at, now() + make_interval(secs => CAST(:wait AS float)))
    WHERE id = :id
    """
)

DEALT = text(
    f"""
    WITH item AS (
        UPDATE bulk_items SET state = :state, code = :code, reason = :reason
        WHERE bulk_id = :bulk_id AND number = :number AND state = '{ItemState.OPEN}'
        RETURNING bulk_id
    )
    UPDATE bulk_runs
    SET lease_until = now() + make_interval(secs => CAST(:lease AS float)),
        next_at = greatest(next_at, now() - interval '{_MOST_BEHIND}')
                  + make_interval(secs => CAST(:gap AS float))
    FROM item
    WHERE bulk_runs.id = item.bulk_id AND bulk_runs.state = '{BulkState.RUNNING}'
    RETURNING next_at <= now() AS is_due
    """
)

# Of a run that was followed by another since, there is a dead letter if it failed.
SETTLE = text(
    f"""
    WITH due AS (
        SELECT item.bulk_id, item.number, item.task_id, item.run, item.fingerprint,
               tasks.id IS NULL AS is_gone, tasks.run = item.run AS is_present, tasks.status
        FROM bulk_items AS item LEFT JOIN tasks ON tasks.id = item.task_id
        WHERE item.state = '{ItemState.REQUEUED}'
          AND (tasks.id IS NULL OR tasks.run > item.run
               OR (tasks.run = item.run AND tasks.status IN ({fence.FINAL_STATES})))
        LIMIT :limit FOR UPDATE OF item SKIP LOCKED
    ), ended AS (
        SELECT due.*, letter.is_failed, letter.is_alike
        FROM due CROSS JOIN LATERAL (
            SELECT count(*) > 0 AS is_failed, bool_or(fingerprint = due.fingerprint) AS is_alike
            FROM dead_letters WHERE task_id = due.task_id AND run = due.run
        ) AS letter
    )
    UPDATE bulk_items
    SET state = CASE
            WHEN is_failed THEN '{ItemState.FAILED}'
            WHEN is_gone THEN '{ItemState.CANCELLED}'
            WHEN is_present AND status = '{Status.CANCELLED}' THEN '{ItemState.CANCELLED}'
            WHEN is_present AND status <> '{Status.COMPLETED}' THEN '{ItemState.FAILED}'
            ELSE '{ItemState.COMPLETED}' END,
        is_alike = ended.is_alike
    FROM ended
    WHERE bulk_items.bulk_id = ended.bulk_id AND bulk_items.number = ended.number
    RETURNING bulk_items.number
    """
)
