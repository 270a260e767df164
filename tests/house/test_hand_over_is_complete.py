"""Who leaves hands over everything: a table of tasks that names who is to do them must be handed over too."""

from django.apps import apps

from changke.foundation.access.models import Staff

HANDED_OVER: set[str] = set()
"""Tables of the floor of actions whose rows a hand-over gives to others (`actions/tasks/services.py`)."""


def test_tasks_are_handed_over_when_they_come() -> None:
    """Turns red with the first table of tasks: hand its open ones over with the customers, then name it above."""
    named = {
        model._meta.db_table
        for model in apps.get_app_config("actions").get_models()
        if any(field.related_model is Staff for field in model._meta.concrete_fields)
    }
    assert named <= HANDED_OVER
