from django.http import HttpRequest, HttpResponse

from changke.interfaces.web.answers import answer


def hub(request: HttpRequest) -> HttpResponse:
    return answer(request, "record/hub.html", {"nav": "record"})
