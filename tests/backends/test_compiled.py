"""What every backend says of itself, whether or not its runtime is here."""

from __future__ import annotations

import pytest

from pleinair import plugins
from pleinair.backends import base
from pleinair.backends.compiled import Compiled, OnPackage, first_line, last_line
from pleinair.core.errors import ModelFault

BACKENDS = plugins.names("backends")


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_without_its_package_says_what_brings_it(name, monkeypatch):
    backend = plugins.find("backends", name)
    monkeypatch.setattr(base, "package_version", lambda package: "")
    assert issubclass(backend, OnPackage) and backend.version_installed() == ""
    assert backend.package in backend.missing or "pip install" in backend.missing
    assert backend.available() == backend.missing


@pytest.mark.parametrize("name", [n for n in BACKENDS if issubclass(plugins.find("backends", n), Compiled)])
def test_a_precision_that_a_backend_has_not_is_refused_before_its_runtime_is_imported(name, monkeypatch):
    backend = plugins.find("backends", name)
    with pytest.raises(ModelFault, match=f'the backend {name} runs .*, not "f8"') as fault:
        Compiled.__init__(backend.__new__(backend), (), (), precision="f8", threads=1)
    assert all(f'"{precision}"' in fault.value.hint for precision in backend.knows)


def test_of_a_runtimes_message_one_line_is_kept():
    error = RuntimeError("\n  where it was \n\n why it was\n")
    assert (first_line(error), last_line(error)) == ("where it was", "why it was")
    assert first_line(ValueError()) == "ValueError"
    assert len(last_line(ValueError("x" * 900))) == 200
