from django.urls import path

from changke.interfaces.web.login import code, devices, faces, password, pin, reset, second_factor, sessions

urlpatterns = [
    path("login/code/", code.give_code, name="login-code"),
    path("me/password/", password.change, name="my-password"),
    path("me/second-factor/", second_factor.mine, name="my-second-factor"),
    path("me/devices/", sessions.show, name="my-sessions"),
    path("me/devices/others/end/", sessions.end_others, name="my-sessions-end"),
    path("me/devices/<int:sign_in_id>/end/", sessions.end, name="my-session-end"),
    path("me/pin/", pin.mine, name="my-pin"),
    path("device/", faces.choose, name="device"),
    path("device/lock/", faces.lock, name="device-lock"),
    path("devices/", devices.show, name="devices"),
    path("devices/<int:device_id>/revoke/", devices.revoke, name="device-revoke"),
    path("reset/<str:token>/", reset.open_link, name="reset"),
    path("settings/staff/<int:staff_id>/reset/", reset.make, name="settings-person-reset"),
    path("settings/staff/<int:staff_id>/second-factor/reset/", second_factor.reset, name="settings-person-code-reset"),
]
