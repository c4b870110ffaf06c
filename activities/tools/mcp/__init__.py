"""MCP servers: what one is, whether it may be used, and a pool of connections to them.

Nothing is imported here: a client's command needs the configuration, and not the SDK.
"""
