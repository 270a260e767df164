from django.urls import path

from changke.interfaces.web.lifecycle import models, people, river

urlpatterns = [
    path("lifecycle/", river.show, name="lifecycle"),
    path("lifecycle/models/", models.show, name="lifecycle-models"),
    path("lifecycle/models/<slug:key>/", models.edit, name="lifecycle-model"),
    path("lifecycle/models/<slug:key>/switch/", models.switch, name="lifecycle-model-switch"),
    path("lifecycle/people/", people.show, name="lifecycle-people"),
]
