from django.urls import path

from changke.interfaces.web.shell import login, styleguide, views

urlpatterns = [
    path("login/", login.LogIn.as_view(), name="login"),
    path("logout/", login.log_out, name="logout"),
    path("language/", views.choose_language, name="choose_language"),
    path("store/", views.choose_store, name="choose_store"),
    path("sending/confirm/", views.confirm_sending, name="confirm_sending"),
    path("me/", views.me, name="me"),
    path("find/", views.find, name="find"),
    path("styleguide/", styleguide.show, name="styleguide"),
]
