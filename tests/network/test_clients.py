# SPDX-License-Identifier: Apache-2.0
"""Real clients, unchanged, through a real sandbox: name by name server, TLS, and whatever their runtime does or ignores."""
import json

import pytest
from integration.harness import PYTHON
from network.conftest import PACKAGES
from network.world import SITE

pytestmark = pytest.mark.needs("root")
URL = "https://ok.example/hello?x=1"
PYTHON_CLIENTS = {
    "urllib": "import urllib.request as r; print(r.urlopen(URL).read().decode())",
    "http.client": "import http.client as h; c=h.HTTPSConnection('ok.example'); c.request('GET','/hello?x=1'); print(c.getresponse().read().decode())",
    "requests": "import requests; print(requests.get(URL).text)",
    "httpx": "import httpx; print(httpx.get(URL).text)",
    "aiohttp": "import aiohttp,asyncio\n"
               "async def f():\n"
               " async with aiohttp.ClientSession() as s:\n"
               "  async with s.get(URL) as r: print(await r.text())\n"
               "asyncio.run(f())",
}


def reached(text):
    """What the server at the other end says of this request."""
    said = json.loads(text)
    assert (said["role"], said["address"], said["port"], said["host"]) == ("internet", SITE, 443, "ok.example"), said
    return said


def test_curl_fetches_a_page_by_name_over_tls(guest, trust):
    wire = guest.serve(*trust, "--host", "ok.example:443")
    assert reached(wire.out(["curl", "-sS", "--max-time", "20", URL]))["path"] == "/hello?x=1"
    assert wire.end() == 0


@pytest.mark.parametrize("client", PYTHON_CLIENTS)
def test_python_fetches_a_page_by_name_over_tls(guest, trust, client):
    wire = guest.serve(*trust, *PACKAGES, "--host", "ok.example:443")
    reached(wire.out([PYTHON, "-c", f"URL={URL!r}\n{PYTHON_CLIENTS[client]}"]))
    assert wire.end() == 0


