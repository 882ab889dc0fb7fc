# SPDX-License-Identifier: Apache-2.0
"""Real MCP servers that need the network, as their registries have them, each with a stand-in for what it talks to.

The name is granted and resolves, by the name server of the tests' own "internet", to what answers there; the certificate is the tests'
authority's. Beside each way that works stands what the same server cannot do, and what the log says of it.
"""
import json

import pytest
from integration.harness import MODULES, NODE22, PYTHON, STAGE
from network.world import HERE, SITE

pytestmark = pytest.mark.needs("root")
PUBLIC = "192.31.196.10"  # of AS112, where what nobody wants is sent to (RFC 7535): public by its registry, and here as all else ours
# readabilipy, which mcp-server-fetch brings, runs "npm install" for the first page where it finds a node, and waits for minutes.
NO_NODE = {"PATH": "/var/empty"}
FETCH = [PYTHON, "-m", "mcp_server_fetch"]
GITHUB = [NODE22, f"{MODULES}/@modelcontextprotocol/server-github/dist/index.js"]


def said(answer):
    """What a tool answered, and whether it calls that an error."""
    result = answer["result"]
    return result["content"][0]["text"], result.get("isError", False)


def fetcher(guest, *words, **network):
    return guest.serve_profile({"allow": ["ok.example:443"], **network}, command=[*FETCH, *words],
                               filesystem={"read": [HERE, f"{STAGE}/venv", guest.world.ca]}, env={"set": {"SSL_CERT_FILE": guest.world.ca, **NO_NODE}})


def fetch(wire, url):
    return said(wire.call("fetch", {"url": url}, timeout=60))


# how the fetcher and the sandbox agree on addresses: its own guard against SSRF refuses those that stand for names
AGREEMENTS = {
    "with real addresses": ([], {"addresses": "real"}, PUBLIC),
    "with its guard off, the sandbox's on": (["--allow-private-ips"], {}, SITE),
}


@pytest.mark.parametrize("how", AGREEMENTS)
def test_mcp_server_fetch_fetches_what_is_granted_and_nothing_else(guest, how):
    words, network, at = AGREEMENTS[how]
    guest.world.internet.zone({"ok.example": {"A": [at]}, "other.example": {"A": [at]}})
    wire = fetcher(guest, *words, **network)
    text, error = fetch(wire, "https://ok.example/page")
    assert "The page says hello to the reader" in text and not error, text
    for url in ("https://other.example/page", "https://ok.example:8443/page", f"https://{SITE}/page", "http://169.254.169.254/latest/meta-data/"):
        text, error = fetch(wire, url)
        assert error and "The page says" not in text, (url, text)
    assert wire.end() == 0
    hits = guest.world.internet.take()["hits"]
    assert {(h["address"], h["port"]) for h in hits} == {(at, 443)}, hits
    lacks = guest.stockade("audit", "show", "--denied", check=0).stdout
    for line in ("other.example:443", "ok.example:8443"):
        assert f'would be granted by  network.allow: "{line}"' in lacks, lacks
    assert "ok.example" not in {r["name"] for r in guest.net_records("net.name")}


def test_the_curated_profile_of_mcp_server_fetch_fetches_from_the_hosts_that_are_given_to_it(guest):
    """By its name, as its README's reader would start it; the authority is this test's alone, so by plain HTTP."""
    guest.env["PATH"] = f"{STAGE}/venv/bin:{guest.env['PATH']}"
    words = ["--set", "hosts=ok.example:80", "--set", "hosts=*.wild.example:80", "mcp-server-fetch"]
    assert "DANGEROUS" not in guest.stockade("check", *words, check=0).stdout
    guest.approve(*words)
    wire = guest.start(*words)
    wire.initialize()
    for url in ("http://ok.example/page", "http://api.wild.example/page", "http://ok.example/redirect?http://api.wild.example/page"):
        text, error = fetch(wire, url)
        assert "The page says hello to the reader" in text and not error, (url, text)
    for url in ("http://other.example/page", "http://ok.example:8080/page", "http://ok.example/redirect?http://169.254.169.254/page"):
        text, error = fetch(wire, url)
        assert error and "The page says" not in text, (url, text)
    assert wire.end() == 0
    assert {(r["name"], r["port"]) for r in guest.net_records("net.connect")} == {("ok.example", 80), ("api.wild.example", 80)}
    r = guest.stockade("check", "--set", "hosts=*", "mcp-server-fetch")
    assert "whatever it can read it can send to machines that nobody named" in r.stdout, r.stdout


def test_mcp_server_fetch_says_why_it_refuses_addresses_that_stand_for_names(guest):
    wire = fetcher(guest)
    text, error = fetch(wire, "https://ok.example/page")
    assert error and "not a public address" in text, text
    wire.end()


def test_a_fetched_page_may_not_lead_the_fetcher_elsewhere(guest):
    """What the page's own server answers is hostile: it sends the fetcher on, to the cloud's metadata and to another host."""
    wire = fetcher(guest, "--allow-private-ips")
    assert "The page says" in fetch(wire, "https://ok.example/redirect?https://ok.example/page")[0], "the control: it goes where it is sent"
    for to in ("http://169.254.169.254/page", "https://other.example/page", "http://127.0.0.1:8080/page"):
        text, error = fetch(wire, f"https://ok.example/redirect?{to}")
        assert error and "The page says" not in text, (to, text)
    wire.end()
    assert {h["address"] for h in guest.world.internet.take()["hits"]} == {SITE}
    assert guest.world.local.take()["hits"] == []


def test_the_github_server_asks_its_api_and_nobody_else(guest):
    world = guest.world
    world.internet.zone({"api.github.com": {"A": [SITE]}, "github.com": {"A": [SITE]}})
    wire = guest.serve_profile({"allow": ["api.github.com"]}, command=GITHUB, filesystem={"read": [f"{STAGE}/node", world.ca]},
                               env={"set": {"NODE_EXTRA_CA_CERTS": world.ca}})
    text, error = said(wire.call("get_issue", {"owner": "o", "repo": "r", "issue_number": 7}))
    assert not error and json.loads(text)["path"] == "/repos/o/r/issues/7", text
    text, error = said(wire.call("create_issue", {"owner": "o", "repo": "r", "title": "a title"}))
    assert not error and (json.loads(text)["host"], json.loads(text)["sent"]) == ("api.github.com", 19), text
    assert wire.end() == 0
    assert {r["name"] for r in guest.net_records("net.connect")} == {"api.github.com"}
    assert guest.net_records("net.name", "net.denied") == []


def test_the_github_server_without_its_api_says_that_it_failed_and_the_log_what_it_lacks(guest):
    guest.world.internet.zone({"api.github.com": {"A": [SITE]}})
    wire = guest.serve_profile({"allow": ["ok.example:443"]}, command=GITHUB, filesystem={"read": [f"{STAGE}/node"]})
    answer = wire.call("get_issue", {"owner": "o", "repo": "r", "issue_number": 7})
    assert "error" in answer or answer["result"]["isError"], answer
    wire.end()
    assert guest.world.internet.take()["hits"] == []
    lacks = guest.stockade("audit", "show", "--denied", check=0).stdout
    assert 'would be granted by  network.allow: "api.github.com:443"' in lacks, lacks
