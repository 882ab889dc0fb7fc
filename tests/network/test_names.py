# SPDX-License-Identifier: Apache-2.0
"""What the name server inside says, and what the ClientHello must say on the ports of TLS."""
import pytest
from network.world import HERE, SITE

pytestmark = pytest.mark.needs("root")
ATTEMPTS = ["/usr/bin/python3", f"{HERE}/attempts.py"]
QUESTIONS = {
    "a granted name has one address": ("ok.example 1", "NOERROR 1"),
    "so it has with a trailing dot": ("ok.example. 1", "NOERROR 1"),
    "so it has in mixed case": ("oK.eXAMple 1", "NOERROR 1"),
    "so it has by TCP": ("ok.example 1 tcp", "NOERROR 1"),
    "it has none of IPv6": ("ok.example 28", "NOERROR 0"),
    "it has no HTTPS record": ("ok.example 65", "NOERROR 0"),
    "it has no text": ("ok.example 16", "NOERROR 0"),
    "it has no mail server": ("ok.example 15", "NOERROR 0"),
    "another name is not there": ("evil.example 1", "NXDOMAIN 0"),
    "another name has no text": ("evil.example 16", "NXDOMAIN 0"),
    "a name below the granted one is not there": ("a.ok.example 1", "NXDOMAIN 0"),
    "a dot inside a label is malformed": ("\\x0aok.example\\x00\\x00 1 udp raw", "FORMERR 0"),
    "a NUL inside a label is malformed": ("\\x05ok\\x00ab\\x07example\\x00 1 udp raw", "FORMERR 0"),
    "a line's end inside a label is no name": ("\\x06ok\\x0d\\x0aab\\x07example\\x00 1 udp raw", "NXDOMAIN 0"),
    "a pointer that leads to itself is malformed": ("\\xc0\\x0c 1 udp raw", "FORMERR 0"),
    "a label of sixty-four bytes is malformed": ("\\x40" + "a" * 64 + "\\x00 1 udp raw", "FORMERR 0"),
}
HELLOS = {
    "the granted name is let through": ("ok.example", "REACHED"),
    "the granted name in upper case is let through": ("OK.EXAMPLE", "REACHED"),
    "the granted name in pieces of one byte is let through": ("ok.example 1", "REACHED"),
    "the granted name in records of seven bytes is let through": ("ok.example 0 7", "REACHED"),
    "the granted name in small records and pieces is let through": ("ok.example 3 50", "REACHED"),
    "another name is refused": ("other.example", "ALERT"),
    "another name in pieces is refused": ("other.example 1", "ALERT"),
    "another name in small records is refused": ("other.example 0 7", "ALERT"),
    "a name below it is refused": ("a.ok.example", "ALERT"),
    "a name that begins with it is refused": ("ok.example.evil.example", "ALERT"),
}


@pytest.fixture(scope="module")
def served(earth):
    guest = earth.guest()
    wire = guest.serve("--host", "ok.example:443,8000")
    yield wire
    wire.end()
    guest.done()


@pytest.mark.parametrize("what", QUESTIONS)
def test_of_names(world, served, what):
    words, said = QUESTIONS[what]
    assert served.out([*ATTEMPTS, "dns", *words.split()]).strip() == said
    assert world.internet.take()["queries"] == []


@pytest.mark.parametrize("what", HELLOS)
def test_of_hellos(world, guest, served, what):
    words, said = HELLOS[what]
    assert guest.outside([*ATTEMPTS, "tls", SITE, "443", *words.split()]).stdout == "REACHED\n", "the control"
    world.internet.take()
    assert served.out([*ATTEMPTS, "tls", "ok.example", "443", *words.split()]).strip() == said
    assert len(world.internet.take()["hits"]) == (said == "REACHED")


def test_a_hello_without_a_name_is_refused(world, guest, served):
    assert guest.outside([*ATTEMPTS, "tls", SITE, "443", "-"]).stdout == "REACHED\n", "the control"
    world.internet.take()
    assert served.out([*ATTEMPTS, "tls", "ok.example", "443", "-"]) in ("ALERT\n", "RESET\n")
    assert world.internet.take()["hits"] == []


def test_what_is_not_tls_is_refused_on_a_port_of_tls(world, served):
    assert served.out([*ATTEMPTS, "plain_on_tls", "ok.example", "443"]) in ("EOF\n", "RESET\n")
    assert world.internet.take()["hits"] == []


def test_a_profile_can_turn_the_look_at_the_name_off(world, guest):
    wire = guest.serve_profile({"allow": [{"host": "ok.example", "ports": [443], "sni": False}]})
    assert wire.out([*ATTEMPTS, "tls", "ok.example", "443", "other.example"]) == "REACHED\n"
    assert len(world.internet.take()["hits"]) == 1
    wire.end()


@pytest.mark.parametrize("reuse", ["none", "SO_REUSEADDR", "SO_REUSEPORT"])
@pytest.mark.parametrize("where", ["ok.example", "any"])
def test_the_address_of_a_name_cannot_be_taken_by_the_server(served, where, reuse):
    assert served.out([*ATTEMPTS, "hijack", where, "8000", reuse]) == "EADDRINUSE\n"
    assert served.out([*ATTEMPTS, "hijack", where, "8001", reuse]) == "BOUND\n", "the control: a port that nobody was granted"
    assert served.out([*ATTEMPTS, "hijack", where, "443", reuse]) == "EPERM\n", "the system's ports are not the server's"
