"""Every address of the house: pages at the root, machines under /api/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("changke.interfaces.api.urls")),
    path("", include("changke.interfaces.member.urls")),
    path("hooks/", include("changke.interfaces.webhooks.door")),  # what providers call
    path("", include("changke.interfaces.web.urls")),
]

handler403 = "changke.interfaces.web.errors.not_allowed"
handler404 = "changke.interfaces.web.errors.not_found"
handler500 = "changke.interfaces.web.errors.went_wrong"
