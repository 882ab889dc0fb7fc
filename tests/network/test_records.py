# SPDX-License-Identifier: Apache-2.0
"""What the log says of each connection and each denial, and what becomes of connections when a session ends."""
import json
import os
import signal

import pytest
from integration.harness import command_name, descendants, executable, until
from network.world import HERE, SITE

pytestmark = pytest.mark.needs("root")
ATTEMPTS = ["/usr/bin/python3", f"{HERE}/attempts.py"]
HOLD = ["/usr/bin/python3", "-c",
        "import socket,sys,time\n"
        "s=[socket.create_connection((sys.argv[1],int(sys.argv[2]))) for _ in range(int(sys.argv[3]))]\n"
        "for c in s: c.sendall(b'hello')\n"
        "time.sleep(600)"]


PROGRAMS = ["stockade-gateway", "stockade-dial", "stockade-names"]  # the last is dial's other half, by the name that it gives itself


def children(pid, name):
    """Pids below pid whose program is called so; ours runs through nsenter and setpriv, which become it."""
    return [p for p in descendants(pid) if (PROGRAMS[2] if command_name(p) == PROGRAMS[2] else os.path.basename(executable(p))) == name]


def call(wire, argv):
    """Starts a program inside, and does not wait for it."""
    wire.ids += 1
    wire.send({"jsonrpc": "2.0", "id": wire.ids, "method": "tools/call", "params": {"name": "run", "arguments": {"argv": argv, "timeout": 600}}})


def hold(wire, host, port, n=1):
    """Connections that are open until somebody ends them."""
    call(wire, [*HOLD, host, str(port), str(n)])


def opened(guest, n=1):
    try:
        until(lambda: guest.world.internet.do("open")["open"] == n, 30)
    except AssertionError:
        assert guest.world.internet.do("open")["open"] == n


def test_a_connection_is_recorded_with_name_port_address_bytes_and_duration(guest):
    wire = guest.serve("--host", "ok.example:8000")
    answer = wire.out(["curl", "-sS", "http://OK.Example.:8000/bytes/131072", "-o", "/dev/null", "-w", "%{size_header} %{size_request}"])
    head, sent = map(int, answer.split())
    assert wire.end() == 0
    [connect] = guest.net_records("net.connect")
    [close] = guest.net_records("net.close")
    assert (connect["name"], connect["port"], connect["address"], connect["decision"]) == ("ok.example", 8000, SITE, "allow")
    assert (close["name"], close["port"], close["address"], close["status"]) == ("ok.example", 8000, SITE, "ok")
    assert (close["bytes_in"], close["bytes_out"]) == (131072 + head, sent)
    assert close["call_id"] == connect["call_id"] and 0 < close["latency_us"] < 60_000_000
    guest.verified()


@pytest.mark.parametrize("stopped", [False, True], ids=["", "while the gateway is stopped"])
def test_connections_are_closed_when_the_supervisor_is_killed(guest, stopped):
    """A gateway that stands still sees no end of its own; the kernel sees to it (PR_SET_PDEATHSIG)."""
    wire = guest.serve("--host", "ok.example:7")
    hold(wire, "ok.example", 7, 3)
    opened(guest, 3)
    pids = [p for name in PROGRAMS for p in children(wire.p.pid, name)]
    if stopped:
        os.kill(pids[0], signal.SIGSTOP)
    os.kill(wire.p.pid, signal.SIGKILL)
    wire.wait()
    opened(guest, 0)
    assert until(lambda: not [p for p in pids if executable(p)])


@pytest.mark.parametrize("how", ["the client's end", "stockade stop"])
def test_connections_that_are_open_at_the_end_are_closed_and_recorded(guest, how):
    wire = guest.serve("--host", "ok.example:7")
    hold(wire, "ok.example", 7, 3)
    opened(guest, 3)
    if how == "stockade stop":
        [session] = json.loads(guest.stockade("ps", "--json", check=0).stdout)
        guest.stockade("stop", session["session"], check=0)
    else:
        wire.eof()
    wire.wait()
    opened(guest, 0)
    closed = guest.net_records("net.close")
    assert [(r["name"], r["bytes_out"]) for r in closed] == [("ok.example", 5)] * 3, closed
    assert guest.events()[-1] == "session.close"
    guest.verified()


