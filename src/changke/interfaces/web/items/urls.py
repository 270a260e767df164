from django.urls import path

from changke.interfaces.web.items import categories, edit, lists, mark, sheet

urlpatterns = [
    path("settings/items/", lists.show, name="items"),
    path("settings/items/new/", edit.add, name="item-new"),
    path("settings/items/mark/", mark.show, name="items-mark"),
    path("settings/items/mark/<slug:number>/undo/", mark.undo, name="items-mark-undo"),
    path("settings/items/sheet/", sheet.load, name="items-sheet"),
    path("settings/items/file/", sheet.take_out, name="items-file"),
    path("settings/items/<int:item_id>/", edit.change, name="item"),
    path("settings/categories/", categories.show, name="categories"),
    path("settings/categories/new/", categories.add, name="category-new"),
    path("settings/categories/<int:category_id>/", categories.change, name="category"),
]
