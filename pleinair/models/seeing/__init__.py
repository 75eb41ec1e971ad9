"""Tasks that look at or make pictures."""
