"""Engines of this process: loaded on demand, shared, used by one caller at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from dubline.engines import registry
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec
from dubline.settings import settings
from dubline.telemetry import ledger


class EngineManager:
    """An engine is loaded once for each spec. Native runtimes share the cores, so a call has its engine to itself."""

    def __init__(self, models: ModelStore) -> None:
        self.models = models
        self._guard = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def use(self, spec: EngineSpec, subjects: Sequence[str]) -> Iterator[Any]:
        """Hold the engine for one call. `subjects` are the content keys of what it works on; the ledger keeps them.

        Raises ModelMissing when weights are not there.
        """
        host = self._host(spec)
        with host.lock:
            engine = host.load(spec, self.models)
            ledger.record("engine", capability=spec.capability, engine=spec.engine, subjects=list(subjects))
            yield engine

    def preload(self, spec: EngineSpec) -> threading.Thread:
        """Begin to import and load in the background; whoever calls `use` meanwhile waits for it.

        A failure shows where the engine is used: there it is tried again.
        """

        def load() -> None:
            host = self._host(spec)
            # `use` meets the same failure, and reports it to its caller.
            with host.lock, suppress(Exception):
                host.load(spec, self.models)

        thread = threading.Thread(target=load, name=f"preload-{spec.engine}", daemon=True)
        thread.start()
        return thread

    def _host(self, spec: EngineSpec) -> _Host:
        with self._guard:
            return self._hosts.setdefault(spec.model_dump_json(), _Host())


class _Host:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._engine: Any = None

    def load(self, spec: EngineSpec, models: ModelStore) -> Any:
        if self._engine is None:
            self._engine = registry.create(spec, models)
        return self._engine


_manager: EngineManager | None = None
_manager_guard = threading.Lock()


def manager() -> EngineManager:
    """The one of this process."""
    global _manager
    with _manager_guard:
        if _manager is None:
            _manager = EngineManager(ModelStore(settings().models))
        return _manager
