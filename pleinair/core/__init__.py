"""The heart: frames, kinds, edges, graph, clock, chance, observers, errors. Standard library and numpy."""
