"""Where the API is found when nobody says otherwise."""

DEFAULT_URL = "http://127.0.0.1:8000"
