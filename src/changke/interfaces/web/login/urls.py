from django.urls import path

from changke.interfaces.web.login import password, reset

urlpatterns = [
    path("me/password/", password.change, name="my-password"),
    path("reset/<str:token>/", reset.open_link, name="reset"),
    path("settings/staff/<int:staff_id>/reset/", reset.make, name="settings-person-reset"),
]
