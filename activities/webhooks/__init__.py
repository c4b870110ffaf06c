"""Telling URLs of other people's what happened, signed as Standard Webhooks has it."""
