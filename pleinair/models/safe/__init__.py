"""Is a model file what it says? Read as bytes, before any runtime sees it."""
