"""What processes count and measure, for Prometheus."""
