"""Reads the environment, wires and starts. Whatever starts AgentOS comes through here first."""

import sys

try:
    import workflows.errors  # noqa: F401
except ImportError as error:  # Python is set to drop docstrings, which are all our messages.
    sys.exit(str(error))
