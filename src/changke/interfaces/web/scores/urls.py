from django.urls import path

from changke.interfaces.web.scores import define, load

urlpatterns = [
    path("settings/scores/", define.show, name="scores"),
    path("settings/scores/new/", define.add, name="score-new"),
    path("settings/scores/<int:score_id>/", define.edit, name="score"),
    path("settings/scores/<int:score_id>/ask/", define.ask, name="score-ask"),
    path("scores/load/", load.new, name="scores-load"),
    path("scores/loads/<int:batch_id>/", load.show, name="scores-result"),
    path("scores/loads/<int:batch_id>/refused/", load.refused, name="scores-refused"),
    path("scores/loads/<int:batch_id>/undo/", load.undo, name="scores-undo"),
]
