from django.urls import path

from changke.interfaces.web.audit import lines, restore

urlpatterns = [
    path("audit/", lines.show, name="audit"),
    path("audit/<int:line_id>/restore/", restore.show, name="audit-restore"),
    path("customers/<int:customer_id>/changes/", lines.of_customer, name="customer-changes"),
]
