from django.urls import path

from changke.interfaces.web.record import views

urlpatterns = [
    path("record/", views.hub, name="record"),
    path("record/customer/", views.hub, name="record-customer"),
    path("record/sale/", views.hub, name="record-sale"),
    path("record/visit/", views.hub, name="record-visit"),
    path("record/note/", views.hub, name="record-note"),
    path("record/allergy/", views.hub, name="record-allergy"),
]
