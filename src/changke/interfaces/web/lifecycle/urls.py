from django.urls import path

from changke.interfaces.web.lifecycle import people, river

urlpatterns = [
    path("lifecycle/", river.show, name="lifecycle"),
    path("lifecycle/people/", people.show, name="lifecycle-people"),
]
