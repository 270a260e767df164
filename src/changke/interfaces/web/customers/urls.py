from django.urls import path

from changke.interfaces.web.customers import lists

urlpatterns = [
    path("customers/", lists.show, name="customers"),
    path("customers/<int:customer_id>/", lists.show, name="customer"),
]
