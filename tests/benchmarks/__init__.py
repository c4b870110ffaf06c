"""What AgentOS costs beside what it stands on. Run with ``make bench``."""
