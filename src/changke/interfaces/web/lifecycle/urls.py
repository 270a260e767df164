from django.urls import path

from changke.interfaces.web.lifecycle import editor, health, past, people, river, stages

urlpatterns = [
    path("lifecycle/", river.show, name="lifecycle"),
    path("lifecycle/models/", editor.show, name="lifecycle-models"),
    path("lifecycle/models/past/<int:replay_id>/", past.show, name="lifecycle-past"),
    path("lifecycle/models/<slug:key>/", editor.edit, name="lifecycle-model"),
    path("lifecycle/models/<slug:key>/switch/", editor.switch, name="lifecycle-model-switch"),
    path("lifecycle/stages/", stages.show, name="lifecycle-stages"),
    path("lifecycle/health/", health.show, name="lifecycle-health"),
    path("lifecycle/people/", people.show, name="lifecycle-people"),
]
