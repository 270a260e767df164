from django.urls import path

from changke.interfaces.web.fits import proposals
from changke.interfaces.web.together import pages

urlpatterns = [
    path("together/", pages.pairs, name="together"),
    path("together/starters/", pages.first_baskets, name="together-starters"),
    path("together/seasons/", pages.seasons, name="together-seasons"),
    path("together/groups/", pages.groups, name="together-groups"),
    path("together/model/", proposals.show, name="together-model"),
]
