"""Tasks that hear and speak."""
