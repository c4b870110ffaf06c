"""What agents that stay do with groups."""
