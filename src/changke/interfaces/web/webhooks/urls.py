from django.urls import path

from changke.interfaces.web.webhooks import requests, views

urlpatterns = [
    path("settings/webhooks/", views.show, name="webhooks"),
    path("settings/webhooks/<int:address_id>/", views.one, name="webhook-address"),
    path("settings/webhooks/<int:address_id>/rotate/", views.rotate, name="webhook-rotate"),
    path("settings/webhooks/<int:address_id>/open/", views.open_or_close, name="webhook-open"),
    path("settings/webhooks/<int:address_id>/places/", views.map_one, name="webhook-place"),
    path("settings/webhooks/<int:address_id>/replay/<int:delivery_id>/", views.read_again, name="webhook-replay"),
    path("settings/webhooks/requests/<int:request_id>/", requests.show, name="webhook-request"),
    path("settings/webhooks/returns/<int:waiting_id>/count/", views.count_return, name="webhook-count-return"),
]
