from django.urls import path

from changke.interfaces.web.exports import views

urlpatterns = [
    path("exports/", views.show, name="exports"),
    path("exports/<int:export_id>/file/", views.fetch, name="export-file"),
]
