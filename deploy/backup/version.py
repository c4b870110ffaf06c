"""Which AgentOS this is."""

from importlib.metadata import version

VERSION = version("agentos")
