from django.urls import path

from changke.interfaces.web.settings import grants, keys, regions, roles, setup, staff, stages, stores, tags

urlpatterns = [
    path("setup/", setup.first_page, name="setup"),
    path("settings/", stages.show, name="settings"),
    path("settings/preview/", stages.preview, name="settings-preview"),
    path("settings/stores/", stores.show, name="settings-stores"),
    path("settings/stores/new/", stores.add, name="settings-store-new"),
    path("settings/stores/<int:store_id>/", stores.edit, name="settings-store"),
    path("settings/regions/new/", regions.add, name="settings-region-new"),
    path("settings/regions/<int:region_id>/", regions.edit, name="settings-region"),
    path("settings/regions/<int:region_id>/remove/", regions.remove, name="settings-region-remove"),
    path("settings/roles/", roles.show, name="settings-roles"),
    path("settings/roles/new/", roles.add, name="settings-role-new"),
    path("settings/roles/<int:role_id>/", roles.edit, name="settings-role"),
    path("settings/roles/<int:role_id>/remove/", roles.remove, name="settings-role-remove"),
    path("settings/grants/<int:grant_id>/end/", grants.end, name="settings-grant-end"),
    path("settings/staff/<int:staff_id>/roles/", grants.of_staff, name="settings-person-roles"),
    path("settings/keys/<int:key_id>/roles/", grants.of_key, name="settings-key-roles"),
    path("settings/staff/", staff.show, name="settings-staff"),
    path("settings/staff/new/", staff.add, name="settings-staff-new"),
    path("settings/staff/<int:staff_id>/", staff.edit, name="settings-person"),
    path("settings/tags/", tags.show, name="settings-tags"),
    path("settings/tags/words/", tags.word, name="settings-tag-word"),
    path("settings/tags/groups/new/", tags.group, name="settings-tag-group-new"),
    path("settings/tags/groups/<int:group_id>/", tags.group, name="settings-tag-group"),
    path("settings/tags/rules/new/", tags.rule, name="settings-tag-rule-new"),
    path("settings/tags/rules/<int:rule_id>/", tags.rule, name="settings-tag-rule"),
    path("settings/keys/", keys.show, name="settings-keys"),
    path("settings/keys/<int:key_id>/revoke/", keys.revoke, name="settings-key-revoke"),
]
