from django.urls import path

from changke.interfaces.web.lifecycle import editor, people, river

urlpatterns = [
    path("lifecycle/", river.show, name="lifecycle"),
    path("lifecycle/models/", editor.show, name="lifecycle-models"),
    path("lifecycle/models/<slug:key>/", editor.edit, name="lifecycle-model"),
    path("lifecycle/models/<slug:key>/switch/", editor.switch, name="lifecycle-model-switch"),
    path("lifecycle/people/", people.show, name="lifecycle-people"),
]
