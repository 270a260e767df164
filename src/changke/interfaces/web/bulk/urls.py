from django.urls import path

from changke.interfaces.web.bulk import form, result

urlpatterns = [
    path("customers/bulk/", form.show, name="bulk-form"),
    path("customers/bulk/<int:batch_id>/", result.show, name="bulk-result"),
    path("customers/bulk/<int:batch_id>/file/", result.file, name="bulk-file"),
    path("customers/bulk/<int:batch_id>/undo/", result.undo, name="bulk-undo"),
]
