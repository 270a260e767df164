from django.urls import path

from changke.interfaces.member import views

urlpatterns = [path("m/<str:token>/", views.page, name="member")]
