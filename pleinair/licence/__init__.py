"""What may be done with a piece: terms, gate, openness, label."""
