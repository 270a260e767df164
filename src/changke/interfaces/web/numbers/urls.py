from django.urls import path

from changke.interfaces.web.numbers import pages

urlpatterns = [
    path("numbers/", pages.every, name="numbers"),
    path("numbers/<str:key>/", pages.one, name="number"),
]
