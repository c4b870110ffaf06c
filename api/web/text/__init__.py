"""Foreign text as HTML that can do no harm."""
