from django.apps import AppConfig


class InterfacesConfig(AppConfig):
    name = "changke.interfaces"
    label = "interfaces"
    default_auto_field = "django.db.models.BigAutoField"
