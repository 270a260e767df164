from django.urls import path

from changke.interfaces.web.record import allergy, customer, hub, note, sale, visit, void

urlpatterns = [
    path("record/", hub.show, name="record"),
    path("record/customer/", customer.write, name="record-customer"),
    path("record/customer/known/", customer.known_phone, name="record-known-phone"),
    path("record/customer/referrers/", customer.referrers, name="record-referrers"),
    path("record/sale/", sale.write, {"kind": "sale"}, name="record-sale"),
    path("record/use/", sale.write, {"kind": "use"}, name="record-use"),
    path("record/return/", sale.write, {"kind": "return"}, name="record-return"),
    path("record/items/", sale.items, name="record-items"),
    path("record/void/<int:receipt_id>/", void.take_back, name="record-void"),
    path("record/restore/<int:receipt_id>/", void.put_back, name="record-restore"),
    path("record/visit/", visit.write, name="record-visit"),
    path("record/note/", note.write, name="record-note"),
    path("record/allergy/", allergy.write, name="record-allergy"),
]
