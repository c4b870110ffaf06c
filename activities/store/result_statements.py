"""The statements of ``result_cache``, each a whole: one round trip and one commit."""

from sqlalchemy import text

# There, and not older than the step allows that asks.
_IS_FRESH = """
    (kept.made_at IS NOT NULL AND kept.expires_at > now()
     AND kept.made_at > now() - make_interval(secs => :lifetime_seconds))"""
_UNTIL = "now() + make_interval(secs => :claim_seconds)"
_IS_OURS = "team_id = :team_id AND key = :key AND owner = :owner"

# Takes the result, or else the right to make it; no row when another is making it. One statement on
# one row: between a look and a claim, another could do both.
CLAIM = text(
    f"""
    INSERT INTO result_cache AS kept
        (id, team_id, key, kind, name, step, owner, owned_until, expires_at, files, refused, stdout,
         stderr, hits)
    VALUES
        (gen_random_uuid(), :team_id, :key, :kind, :name, :step, :owner, {_UNTIL}, {_UNTIL}, '[]',
         '[]', '', '', 0)
    ON CONFLICT ON CONSTRAINT result_cache_once DO UPDATE
        SET hits = kept.hits + CAST({_IS_FRESH} AS int),
            last_hit_at = CASE WHEN {_IS_FRESH} THEN now() ELSE kept.last_hit_at END,
            owner = CASE WHEN {_IS_FRESH} THEN kept.owner ELSE excluded.owner END,
            owned_until =
                CASE WHEN {_IS_FRESH} THEN kept.owned_until ELSE excluded.owned_until END
        WHERE {_IS_FRESH} OR kept.owned_until IS NULL OR kept.owned_until < now()
    RETURNING kept.id, {_IS_FRESH} AS is_fresh, made_at, files, refused, stdout, stderr, exit_code
    """
)

RENEW = text(
    f"""
    UPDATE result_cache
    SET owned_until = {_UNTIL},
        expires_at = CASE WHEN made_at IS NULL THEN {_UNTIL} ELSE expires_at END
    WHERE {_IS_OURS}
    """
)

KEEP = text(
    f"""
    UPDATE result_cache
    SET made_at = now(), expires_at = now() + make_interval(secs => :lifetime_seconds),
        owner = NULL, owned_until = NULL, step = :step, hits = 0, last_hit_at = NULL,
        files = CAST(:files AS jsonb), refused = CAST(:refused AS jsonb), stdout = :stdout,
        stderr = :stderr, exit_code = :exit_code
    WHERE {_IS_OURS}
    """
)

RELEASE = text(
    f"""
    WITH gone AS (
        DELETE FROM result_cache WHERE {_IS_OURS} AND made_at IS NULL
    )
    UPDATE result_cache SET owner = NULL, owned_until = NULL
    WHERE {_IS_OURS} AND made_at IS NOT NULL
    """
)

DROP = text("DELETE FROM result_cache WHERE id = :id AND made_at = :made_at")

# Those that are being made as well: what was begun before is not to be taken after.
CLEAR = text(
    """
    WITH gone AS (
        DELETE FROM result_cache
        WHERE id IN (
            SELECT id FROM result_cache
            WHERE team_id = :team_id
              AND (CAST(:step AS text) IS NULL OR step = :step)
              AND (CAST(:skill AS text) IS NULL OR (name = :skill AND kind <> 'tool'))
              AND (CAST(:tool AS text) IS NULL OR (name = :tool AND kind = 'tool'))
            ORDER BY id  -- Two who clear at once lock alike.
            LIMIT :limit
            FOR UPDATE
        )
        RETURNING made_at
    )
    SELECT count(*) AS rows, count(made_at) AS results FROM gone
    """
)
