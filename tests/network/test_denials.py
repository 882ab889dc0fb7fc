# SPDX-License-Identifier: Apache-2.0
"""What must not be reached: each row is tried for real inside, where it must fail so, and outside, where it works.

The control shows that the attempt is one: what answers it is real. Whatever the sandbox let through would be seen by what answers
outside, and nothing must be.
"""
import json

import pytest
from network.conftest import ZONE
from network.world import HERE, OTHER, OWN4, OWN6, OWN_PRIVATE, SITE, SITE6

pytestmark = pytest.mark.needs("root")
ATTEMPTS = ["/usr/bin/python3", f"{HERE}/attempts.py"]
OK, HTTP, WILD = ["ok.example:443"], ["ok.example:80"], ["*.wild.example:80,443"]
REACHED = "REACHED internet"

# what it is, grants, attempt, inside, control
LITERAL = (
    ("a literal address", OK, f"tcp {SITE} 443", "UNREACHABLE", "EOF"),
    ("a literal address on a plain port", HTTP, f"tcp {SITE} 80", "UNREACHABLE", REACHED),
    ("a literal IPv6 address", HTTP, f"tcp {SITE6} 80", "UNREACHABLE", REACHED),
    ("the metadata service of clouds", HTTP, "tcp 169.254.169.254 80", "UNREACHABLE", REACHED),
    ("the metadata service of AWS in IPv6", HTTP, "tcp fd00:ec2::254 80", "UNREACHABLE", REACHED),
    ("the metadata service of Alibaba", HTTP, "tcp 100.100.100.200 80", "UNREACHABLE", REACHED),
    ("the agent of Azure", HTTP, "tcp 168.63.129.16 80", "UNREACHABLE", REACHED),
    ("the metadata service of Oracle", HTTP, "tcp 192.0.0.192 80", "UNREACHABLE", REACHED),
    ("a private address", HTTP, "tcp 10.1.2.3 80", "UNREACHABLE", REACHED),
    ("the host's own public address", HTTP, f"tcp {OWN4} 80", "UNREACHABLE", "REACHED host"),
    ("the host's own IPv6 address", HTTP, f"tcp {OWN6} 80", "UNREACHABLE", "REACHED host"),
    ("the host's own private address", HTTP, f"tcp {OWN_PRIVATE} 80", "UNREACHABLE", "REACHED host"),
    ("the host's loopback", HTTP, "tcp 127.0.0.1 80", "REFUSED", "REACHED host"),
    ("the host's IPv6 loopback", HTTP, "tcp ::1 80", "REFUSED", "REACHED host"),
    ("the host's loopback as localhost", HTTP, "tcp localhost 80", "REFUSED", "REACHED host"),
    ("the host's loopback as 0.0.0.0", HTTP, "tcp 0.0.0.0 80", "REFUSED", "REACHED host"),
    ("the loopback as a decimal number", HTTP, "tcp 2130706433 80", "REFUSED", "REACHED host"),
    ("the loopback in octal", HTTP, "tcp 0177.0.0.1 80", "REFUSED", "REACHED host"),
    ("the loopback in hexadecimal", HTTP, "tcp 0x7f.1 80", "REFUSED", "REACHED host"),
    ("the loopback in mapped form", HTTP, "tcp ::ffff:127.0.0.1 80", "REFUSED", "REACHED host"),
    ("metadata in octal", HTTP, "tcp 0251.0376.0251.0376 80", "UNREACHABLE", REACHED),
    ("metadata as a decimal number", HTTP, "tcp 2852039166 80", "UNREACHABLE", REACHED),
    ("metadata in mapped form", HTTP, "tcp ::ffff:169.254.169.254 80", "UNREACHABLE", REACHED),
    ("another name server", HTTP, "tcp 198.51.100.53 53", "UNREACHABLE", "TIMEOUT"),
    ("an unmapped fake address", HTTP, "tcp 198.18.77.77 80", "REFUSED", REACHED),
    ("an unmapped fake address under a wildcard", WILD, "tcp 198.18.77.77 80", "RESET", REACHED),
    ("a literal address under a wildcard", WILD, f"tcp {SITE} 80", "UNREACHABLE", REACHED),
    ("a literal address in real-address mode", {"allow": HTTP, "addresses": "real"}, f"tcp {OTHER} 80", "RESET", REACHED),
    ("metadata in real-address mode", {"allow": HTTP, "addresses": "real"}, "tcp 169.254.169.254 80", "RESET", REACHED),
    ("UDP to a granted port", OK, f"udp {SITE} 443", "UNREACHABLE", "REFUSED"),
    ("UDP to a granted name", OK, "udp ok.example 443", "REFUSED", "REFUSED"),
)
PORTS = (
    ("another port of a granted name", OK, "tcp ok.example 80", "REFUSED", REACHED),
    ("another port under a wildcard", ["*.wild.example:443"], "tcp api.wild.example 80", "REFUSED", REACHED),
    ("another port of a name beside a wildcard", ["ok.example:443", "*.wild.example:80"], "tcp ok.example 80", "RESET", REACHED),
    ("another port in real-address mode", {"allow": OK, "addresses": "real"}, "tcp ok.example 80", "REFUSED", REACHED),
    ("another port of a granted prefix", ["203.0.113.0/24:8080"], f"tcp {SITE} 80", "REFUSED", REACHED),
    ("an address beside a granted prefix", ["203.0.113.0/28:80"], f"tcp {OTHER} 80", "UNREACHABLE", REACHED),
)
NAMES = (
    ("a name that is not granted", HTTP, "tcp other.example 80", "NONAME", REACHED),
    ("a granted name with another behind it", HTTP, "tcp ok.example.evil.example 80", "NONAME", REACHED),
    ("a granted name with another before it", HTTP, "tcp evil.ok.example 80", "NONAME", REACHED),
    ("a granted name with its dots elsewhere", HTTP, "tcp ok.exa.mple 80", "NONAME", REACHED),
    ("the name that a wildcard stands below", WILD, "tcp wild.example 80", "NONAME", REACHED),
    ("a name that only ends like a wildcard", WILD, "tcp evilwild.example 80", "NONAME", REACHED),
    ("a name of the search domain", ["*:80"], "tcp intern 80", "NONAME", REACHED),
    ("a name of the host's own hosts file", HTTP, "tcp inhosts.example 80", "NONAME", REACHED),
    ("the host's metadata name", HTTP, "tcp metadata.google.internal 80", "NONAME", REACHED),
    ("a wildcard's many names once they are used up", {"allow": ["*.wild.example:80"], "limits": {"names": 20}},
     "exhaust *.wild.example 40", "20 KEPT", "1 KEPT"),
)
EVIL = {"evil.example", "ok.example.evil.example", "evil.ok.example", "ok.exa.mple", "evilwild.example", "intern.corp.example",
        "metadata.google.internal"}
