from django.urls import path

from changke.interfaces.web.value import card, grid, lines, numbers, person, referrers

urlpatterns = [
    path("value/", grid.show, name="value"),
    path("value/people/", grid.people, name="value-people"),
    path("value/lines/", lines.show, name="value-lines"),
    path("value/referrers/", referrers.show, name="value-referrers"),
    path("value/model/", card.show, name="value-model"),
    path("value/numbers/", numbers.show, name="value-numbers"),
    path("customers/<int:customer_id>/value/", person.show, name="customer-value"),
]
