from django.urls import path

from changke.interfaces.web.customers import acts, edit, lists, names, person, privacy, referrer, tags

urlpatterns = [
    path("customers/", lists.show, name="customers"),
    path("customers/<int:customer_id>/", person.show, name="customer"),
    path("customers/<int:customer_id>/edit/", edit.form, name="customer-edit"),
    path("customers/<int:customer_id>/names/", names.show, name="customer-names"),
    path("customers/<int:customer_id>/names/<int:identifier_id>/off/", names.off, name="customer-name-off"),
    path("customers/<int:customer_id>/referrer/", referrer.show, name="customer-referrer"),
    path("customers/<int:customer_id>/referrer/off/", referrer.off, name="customer-referrer-off"),
    path("customers/<int:customer_id>/call/", acts.call, name="customer-call"),
    path("customers/<int:customer_id>/tags/", tags.add, name="customer-tags"),
    path("customers/<int:customer_id>/tags/remove/", tags.remove, name="customer-tag-remove"),
    path("customers/<int:customer_id>/consents/", privacy.consents, name="customer-consents"),
    path("customers/<int:customer_id>/own-page/", privacy.link, name="customer-link"),
    path("customers/<int:customer_id>/data/", privacy.data, name="customer-data"),
    path("customers/<int:customer_id>/forget/", privacy.forget, name="customer-forget"),
    path("customers/<int:customer_id>/photos/<int:note_id>/", acts.photo, name="customer-photo"),
]