ZONE_NAMES = {**ZONE, **{n: {"A": [SITE]} for n in EVIL}, **{f"n{i}.wild.example": {"A": [SITE]} for i in range(40)}}


def forbidden(**records):
    return {**ZONE, "ok.example": records}


# The granted name's own records, by whoever owns its zone.
ANSWERS = {
    "the loopback": ({"A": ["127.0.0.1"]}, "REACHED host"),
    "the loopback by another number": ({"A": ["127.8.9.10"]}, "REACHED host"),
    "the IPv6 loopback": ({"AAAA": ["::1"]}, "REACHED host"),
    "the unspecified address": ({"A": ["0.0.0.0"]}, "REACHED host"),
    "a private address": ({"A": ["10.1.2.3"]}, REACHED),
    "another private address": ({"A": ["172.16.3.4"]}, REACHED),
    "a third private address": ({"A": ["192.168.1.1"]}, REACHED),
    "a private IPv6 address": ({"AAAA": ["fd12:3456::1"]}, REACHED),
    "a carrier's address": ({"A": ["100.64.1.1"]}, REACHED),
    "the metadata service": ({"A": ["169.254.169.254"]}, REACHED),
    "the IPv6 metadata service": ({"AAAA": ["fd00:ec2::254"]}, REACHED),
    "Azure's agent": ({"A": ["168.63.129.16"]}, REACHED),
    "Alibaba's metadata service": ({"A": ["100.100.100.200"]}, REACHED),
    "Oracle's metadata service": ({"A": ["192.0.0.192"]}, REACHED),
    "a mapped loopback": ({"AAAA": ["::ffff:127.0.0.1"]}, "REACHED host"),
    "a mapped metadata service": ({"AAAA": ["::ffff:169.254.169.254"]}, REACHED),
    "a NAT64 address of the metadata service": ({"AAAA": ["64:ff9b::a9fe:a9fe"]}, REACHED),
    "a 6to4 address of the loopback": ({"AAAA": ["2002:7f00:1::1"]}, REACHED),
    "a Teredo address": ({"AAAA": ["2001:0:7f00:1::1"]}, REACHED),
    "a fake address": ({"A": ["198.18.0.16"]}, REACHED),
    "the host's own public address": ({"A": [OWN4]}, "REACHED host"),
    "the host's own IPv6 address": ({"AAAA": [OWN6]}, "REACHED host"),
    "the host's own private address": ({"A": [OWN_PRIVATE]}, "REACHED host"),
    "the loopback behind an alias": ({"CNAME": "inner.example"}, "REACHED host"),
}


def attempt(guest, network, words, control, inside):
    said = guest.outside([*ATTEMPTS, *words]).stdout.strip()
    assert said == control, f"the control: {said}"
    guest.world.internet.take()
    guest.world.local.take()
    wire = guest.serve_profile(network if isinstance(network, dict) else {"allow": network})
    said = wire.out([*ATTEMPTS, *words]).strip()
    assert said == inside, said
    assert wire.end() == 0
    for service in (guest.world.internet, guest.world.local):
        assert service.take()["hits"] == [], "it was reached all the same"


ROWS = (*LITERAL, *PORTS, *NAMES)


@pytest.mark.parametrize("what,network,words,inside,control", ROWS, ids=[r[0] for r in ROWS])
def test_it_is_not_reached(guest, what, network, words, inside, control):
    guest.world.internet.zone(ZONE_NAMES)
    attempt(guest, network, words.split(), control, inside)


@pytest.mark.parametrize("mode", ["fake addresses", "real addresses"])
@pytest.mark.parametrize("where", ANSWERS)
def test_a_granted_name_that_leads_there_is_not_connected(guest, where, mode):
    records, control = ANSWERS[where]
    guest.world.internet.zone({**ZONE, "ok.example": records, "inner.example": {"A": ["127.0.0.1"]}})
    network = {"allow": ["ok.example:80"], **({"addresses": "real"} if mode == "real addresses" else {})}
    attempt(guest, network, ["tcp", "ok.example", "80"], control, "RESET" if mode == "fake addresses" else "NONAME")
    [denied] = [r for r in guest.net_records("net.connect") if r["decision"] == "deny"]
    assert denied["name"] == "ok.example" and denied["reason"].startswith("the name leads to"), json.dumps(denied)
