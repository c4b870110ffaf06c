"""Bounds of what people may set as limits."""

# Of what runs at once, and of calls a minute. More is as good as no limit.
MAX_BOUND = 100_000

# Of a team's share in the workers; those are Temporal's own.
LEAST_WEIGHT = 0.001
MOST_WEIGHT = 1_000.0
