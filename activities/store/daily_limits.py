"""What an agent that stays may use on a day, in UTC: whether it has, as a piece of a statement.

It is derived of ``agent_usage``, so that a new day, and a limit that is raised, end it by
themselves.
"""

_TODAY = "(now() AT TIME ZONE 'utc')::date"
_LIMITS = "agents.definition -> 'limits'"
_UNTIL = "are used; it goes on at 00:00 UTC"

# What is used up, in words for people; NULL while there is something left. The statement has a
# table ``agents``.
USED_UP = f"""(
    SELECT CASE
        WHEN used.tokens >= CAST({_LIMITS} ->> 'daily_tokens' AS bigint) THEN
            'its daily limit: ' || used.tokens || ' of ' || ({_LIMITS} ->> 'daily_tokens')
            || ' tokens {_UNTIL}'
        WHEN used.cost_usd >= CAST({_LIMITS} ->> 'daily_cost_usd' AS float) THEN
            'its daily limit: ' || round(CAST(used.cost_usd AS numeric), 4) || ' of '
            || ({_LIMITS} ->> 'daily_cost_usd') || ' USD {_UNTIL}'
    END
    FROM agent_usage AS used WHERE used.agent_id = agents.id AND used.day = {_TODAY}
)"""
