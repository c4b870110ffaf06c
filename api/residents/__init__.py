"""Agents that stay: what people do to them, and who tells their workflows."""
