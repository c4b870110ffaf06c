"""The web page: for people, rendered on the server from what the JSON API answers."""
