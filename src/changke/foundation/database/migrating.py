"""Migrations from nothing in half the time: of the classes that stand for tables only those that changed are made anew.

Django makes every class anew that points to a changed one, or to whom it points, although a statement reads no more of
them than the name of their table; with a customer that half of all tables point to this was most of the work of a first
start. A migration that reads rows (RunPython) gets all classes anew in any case, because the state says that it is
behind: that is Django's own rule for what it puts off itself. docs/decisions/0101
"""

from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class LeanState(ProjectState):
    """What is put off is put off for the neighbours too, and nobody points yet to a table that is just born."""

    def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[tuple[str, str]]:
        if delay or model_name not in self.apps.all_models[app_label]:
            self.is_delayed = True
            return {(app_label, model_name)}
        if self.is_delayed:
            # Whoever asks for the neighbours must find them: a changed class knows nobody who points to it.
            self.clear_delayed_apps_cache()
            self.is_delayed = False
        related: set[tuple[str, str]] = super()._find_reload_model(app_label, model_name, delay)  # type: ignore[misc]
        return related

    def clone(self) -> "LeanState":
        django = super().clone()
        lean = LeanState(models=django.models, real_apps=django.real_apps)
        if "apps" in django.__dict__:
            lean.apps = django.apps
        lean.is_delayed = django.is_delayed
        return lean


class Executor(MigrationExecutor):
    """Django's, with states that put off."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> LeanState:
        state: Any = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]
        return LeanState(models=state.models, real_apps=state.real_apps)
