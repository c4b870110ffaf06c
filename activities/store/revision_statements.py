"""What undoes revisions of a plan, as fragments of the statements that go back in a task."""

from workflows.states import Status

# The turn in which call ``:sub_task_id`` was made, with the last message that is the result of a
# call of it.
TURN_OF_CALL = """
    SELECT CAST(made.input_context ->> 'turn' AS int) AS turn,
           (SELECT max(beside.execution_order) FROM sub_tasks AS beside
            WHERE beside.task_id = made.task_id AND beside.number IS NULL
              AND beside.input_context ->> 'turn' = made.input_context ->> 'turn') AS last
    FROM sub_tasks AS made
    WHERE made.id = :sub_task_id"""


def taken_back(since: str, where: str) -> str:
    """Expressions that undo, in the ``task`` of the statement, the revisions that came after
    message ``since``, if ``where`` holds.

    A node that they rewired is as it was before the first of them. What it has done since, it did
    by a definition that is gone, and so did all that depend on it: they are pending again.
    """
    return f"""
    former AS (
        SELECT DISTINCT ON (was.name) was.name, was.input_context, was.dependencies
        FROM task JOIN plan_revisions AS revision ON revision.task_id = task.id,
             jsonb_to_recordset(revision.former) AS was(
                 name text, input_context jsonb, dependencies jsonb)
        WHERE {where} AND revision.seq > {since}
        ORDER BY was.name, revision.seq
    ), undone AS (
        WITH RECURSIVE below AS (
            SELECT name FROM former
            UNION
            SELECT node.name
            FROM below JOIN sub_tasks AS node
                ON node.task_id = :task_id AND node.number IS NOT NULL
               AND node.dependencies @> to_jsonb(below.name)
        )
        SELECT name FROM below
    ), unrevised AS (
        DELETE FROM plan_revisions USING task
        WHERE {where} AND plan_revisions.task_id = task.id AND plan_revisions.seq > {since}
    ), touched AS (
        SELECT node.id, former.input_context, former.dependencies,
               undone.name IS NOT NULL OR output_result ->> 'dropped' IS NOT NULL AS begins
        FROM task JOIN sub_tasks AS node ON node.task_id = task.id AND node.number IS NOT NULL
            LEFT JOIN former ON former.name = node.name
            LEFT JOIN undone ON undone.name = node.name,
            LATERAL (
                SELECT CAST(coalesce(output_result ->> 'replaced', output_result ->> 'dropped')
                            AS int) AS seq
            ) AS revised
        WHERE {where} AND node.execution_order <= {since}
          AND (revised.seq > {since} OR (undone.name IS NOT NULL AND revised.seq IS NULL))
    ), returned AS (
        UPDATE sub_tasks
        SET input_context = coalesce(touched.input_context, sub_tasks.input_context),
            dependencies = coalesce(touched.dependencies, sub_tasks.dependencies),
            output_result = NULL,
            status = CASE WHEN begins THEN '{Status.PENDING}' ELSE sub_tasks.status END,
            error = CASE WHEN begins THEN NULL ELSE sub_tasks.error END,
            started_at = CASE WHEN begins THEN NULL ELSE sub_tasks.started_at END,
            finished_at = CASE WHEN begins THEN NULL ELSE sub_tasks.finished_at END
        FROM touched WHERE sub_tasks.id = touched.id
    )"""
