"""Results that equal steps share: made once, and kept for a while."""
