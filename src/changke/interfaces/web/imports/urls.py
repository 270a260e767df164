from django.urls import path

from changke.interfaces.web.imports import lists, load, mapping, matching, new, result

urlpatterns = [
    path("imports/", lists.show, name="imports"),
    path("imports/new/", new.show, name="imports-new"),
    path("imports/samples/<slug:sample>/", new.load_sample, name="imports-sample"),
    path("imports/<int:batch_id>/", lists.open_one, name="imports-open"),
    path("imports/<int:batch_id>/row/", lists.row, name="imports-row"),
    path("imports/<int:batch_id>/discard/", lists.throw_away, name="imports-discard"),
    path("imports/<int:batch_id>/map/", mapping.show, name="imports-map"),
    path("imports/<int:batch_id>/match/", matching.show, name="imports-match"),
    path("imports/<int:batch_id>/run/", load.show, name="imports-run"),
    path("imports/<int:batch_id>/result/", result.show, name="imports-result"),
    path("imports/<int:batch_id>/errors/", result.error_file, name="imports-errors"),
    path("imports/<int:batch_id>/kept/", result.kept, name="imports-kept"),
    path("imports/<int:batch_id>/undo/", result.undo, name="imports-undo"),
]
