"""Webhooks: who is told, what is sent, and the sender beside the API's answers."""
