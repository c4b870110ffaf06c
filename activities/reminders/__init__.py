"""What agents that stay want to be reminded of: as they write it, and its bounds."""
