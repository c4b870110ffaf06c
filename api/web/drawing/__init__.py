"""Pictures as SVG, drawn from what the API answers: without style, and the same each time."""
