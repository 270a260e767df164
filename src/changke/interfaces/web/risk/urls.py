from django.urls import path

from changke.interfaces.web.risk import backtest

urlpatterns = [
    path("risk/rules/", backtest.show, name="risk-rules"),
    path("risk/rules/ask/", backtest.ask, name="risk-ask"),
    path("risk/rules/use/", backtest.use, name="risk-use"),
]
