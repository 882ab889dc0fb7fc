# SPDX-License-Identifier: Apache-2.0
"""The ways in which a host can be granted, how its names may resolve, and the ways that are not egress: localhost, publish, a proxy."""
import json
import subprocess

import pytest
from integration.harness import until
from network.conftest import ZONE
from network.world import HERE, OTHER, SITE, SITE6, in_namespaces

pytestmark = pytest.mark.needs("root")
ATTEMPTS = ["/usr/bin/python3", f"{HERE}/attempts.py"]
# what is granted, and the URLs that are reached through it, each with the address at the other end
GRANTS = {
    "a wildcard": (["*.wild.example:80"], {"http://api.wild.example/": SITE, "http://deep.er.wild.example/": SITE}),
    "a wildcard beside names of the same port": (["*.wild.example:80", "ok.example:80"], {"http://ok.example/": SITE, "http://api.wild.example/": SITE}),
    "every name": (["*:80"], {"http://ok.example/": SITE, "http://other.example/": OTHER}),
    "an address": ([f"{SITE}:80"], {f"http://{SITE}/": SITE}),
    "an IPv6 address": ([f"[{SITE6}]:80"], {f"http://[{SITE6}]/": SITE6}),
    "a prefix": (["203.0.113.0/24:80"], {f"http://{SITE}/": SITE, f"http://{OTHER}/": OTHER}),
    "an IPv6 prefix": (["[2001:db8:2::/48]:80"], {f"http://[{SITE6}]/": SITE6}),
    "a private prefix": (["10.2.0.0/16:80"], {"http://10.2.7.7/": "10.2.7.7"}),
    "the metadata service itself": (["169.254.169.254:80"], {"http://169.254.169.254/": "169.254.169.254"}),
    "a list of ports": (["ok.example:80,8080"], {"http://ok.example/": SITE, "http://ok.example:8080/": SITE}),
    "a name with IPv6 alone": (["six.example:80"], {"http://six.example/": SITE6}),
    "a name of the hosts file": (["inhosts.example:80"], {"http://inhosts.example/": "203.0.113.30"}),
    "upper case and a trailing dot": (["OK.Example.:80"], {"http://ok.example/": SITE, "http://ok.example./": SITE, "http://OK.EXAMPLE/": SITE}),
    "names in the reserved range": ({"allow": ["ok.example:80"], "addresses": "240.0.0.0/4"}, {"http://ok.example/": SITE}),
    "names with their real addresses": ({"allow": ["ok.example:80"], "addresses": "real"}, {"http://ok.example/": SITE}),
    "every name with its real addresses": ({"allow": ["*:80"], "addresses": "real"}, {"http://ok.example/": SITE, "http://other.example/": OTHER}),
    "a private host that is named as one": ({"allow": [{"host": "db.corp.example", "ports": [80], "private": True}]}, {"http://db.corp.example/": "10.3.3.3"}),
}
# how the zone answers for ok.example, and the address that is reached all the same
RESOLUTIONS = {
    "several aliases": ({"ok.example": {"CNAME": "a.example"}, "a.example": {"CNAME": "b.example"}, "b.example": {"A": [SITE]}}, SITE),
    "an answer that UDP cannot hold": ({"ok.example": {"A": [SITE], "mode": "truncated"}}, SITE),
    "hundreds of records": ({"ok.example": {"A": [f"203.0.113.{n}" for n in range(10, 250)] * 3}}, None),
    "a slow server": ({"ok.example": {"A": [SITE], "delay": 1}}, SITE),
    "a first address that is private": ({"ok.example": {"A": ["10.1.1.1", SITE]}}, SITE),
    "an address that is the host's own": ({"ok.example": {"A": ["127.0.0.1", SITE]}}, SITE),
}
FAILURES = {
    "no server that answers": {"mode": "never"},
    "a server that fails": {"mode": "servfail"},
    "an answer for another name": {"A": [SITE], "mode": "lie"},
    "an answer with another number": {"A": [SITE], "mode": "forged"},
    "garbage": {"mode": "garbage"},
    "an alias of itself": {"CNAME": "ok.example"},
    "no address": {},
}


