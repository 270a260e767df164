from django.urls import path

from changke.interfaces.web.segments import acts, builder, day, lists, one, parts

urlpatterns = [
    path("segments/", lists.show, name="segments"),
    path("segments/new/", builder.new, name="segment-new"),
    path("segments/<slug:key>/", one.show, name="segment"),
    path("segments/<slug:key>/edit/", builder.edit, name="segment-edit"),
    path("segments/<slug:key>/day/", day.show, name="segment-day"),
    path("segments/<slug:key>/portrait/", parts.portrait, name="segment-portrait"),
    path("segments/<slug:key>/overlap/", parts.overlap, name="segment-overlap"),
    path("segments/<slug:key>/freeze/", acts.frozen, name="segment-freeze"),
    path("segments/<slug:key>/drop/", acts.drop, name="segment-drop"),
]
