from django.urls import path

from changke.interfaces.web.advisers import hand_over, lists

urlpatterns = [
    path("advisers/", lists.show, name="advisers"),
    path("advisers/<int:staff_id>/hand-over/", hand_over.form, name="hand-over"),
    path("advisers/hand-overs/<int:batch_id>/", hand_over.result, name="hand-over-result"),
    path("advisers/hand-overs/<int:batch_id>/undo/", hand_over.undo, name="hand-over-undo"),
]
