from django.urls import path

from changke.interfaces.web.customers import acts, edit, lists, person, tags

urlpatterns = [
    path("customers/", lists.show, name="customers"),
    path("customers/<int:customer_id>/", person.show, name="customer"),
    path("customers/<int:customer_id>/edit/", edit.form, name="customer-edit"),
    path("customers/<int:customer_id>/call/", acts.call, name="customer-call"),
    path("customers/<int:customer_id>/tags/", tags.add, name="customer-tags"),
    path("customers/<int:customer_id>/tags/remove/", tags.remove, name="customer-tag-remove"),
    path("customers/<int:customer_id>/photos/<int:note_id>/", acts.photo, name="customer-photo"),
]
