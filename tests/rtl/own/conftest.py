"""Results of these tests stay out of the user's cache; what benches compile once for all is taken from there."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """A cache folder for all tests of a process, so that equal points are synthesised once."""
    folder = tmp_path_factory.getbasetemp() / "archgym-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHGYM_CACHE", raising=False)
        patch.setattr("archgym.rtl.flow.cache.cache_folder", lambda: folder)
        yield folder
