from django.urls import path

from changke.interfaces.web.duplicates import acts, by_hand, lists

urlpatterns = [
    path("duplicates/", lists.show, name="duplicates"),
    path("duplicates/search/", acts.search, name="duplicates-search"),
    path("duplicates/<int:pair_id>/merge/", acts.merged, name="duplicate-merge"),
    path("duplicates/<int:pair_id>/not-same/", acts.two_persons, name="duplicate-not-same"),
    path("duplicates/<int:pair_id>/again/", acts.asked_again, name="duplicate-ask-again"),
    path("customers/<int:customer_id>/merge/", by_hand.show, name="customer-merge"),
    path("customers/<int:customer_id>/separate/<int:batch_id>/", by_hand.separate, name="customer-separate"),
]