def test_what_no_end_of_the_server_closes_is_closed_and_recorded_by_the_sessions(guest):
    wire = guest.serve("--host", "ok.example:9002")
    wire.out(["/usr/bin/python3", "-c", "import socket as s; c=s.create_connection(('ok.example',9002)); c.sendall(b'hello'); c.close()"])
    for _ in range(5):
        wire.out([*ATTEMPTS, "dns", "other.example", "1"])
    assert guest.net_records("net.close") == []
    assert wire.end() == 0
    [close] = guest.net_records("net.close")
    assert (close["status"], close["bytes_out"], close["address"]) == ("session over", 5, SITE)
    assert sum(r.get("count", 1) for r in guest.net_records("net.name")) == 5, "those that were counted alone are told at the end"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_session_ends_when_a_program_of_its_network_is_killed_in_mid_stream(guest, program):
    wire = guest.serve("--host", "ok.example:9000")
    hold(wire, "ok.example", 9000)
    opened(guest)
    [pid] = children(wire.p.pid, program)
    os.kill(pid, signal.SIGKILL)
    assert wire.wait() != 0
    opened(guest, 0)
    assert "stockade-gateway or stockade-dial ended unexpectedly" in wire.err.decode()
    records = guest.records()
    assert records[-1]["event"] == "session.close", records[-1]
    guest.verified()


def test_denied_names_and_ports_are_recorded_with_what_would_grant_them(guest):
    wire = guest.serve("--host", "ok.example:443")
    for words in (["tcp", "Other.Example", "80"], ["tcp", "ok.example", "80"], ["tcp", SITE, "80"], ["dns", "secret.payload.example", "16"]):
        wire.run([*ATTEMPTS, *words])
    wire.end()
    denied = guest.net_records("net.name", "net.denied")
    names = {r["name"] for r in denied if r["event"] == "net.name"}
    assert names == {"other.example", "secret.payload.example"}, denied
    [port] = [r for r in denied if r["event"] == "net.denied" and r.get("name") == "ok.example"]
    assert port["port"] == 80 and '"ok.example:80" in network.allow would grant it' in port["reason"]
    assert SITE not in {r.get("address") for r in denied}, "what has no route sends no packet that could be seen (docs/audit.md)"
    assert guest.net_records("net.connect") == []


def test_with_real_addresses_a_denied_address_is_recorded_with_what_would_grant_it(guest):
    wire = guest.serve_profile({"allow": ["ok.example:443"], "addresses": "real"})
    assert wire.out([*ATTEMPTS, "tcp", SITE, "80"]) == "REFUSED\n"
    assert wire.out([*ATTEMPTS, "tcp", "127.0.0.1", "5432"]) == "REFUSED\n"
    assert wire.end() == 0
    [denied] = guest.net_records("net.denied")
    assert (denied["address"], denied["port"]) == (SITE, 80) and f'"{SITE}:80" in network.allow would grant it' in denied["reason"]


@pytest.mark.parametrize("address,addresses,line", [
    ("10.1.2.3", "198.18.0.0/15", {"host": "ok.example", "ports": [80], "private": True}), ("10.1.2.3", "real", {"host": "ok.example", "ports": [80], "private": True}),
    ("169.254.1.1", "198.18.0.0/15", "169.254.1.1:80"), ("169.254.1.1", "real", "169.254.1.1:80")])
def test_what_is_offered_for_a_name_that_led_to_a_denied_address_grants_it(guest, address, addresses, line):
    guest.world.internet.zone({"ok.example": {"A": [address]}})
    wire = guest.serve_profile({"allow": ["ok.example:80"], "addresses": addresses})
    assert "REACHED" not in wire.out([*ATTEMPTS, "tcp", "ok.example", "80"])
    assert wire.end() == 0
    [row] = map(json.loads, guest.stockade("audit", "show", "--denied", "--json", check=0).stdout.splitlines())
    assert row["grant"] == {"key": "network.allow", "value": line}
    wire = guest.serve_profile({"allow": [line, *(["ok.example:80"] if isinstance(line, str) else [])], "addresses": addresses})
    assert wire.out([*ATTEMPTS, "tcp", "ok.example", "80"]) == "REACHED internet\n"
    assert wire.end() == 0


def test_without_a_network_no_gateway_and_no_dial_run_and_names_fail_at_once(guest):
    wire = guest.serve()
    assert [children(wire.p.pid, name) for name in PROGRAMS] == [[], [], []]
    assert wire.out([*ATTEMPTS, "resolve", "ok.example"]) == "NONAME\n"
    assert wire.out([*ATTEMPTS, "tcp", SITE, "80"]) == "UNREACHABLE\n"
    wire.end()
    assert guest.net_records() == []


def test_with_a_network_both_run_and_are_gone_after_it(guest):
    wire = guest.serve("--host", "ok.example:443")
    pids = [p for name in PROGRAMS for p in children(wire.p.pid, name)]
    assert len(pids) == 3
    wire.end()
    assert until(lambda: not [p for p in pids if executable(p)])
