"""Results of these tests stay out of the user's cache."""

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache folder for all tests of a process, so that equal points are synthesised once."""
    folder = tmp_path_factory.getbasetemp() / "archgym-cache"
    monkeypatch.setenv("ARCHGYM_CACHE", str(folder))
    return folder
