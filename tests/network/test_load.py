# SPDX-License-Identifier: Apache-2.0
"""Many connections, neighbours that never answer, limits: what is carried, what is refused, and that nothing of it stays behind."""
import json
import os
import signal
import time

import pytest
from integration.harness import executable, until
from network.conftest import ZONE
from network.test_records import ATTEMPTS, PROGRAMS, call, children, hold, opened
from network.world import HERE, SITE

pytestmark = pytest.mark.needs("root")
FLOOD = ["/usr/bin/python3", f"{HERE}/flood.py"]
# More memory than after the same load before. In a row, 16 bytes of each of 8000 connections would be seen; at once, what an allocator
# cannot give back of a thousand that lay side by side, in a heap that other parts of it keep open, is not the same each time.
GROWTH_IN_A_ROW_KIB, GROWTH_AT_ONCE_KIB = 128, 2048
QUICK = {"queries": 10000}  # or 500 connections a second were all that could be made by name
BLACK_HOLE = "203.0.113.77"


def memory(pid):
    """KiB that a process alone holds."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Private_"))


class Scales:
    """Descriptors and memory of the programs of a session, before and after."""

    def __init__(self, wire):
        self.pids = {"stockade": wire.p.pid, **{name: children(wire.p.pid, name)[0] for name in PROGRAMS}}
        self.files, self.kib = self.descriptors(), self.memory()

    def descriptors(self):
        return {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in self.pids.items()}

    def memory(self):
        return {name: memory(pid) for name, pid in self.pids.items()}

    def assert_no_descriptor_is_left(self):
        """The last are closed when what the other side still said is read, so that is waited for."""
        try:
            until(lambda: self.descriptors() == self.files)
        except AssertionError:
            assert self.descriptors() == self.files, "descriptors after, and before"

    def assert_no_memory_grew(self, kib):
        after = self.memory()
        grown = {name: (self.kib[name], n) for name, n in after.items() if n > self.kib[name] + kib}
        assert grown == {}, f"KiB before and after, when {kib} more were allowed"


def flood(wire, *words):
    return wire.out([*FLOOD, *words], timeout=300).strip()


@pytest.mark.parametrize("addresses", ["198.18.0.0/15", "real"])
def test_a_thousand_connections_at_once_all_carry_their_bytes_and_leave_nothing_behind(guest, addresses):
    wire = guest.serve_profile({"allow": ["ok.example:7"], "addresses": addresses, "limits": QUICK})
    fresh = Scales(wire)
    assert flood(wire, "at-once", "ok.example", "7", "1000") == "1000"
    fresh.assert_no_descriptor_is_left()
    warm = Scales(wire)
    assert flood(wire, "at-once", "ok.example", "7", "1000") == "1000"
    warm.assert_no_descriptor_is_left()
    warm.assert_no_memory_grew(GROWTH_AT_ONCE_KIB)
    assert wire.end() == 0
    closed = guest.net_records("net.close")
    assert len(closed) == 2000 and {(r["name"], r["bytes_out"], r["bytes_in"], r["status"]) for r in closed} == {("ok.example", 5, 25, "ok")}


def test_ten_thousand_connections_in_a_row_leave_nothing_behind(guest):
    wire = guest.serve_profile({"allow": ["ok.example:7"], "limits": QUICK})
    fresh = Scales(wire)
    assert flood(wire, "in-a-row", "ok.example", "7", "2000") == "2000"
    fresh.assert_no_descriptor_is_left()
    warm = Scales(wire)
    assert flood(wire, "in-a-row", "ok.example", "7", "8000") == "8000"
    warm.assert_no_descriptor_is_left()
    warm.assert_no_memory_grew(GROWTH_IN_A_ROW_KIB)
    assert wire.end() == 0
    assert len(guest.net_records("net.close")) == 10000
    guest.verified()


def test_a_thousand_connections_that_are_open_at_the_end_are_all_recorded(guest):
    wire = guest.serve_profile({"allow": ["ok.example:7"], "limits": QUICK})
    call(wire, [*FLOOD, "held", "ok.example", "7", "1000"])
    opened(guest, 1000)
    wire.eof()
    assert wire.wait() is not None
    opened(guest, 0)
    assert len(guest.net_records("net.close")) == 1000
    guest.verified()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_session_ends_when_a_program_of_its_network_is_killed_with_hundreds_of_connections(guest, program):
    wire = guest.serve_profile({"allow": ["ok.example:7"]})
    call(wire, [*FLOOD, "held", "ok.example", "7", "300"])
    opened(guest, 300)
    assert flood(wire, "kept", "ok.example", "7", "1") == "{'echoed': 1}", "so that all before it are told"
    pids = Scales(wire).pids
    os.kill(pids[program], signal.SIGKILL)
    assert wire.wait() != 0
    opened(guest, 0)
    assert until(lambda: not [name for name, pid in pids.items() if executable(pid) and name != "stockade"])
    assert guest.events()[-1] == "session.close"
    assert len(guest.net_records("net.connect")) == 301
    assert len(guest.net_records("net.close")) == (1 if program == "stockade-gateway" else 301), "what the gateway carried, it says while it lives"
    guest.verified()


def questions(watcher, name):
    """Those for a name that left, by the port that they were asked from."""
    wanted = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    return [p["source"] for p in watcher.take() if p["port"] == 53 and wanted in p["payload"]]


def test_a_resolver_that_never_answers_holds_nothing_up_and_keeps_nothing(world, guest, watcher):
    world.internet.zone({**ZONE, "ok.example": {"mode": "never"}})
    wire = guest.serve_profile({"allow": ["ok.example:7", "api.wild.example:80", f"{SITE}:80"], "limits": {"connect": "1s"}})
    fresh = Scales(wire)
    assert flood(wire, "kept", "ok.example", "7", "1") == "{'RESET': 1}"
    time.sleep(1)
    assert len(questions(watcher, "ok.example")) == 2, "A and AAAA, and not again when nobody waits any more"
    assert flood(wire, "each", "ok.example", "7", "200") == "{'RESET': 200}"
    assert 0 < len(questions(watcher, "ok.example")) < 100, "who asks for a name that is asked for already shares the question"
    for host in ("api.wild.example", SITE):
        assert wire.out([*ATTEMPTS, "tcp", host, "80"]) == "REACHED internet\n", "another name, and an address"
    fresh.assert_no_descriptor_is_left()
    fresh.assert_no_memory_grew(GROWTH_AT_ONCE_KIB)
    world.internet.zone({**ZONE, "ok.example": {"A": [SITE]}})
    assert flood(wire, "kept", "ok.example", "7", "1") == "{'echoed': 1}", "once the resolver answers again"
    assert wire.end() == 0
    assert [r["status"] for r in guest.net_records("net.connect") if r.get("name") == "ok.example"][-1] == "connected"


def test_a_name_that_no_server_answers_is_given_up_after_the_time_for_names_and_not_that_for_connections(world, guest, watcher):
    world.internet.zone({**ZONE, "ok.example": {"mode": "never"}})
    wire = guest.serve_profile({"allow": ["ok.example:7"], "limits": {"connect": "60s", "resolve": "1s"}})
    assert flood(wire, "kept", "ok.example", "7", "1") == "{'RESET': 1}"
    assert len(questions(watcher, "ok.example")) == 2, "A and AAAA, and not again"
    assert wire.end() == 0
    [connect] = guest.net_records("net.connect")
    assert connect["status"] == "no name server answered" and connect["latency_us"] >= 1000000


def test_names_that_are_never_answered_let_another_have_its_turn(world, guest):
    world.internet.zone({**ZONE, **{f"n{i}.wild.example": {"mode": "never"} for i in range(200)}})
    wire = guest.serve_profile({"allow": ["*.wild.example:7", "ok.example:80"]})
    call(wire, [*FLOOD, "each", "*.wild.example", "7", "200"])
    asked = set()
    until(lambda: asked.update(q[0] for q in world.internet.take()["queries"]) or len(asked) > 100)
    assert wire.out([*ATTEMPTS, "tcp", "ok.example", "80"]) == "REACHED internet\n"
    wire.end()


def test_names_that_are_never_answered_do_not_hold_the_port_still_that_others_are_asked_from(world, guest, watcher):
    """Who forges answers would have it to look for as long as the server likes (RFC 5452, 9.2)."""
    world.internet.zone({**ZONE, "n0.wild.example": {"mode": "never"}})
    wire = guest.serve("--host", "*.wild.example:7", "--host", "ok.example:80")
    call(wire, [*FLOOD, "each", "*.wild.example", "7", "1"])
    until(lambda: world.internet.take()["queries"])
    for _ in range(2):
        time.sleep(1.6)
        assert wire.out([*ATTEMPTS, "tcp", "ok.example", "80"]) == "REACHED internet\n"
    wire.end()
    assert len(set(questions(watcher, "ok.example"))) == 2


def test_connections_beyond_the_limit_are_refused_and_recorded_and_room_that_is_made_serves_again(guest):
    wire = guest.serve_profile({"allow": ["ok.example:7"], "limits": {"connections": 10}})
    for _ in range(2):
        assert flood(wire, "kept", "ok.example", "7", "15") == "{'echoed': 10, 'RESET': 5}"
        opened(guest, 0)
    assert wire.end() == 0
    denied = guest.net_records("net.denied")
    assert sum(r.get("count", 1) for r in denied) == 10 and {r["rule"] for r in denied} == {"network.limits.connections"}, denied


def test_questions_beyond_the_rate_wait_and_are_answered(guest):
    wire = guest.serve_profile({"allow": ["ok.example:7"], "limits": {"queries": 40}})
    assert flood(wire, "questions", "ok.example", "120") == "120 LATER"
    assert wire.end() == 0


def test_a_connection_without_a_byte_is_closed_when_it_has_been_idle(guest):
    wire = guest.serve_profile({"allow": ["ok.example:9001"], "limits": {"idle": "1s"}})
    assert flood(wire, "silent", "ok.example", "9001") == "RESET"
    opened(guest, 0)
    assert wire.end() == 0
    [closed] = guest.net_records("net.close")
    assert closed["status"] == "idle" and closed["latency_us"] >= 1000000


def test_connections_of_a_killed_server_are_closed_at_both_ends(guest):
    wire = guest.serve_profile({"allow": ["ok.example:7"]})
    hold(wire, "ok.example", 7, 3)
    opened(guest, 3)
    name = json.loads(guest.stockade("ps", "--json", check=0).stdout)[0]["server"]
    guest.stockade("kill", name, check=0)
    assert "kill switch" in wire.answer(wire.ids)["error"]["message"]
    assert wire.wait() == 125
    opened(guest, 0)
    assert len(guest.net_records("net.close")) == 3


def test_a_host_that_never_answers_is_given_up_after_the_time_to_connect(world, guest):
    world.net.run(["ip", "route", "add", "blackhole", BLACK_HOLE])
    world.internet.zone({**ZONE, "ok.example": {"A": [BLACK_HOLE]}, "both.example": {"A": [BLACK_HOLE, SITE]}})
    try:
        wire = guest.serve_profile({"allow": ["ok.example:7", "both.example:7"], "limits": {"connect": "1s"}})
        assert flood(wire, "kept", "ok.example", "7", "3") == "{'RESET': 3}"
        assert flood(wire, "kept", "both.example", "7", "1") == "{'echoed': 1}", "its second address does"
    finally:
        world.net.run(["ip", "route", "del", "blackhole", BLACK_HOLE])
    assert wire.end() == 0
    *given_up, reached = guest.net_records("net.connect")
    assert [(r["status"], r["latency_us"] >= 1000000) for r in given_up] == [("the host did not answer in time", True)] * 3
    assert reached["address"] == SITE


DEAD6 = "2001:db8:9::77"


@pytest.mark.parametrize("silent", [[DEAD6], [DEAD6, f"{DEAD6}8", f"{DEAD6}9"]], ids=["one", "more of them"])
def test_a_host_whose_ipv6_is_silent_is_reached_by_ipv4_before_its_other_addresses_are_tried(world, guest, watcher, silent):
    """Families in turn (RFC 8305, 4): the second address that is tried is of the other one, whatever the name server's order."""
    world.net.run(["ip", "-6", "route", "add", "blackhole", "2001:db8:9::/64"])
    world.internet.zone({**ZONE, "ok.example": {"A": [SITE], "AAAA": silent}})
    try:
        wire = guest.serve_profile({"allow": ["ok.example:7"], "limits": {"connect": "60s"}})
        assert flood(wire, "kept", "ok.example", "7", "1") == "{'echoed': 1}"
    finally:
        world.net.run(["ip", "-6", "route", "del", "blackhole", "2001:db8:9::/64"])
    assert wire.end() == 0
    tried = list(dict.fromkeys(p["to"] for p in watcher.take() if p["protocol"] == 6 and p["flags"] & 2))
    assert tried[0] in silent and tried[1] == SITE, tried
    assert [r["address"] for r in guest.net_records("net.connect")] == [SITE]


def test_a_client_that_says_nothing_on_a_port_of_tls_is_refused_after_the_time_for_its_hello(world, guest):
    wire = guest.serve_profile({"allow": ["ok.example:443"], "limits": {"hello": "1s"}})
    assert flood(wire, "silent", "ok.example", "443") == "RESET"
    assert wire.end() == 0
    [denied] = guest.net_records("net.denied")
    assert (denied["name"], denied["port"]) == ("ok.example", 443)
    assert world.internet.take()["hits"] == []
