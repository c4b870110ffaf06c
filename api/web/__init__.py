"""The web page: what people look at."""
