"""Gymnasium ids of every registered simulator, without importing Gymnasium before the user does.

Gymnasium 1.0 dropped entry points: a package registers its ids when it is imported. `import archgym` must not cost
Gymnasium's import, so the ids are registered at once when Gymnasium is loaded already, and right after it otherwise.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

__all__ = ["register_ids", "register_ids_with_gymnasium"]


def register_ids() -> None:
    """Register the id of every simulator in the catalog that Gymnasium does not know yet."""
    import gymnasium

    from archgym import catalog

    for gym_id, name in catalog.environments().items():
        if gym_id not in gymnasium.registry:
            gymnasium.register(
                id=gym_id,
                entry_point="archgym.env:DesignEnv",
                vector_entry_point="archgym.vector:DesignVectorEnv",
                kwargs={"simulator": name},
            )


def register_ids_with_gymnasium() -> None:
    """Register now, or as soon as Gymnasium is imported."""
    if "gymnasium" in sys.modules:
        register_ids()
    elif not any(isinstance(finder, _AfterGymnasium) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterGymnasium())


class _AfterGymnasium(MetaPathFinder):
    """Lets the other finders find Gymnasium, and registers the ids once its module has run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)  # once is enough, and find_spec below must not come back here
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_register(module: ModuleType) -> None:
            run(module)
            register_ids()

        spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec
