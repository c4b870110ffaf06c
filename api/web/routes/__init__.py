"""One module a page. Each has a ``router``, and is found by itself."""