def fetched(wire, url):
    return json.loads(wire.out(["curl", "-gsS", "--max-time", "60", url]))["address"]


@pytest.mark.parametrize("what", GRANTS)
def test_a_grant_reaches_what_it_says(world, guest, what):
    network, urls = GRANTS[what]
    world.internet.zone({**ZONE, "db.corp.example": {"A": ["10.3.3.3"]}})
    wire = guest.serve_profile(network if isinstance(network, dict) else {"allow": network})
    assert {url: fetched(wire, url) for url in urls} == urls
    assert wire.end() == 0


@pytest.mark.parametrize("addresses", ["198.18.0.0/15", "real"])
def test_a_private_host_that_is_named_as_one_for_a_port_is_reached_on_that_port_alone(world, guest, addresses):
    world.internet.zone({**ZONE, "db.corp.example": {"A": ["10.3.3.3"]}})
    wire = guest.serve_profile({"allow": ["db.corp.example:8080", {"host": "db.corp.example", "ports": [80], "private": True}], "addresses": addresses})
    assert fetched(wire, "http://db.corp.example/") == "10.3.3.3"
    world.internet.take()
    assert wire.out([*ATTEMPTS, "tcp", "db.corp.example", "8080"]) == "RESET\n"
    assert wire.end() == 0
    assert world.internet.take()["hits"] == []


@pytest.mark.parametrize("what", RESOLUTIONS)
def test_a_name_resolves_however_its_servers_answer(world, guest, what):
    zone, address = RESOLUTIONS[what]
    world.internet.zone({**ZONE, **zone})
    wire = guest.serve("--host", "ok.example:80")
    got = fetched(wire, "http://ok.example/")
    assert got == address or address is None and got.startswith("203.0.113.")
    assert wire.end() == 0


@pytest.mark.parametrize("what", FAILURES)
def test_a_name_that_cannot_be_resolved_resets_the_connection(world, guest, what):
    world.internet.zone({**ZONE, "ok.example": FAILURES[what]})
    wire = guest.serve_profile({"allow": ["ok.example:80"], "limits": {"connect": "2s", "resolve": "2s"}})
    assert wire.out([*ATTEMPTS, "tcp", "ok.example", "80"]) == "RESET\n"
    assert wire.end() == 0
    [connect] = guest.net_records("net.connect")
    assert connect["name"] == "ok.example" and connect["status"] != "connected"
    assert world.internet.take()["hits"] == []


@pytest.mark.parametrize("mode", ["fake addresses", "real addresses"])
def test_an_answer_that_changes_between_check_and_dial_changes_nothing(world, guest, mode):
    world.internet.zone({**ZONE, "ok.example": {"turns": [[SITE]] + [["127.0.0.1"]] * 50}})
    wire = guest.serve_profile({"allow": ["ok.example:80"], **({"addresses": "real"} if mode == "real addresses" else {})})
    said = [wire.out([*ATTEMPTS, "tcp", "ok.example", "80"]).strip() for _ in range(3)]
    assert said == ["REACHED internet", *(["RESET"] if mode == "fake addresses" else ["NONAME"]) * 2]
    assert wire.end() == 0
    assert world.local.take()["hits"] == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_the_hosts_localhost_is_reached_on_the_port_that_is_granted_and_on_no_other(world, guest, address):
    wire = guest.serve("--host", "localhost:8080")
    host = f"[{address}]" if ":" in address else address
    assert fetched(wire, f"http://{host}:8080/") in ("127.0.0.1", "::1")
    assert world.local.take()["hits"] != []
    assert wire.out([*ATTEMPTS, "tcp", address, "80"]) == "REFUSED\n"
    assert wire.end() == 0
    assert world.local.take()["hits"] == []


LISTEN = ["/usr/bin/python3", "-c",
          "import http.server as h\n"
          "class C(h.BaseHTTPRequestHandler):\n"
          " def do_GET(self):\n"
          "  self.send_response(200); self.end_headers(); self.wfile.write(b'callback ' + self.path.encode())\n"
          "h.ThreadingHTTPServer(('127.0.0.1', 3999), C).serve_forever()\n"]


