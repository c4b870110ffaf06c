"""The OpenAPI document: what FastAPI writes of the routes, made into something to build clients of.

Words and examples are files in ``content``: nothing but this reads them, and it is read once.
"""
