"""Turns what others publish into files that our backends run: once, at fetch, by readers that execute nothing."""
