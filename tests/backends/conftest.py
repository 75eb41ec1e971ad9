"""The same real weights and the same film as the models' tests."""

from tests.models.conftest import frame, weights  # noqa: F401