def test_a_published_port_takes_the_callback_of_a_login_and_no_other_port_does(world, guest):
    wire = guest.serve_profile({"publish": [3999]})
    wire.ids += 1
    wire.send({"jsonrpc": "2.0", "id": wire.ids, "method": "tools/call",
               "params": {"name": "run", "arguments": {"argv": LISTEN, "timeout": 600}}})
    ask = ["curl", "-sS", "--max-time", "30", "http://127.0.0.1:3999/callback?code=1"]
    until(lambda: guest.outside(ask).stdout == "callback /callback?code=1")
    from_afar = subprocess.run(in_namespaces(world.net.pid, ["curl", "-sS", "--max-time", "30", "http://198.51.100.2:3999/"]),
                               capture_output=True, text=True, check=False)
    assert from_afar.returncode == 7, "on the host's loopback alone"
    wire.end()
    assert guest.outside(ask).returncode == 7, "gone with the session"
    closed = [r for r in guest.net_records("net.close") if r.get("method") == "publish" and r["status"] == "ok"]
    assert closed and closed[0]["bytes_in"] > 0 and closed[0]["bytes_out"] > 0, guest.net_records()


def test_a_port_that_another_program_has_is_named_in_the_refusal(guest):
    guest.profile("taken", {"stockade": 1, "name": "taken", "version": 1, "command": ["/usr/bin/true"], "network": {"publish": [3998, 8080]}})
    guest.approve("taken")
    r = guest.stockade("run", "taken", check=125)
    assert "cannot offer port 8080 on 127.0.0.1" in r.stderr and "publish another port" in r.stderr, r.stderr


def test_through_a_proxy_names_are_the_proxys_to_resolve_and_no_question_leaves(proxied, guest, watcher):
    wire = guest.serve("--host", "ok.example:80")
    assert json.loads(wire.out(["curl", "-sS", "http://OK.example/"]))["address"] == SITE
    assert wire.out([*ATTEMPTS, "tcp", "other.example", "80"]) == "NONAME\n"
    assert {(p["to"], p["port"]) for p in watcher.take()} == {("198.51.100.1", 3128)}
    seen = proxied.internet.take()
    assert seen["proxy"] == ["CONNECT ok.example:80"] and seen["queries"] == []
    assert wire.end() == 0
    [connect] = guest.net_records("net.connect")
    assert (connect["name"], connect["address"]) == ("ok.example", "198.51.100.1") and "through the proxy" in connect["reason"]


def test_through_a_proxy_addresses_go_too_and_the_hosts_localhost_does_not(proxied, guest, watcher):
    wire = guest.serve("--host", "10.2.0.0/16:80", "--host", f"[{SITE6}]:80", "--host", "localhost:8080")
    for host in ("10.2.7.7", f"[{SITE6}]"):
        assert fetched(wire, f"http://{host}/") == SITE, "where this proxy leads"
    assert fetched(wire, "http://127.0.0.1:8080/") == "127.0.0.1"
    assert {(p["to"], p["port"]) for p in watcher.take()} == {("198.51.100.1", 3128)}
    assert proxied.internet.take()["proxy"] == ["CONNECT 10.2.7.7:80", f"CONNECT [{SITE6}]:80"]
    assert wire.end() == 0
    assert [("proxy" in r.get("reason", ""), r["port"]) for r in guest.net_records("net.connect")] == [(True, 80), (True, 80), (False, 8080)]


def test_what_the_proxy_refuses_is_reset_and_recorded(proxied, guest):
    proxied.internet.do("proxy", status=403)
    wire = guest.serve("--host", "ok.example:80")
    assert wire.out([*ATTEMPTS, "tcp", "ok.example", "80"]) == "RESET\n"
    assert wire.end() == 0
    [connect] = guest.net_records("net.connect")
    assert connect["reason"] == "the proxy answered 403", connect
