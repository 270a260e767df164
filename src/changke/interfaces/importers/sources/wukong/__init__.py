"""悟空CRM (72crm): customers, leads, contacts and follow-ups, each an export or a sheet of its own.

It has no number for a customer; her name (客户名称) is unique there and is her id here, within this source.
"""

from changke.interfaces.importers.parts import Part
from changke.interfaces.importers.sources.wukong import rules

KEY = "wukong"
WORDS = {
    "zh-hans": "悟空CRM（客户、线索、联系人、跟进记录）",
    "en": "Wukong CRM (customers, leads, contacts, follow-ups)",
    "zh-hant": "悟空CRM（客戶、線索、聯絡人、跟進記錄）",
}
PARTS = (
    Part("follow_ups", "notes", rules.FOLLOW_UP_NEEDS, rules.NOTE_COLUMNS, rules.follow_ups),
    Part("contacts", "notes", rules.CONTACT_NEEDS, rules.CONTACT_COLUMNS, rules.contacts),
    Part("leads", "customers", rules.LEAD_NEEDS, rules.LEAD_COLUMNS, rules.leads),
    Part("customers", "customers", rules.CUSTOMER_NEEDS, rules.CUSTOMER_COLUMNS, rules.customers),
)
