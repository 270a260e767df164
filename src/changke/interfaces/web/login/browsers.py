"""What a browser calls itself, in words that tell one device from another. A guess, for eyes only."""

from django.utils.translation import gettext

# The first that occurs wins: most browsers also claim to be the ones they descend from.
PROGRAMS = (
    ("wxwork/", "WeCom"), ("MicroMessenger/", "WeChat"), ("Edg", "Edge"), ("OPR/", "Opera"), ("QQBrowser", "QQ"),
    ("HuaweiBrowser", "Huawei Browser"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPad", "iPad"), ("iPhone", "iPhone"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
    ("Windows", "Windows"), ("Macintosh", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def browser_words(agent: str) -> str:
    """`Chrome · Android`; what we do not know we do not guess."""
    known = [next((words for sign, words in signs if sign in agent), "") for signs in (PROGRAMS, SYSTEMS)]
    return " · ".join(filter(None, known)) or gettext("Unknown browser")
