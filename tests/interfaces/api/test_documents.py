"""What we say about the API is what it does: the document, its page, and the commands of the how-to."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from changke.foundation.access.services import issue_key
from changke.foundation.errors import DomainError
from changke.interfaces.api.v1.service import api
from tests.cast import Cast
from tests.interfaces.api.conftest import NOW, Caller

DOCS = Path(__file__).parents[3] / "docs"


def test_the_document_in_the_docs_is_that_of_the_code() -> None:
    kept = json.loads((DOCS / "reference" / "openapi.json").read_text())
    assert kept == json.loads(json.dumps(api.get_openapi_schema())), "run the command at the end of reference/api.md"


def test_every_route_says_what_it_does() -> None:
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, told in methods.items():
            assert len(told["description"]) > 20, (method, path)
            assert "4XX" in told["responses"], (method, path)
            assert told["security"], (method, path)


def test_every_body_has_an_example() -> None:
    document = api.get_openapi_schema()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if "requestBody" not in told:
                continue
            if "multipart/form-data" in told["requestBody"]["content"]:
                continue  # a form with files has no example; its command is in the how-to
            name = told["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][name]
            assert "examples" in schema or len(schema["properties"]) == 1, (method, path)


def test_the_reference_names_every_address_and_every_code() -> None:
    text = (DOCS / "reference" / "api.md").read_text()
    for path in api.get_openapi_schema(path_prefix="")["paths"]:
        start = path.split("/")[1]
        assert f"/{start}" in text, path
        assert f"/{re.sub(r'{.*}', '{id}', path.rpartition('/')[2])}" in text, path
    for error in ours(DomainError):
        assert f"`{error.code}`" in text, error


def ours(base: type[DomainError]) -> list[type[DomainError]]:
    """The refusals that this room raises itself."""
    found = [child for child in base.__subclasses__() if child.__module__.startswith("changke.interfaces.api")]
    named = [one for one in found if "code" in one.__dict__]
    return named + [deeper for child in base.__subclasses__() for deeper in ours(child)]


@pytest.mark.django_db
def test_the_page_of_the_document_runs_no_script_of_its_own_lines(cast: Cast) -> None:
    page = Caller().client.get("/api/v1/docs").content.decode()
    scripts = re.findall(r"<script([^>]*)>", page)
    assert scripts
    assert all('src="/static/' in one or 'type="application/json"' in one for one in scripts)
    assert "<style" not in page
    assert "http" not in re.sub(r'"[^"]*openapi.json"', "", page).replace("http-equiv", "")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here: apt install curl")
@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_how_to_do_what_they_say(live_server: LiveServer, cast: Cast) -> None:
    text = (DOCS / "howto" / "api.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 8
    secret = issue_key(name="how-to", role="hq", now=NOW).secret
    where = f'CHANGKE="{live_server.url}/api/v1"\nKEY="Authorization: Bearer {secret}"\n'
    script = "set -eu\n" + where + "\n".join(blocks[1:]).replace("curl -sS", "curl -sS --fail-with-body -w '\\n'")
    run = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"]}
    )
    assert run.returncode == 0, run.stdout + run.stderr
    answers = [json.loads(line) for line in run.stdout.splitlines() if line.strip()]
    assert len(answers) == "\n".join(blocks[1:]).count("curl ") - script.count("$(curl")  # those go into a variable
    reports = [one for one in answers if isinstance(one, dict) and "created" in one]
    assert [one["created"] for one in reports] == [1, 2, 1, 1, 3]
    assert all(one["refused"] == 0 for one in reports)
    assert any(isinstance(one, dict) and one.get("name") == "李小满" for one in answers)
