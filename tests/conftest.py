"""What every test may ask for."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def weights() -> None:
    """The gallery's weights and clip, fetched once into whatever store this machine has."""
    from pleinair.models.fetch import fetch

    fetch(["multistyle26", "anystyle", "bigbuckbunny", "carphone"])
