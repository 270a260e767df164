from django.urls import path

from changke.interfaces.web.fits import warnings
from changke.interfaces.web.risk import backtest, hers, lines, lists

urlpatterns = [
    path("risk/", lists.show, name="risk"),
    path("risk/customers/<int:customer_id>/", lists.tick, name="risk-tick"),
    path("customers/<int:customer_id>/outlook/", hers.show, name="customer-outlook"),
    path("risk/rules/", backtest.show, name="risk-rules"),
    path("risk/rules/ask/", backtest.ask, name="risk-ask"),
    path("risk/rules/use/", backtest.use, name="risk-use"),
    path("risk/model/", warnings.show, name="risk-model"),
    path("risk/lines/", lines.show, name="risk-lines"),
    path("risk/lines/switch/", lines.switch, name="risk-lines-switch"),
    path("risk/lines/<int:line_id>/", lines.one, name="risk-line"),
]
