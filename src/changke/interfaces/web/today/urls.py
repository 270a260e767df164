from django.urls import path

from changke.interfaces.web.today import views

urlpatterns = [
    path("", views.show, name="today"),
    path("today/<int:customer_id>/", views.tick, name="today-tick"),
    path("today/<int:customer_id>/reopen/<int:after>/", views.reopen, name="today-reopen"),
    path("today/<int:customer_id>/phone/", views.dial, name="today-phone"),
]
