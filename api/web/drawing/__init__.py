"""Pictures of what the API answers, as SVG: attributes and classes only, no style."""
