"""Tasks of words."""
