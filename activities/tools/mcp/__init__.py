"""MCP servers: whether one may be used, and a pool of connections to them.

Nothing is imported here: who only asks whether a server may be used does not need the SDK.
"""
