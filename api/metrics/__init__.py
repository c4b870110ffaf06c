"""What the API tells Prometheus."""
