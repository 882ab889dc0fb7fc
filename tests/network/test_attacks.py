# SPDX-License-Identifier: Apache-2.0
"""What was found by attacking gateway and dial, through a real sandbox, each with what an honest or unconfined side shows."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.harness import until
from network.test_records import call, children
from network.world import PROBE

pytestmark = pytest.mark.needs("root")


def questions(watcher):
    """The numbers of the questions that left, in order (RFC 1035, 4.1.1)."""
    return [p["payload"][:2].hex() for p in watcher.take() if p["port"] == 53]


def test_after_resolv_conf_changed_the_numbers_of_questions_are_not_the_same_in_every_session(world, guest, watcher):
    seen = []
    for _ in range(2):
        wire = guest.serve("--host", "ok.example:80")
        with open(f"{world.base}/resolv.conf", "a", encoding="ascii") as f:
            f.write("# another network\n")
        wire.out(["curl", "-sS", "--max-time", "60", "http://ok.example/"])
        assert wire.end() == 0
        seen.append(questions(watcher))
    assert seen[0] and len(seen[0]) == len(seen[1])
    assert not set(seen[0]) & set(seen[1]), seen


def test_an_address_that_only_a_local_route_makes_the_hosts_is_refused_too(world, guest):
    """Clouds forward public addresses to a machine so, and no interface has them (ip-route(8), type local)."""
    routed4, routed6 = "203.0.113.99", "2001:db8:9::99"
    world.host.run(["ip", "route", "add", "local", f"{routed4}/32", "dev", "lo"])
    world.host.run(["ip", "-6", "route", "add", "local", f"{routed6}/128", "dev", "lo"])
    try:
        world.internet.zone({"own.example": {"A": [routed4]}, "own6.example": {"AAAA": [routed6]}})
        wire = guest.serve("--host", "own.example:80", "--host", "own6.example:80")
        for name in ("own.example", "own6.example"):
            assert '"role": "host"' in guest.outside(["curl", "-sS", "--max-time", "60", f"http://{name}/"]).stdout
            assert wire.run(["curl", "-sS", "--max-time", "60", f"http://{name}/"])["status"] != 0
        assert wire.end() == 0
    finally:
        world.host.run(["ip", "route", "del", "local", f"{routed4}/32", "dev", "lo"])
        world.host.run(["ip", "-6", "route", "del", "local", f"{routed6}/128", "dev", "lo"])
    assert [r["reason"] for r in guest.net_records("net.connect")] == ["the name leads to an address of this very host"] * 2
    assert world.local.take()["hits"][2:] == []


def test_knocking_on_a_published_port_while_nobody_listens_inside_does_not_use_it_up(guest):
    """A page in a person's browser can knock so; the callback that the server waits for must still come in."""
    once = "import socket,time\ndef knock():\n try:\n  s=socket.create_connection(('127.0.0.1',8765),5);s.sendall(b'callback');return s.recv(9)\n" \
           " except OSError: return b''\n"
    knock = once + "for _ in range(100): assert not knock()"
    serve = "import socket\nl=socket.create_server(('127.0.0.1',8765));print('up',flush=True);s,_=l.accept();print(s.recv(9).decode());s.sendall(b'thanks')"
    call = once + "for _ in range(1000):\n got=knock()\n if got: break\n time.sleep(0.05)\nprint(got.decode())"
    wire = guest.serve_profile({"publish": [8765]})
    assert guest.outside(["python3", "-c", knock]).returncode == 0
    with ThreadPoolExecutor(1) as pool:
        inside = pool.submit(wire.out, ["python3", "-c", serve])
        assert guest.outside(["python3", "-c", call]).stdout == "thanks\n"
        assert inside.result() == "up\ncallback\n"
    assert wire.end() == 0


def test_a_published_port_takes_hundreds_of_connections_and_each_hears_its_own_answer(guest):
    """Many more than there are sockets for it, one after the other and thirty at once."""
    serve = "import socket\nl=socket.create_server(('127.0.0.1',8767),backlog=64)\n" \
            "while True:\n s,_=l.accept();s.sendall(b'to '+s.recv(9));s.close()"
    ask = "import socket\ndef begun(i):\n s=socket.create_connection(('127.0.0.1',8767),10);s.sendall(b'%d'%i);return s\n" \
          "def heard(s,i):\n try: return s.recv(99,socket.MSG_WAITALL)==b'to %d'%i\n except OSError: return False\n finally: s.close()\n" \
          "def together(v): return sum([heard(s,i) for s,i in [(begun(i),i) for i in v]])\n" \
          "print(sum(together(range(i,i+n)) for i,n in [(i,1) for i in range(200)]+[(200+30*i,30) for i in range(10)]))"
    wire = guest.serve_profile({"publish": [8767]})
    call(wire, ["python3", "-c", serve])
    until(lambda: guest.outside(["python3", "-c", ask]).stdout == "500\n")
    assert wire.end() == 0
    assert len([r for r in guest.net_records("net.close") if r["status"] == "ok"]) >= 500


def test_two_servers_cannot_publish_one_port_but_two_sessions_of_one_can(guest):
    """The kernel would deal out the callbacks of one, and the codes in them, among both."""
    network = {"publish": [8766]}
    for name in ("first", "second"):
        guest.profile(name, {"stockade": 1, "name": name, "version": 1, "command": PROBE, "network": network})
        guest.approve(name)
    first, again = guest.start("first"), guest.start("first")
    first.initialize()
    again.initialize()
    second = guest.start("second")
    second.send({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert second.end() == 125
    assert b"port 8766 is published by a running session of another server" in second.err
    assert (first.end(), again.end()) == (0, 0)
    second = guest.start("second")
    second.initialize()
    assert second.end() == 0


def test_a_port_of_the_hosts_that_nobody_listens_on_does_not_answer_for_itself(world, guest):
    """The kernel may choose the port that is connected to for the connection itself; here it has no other choice."""
    ports = "/proc/sys/net/ipv4/ip_local_port_range"
    call = "import socket\ns=socket.create_connection(('127.0.0.1',40000),5);s.sendall(b'echo');print(s.recv(9).decode())"
    wire = guest.serve("--host", "localhost:40000")
    world.host.run(["sh", "-c", f"echo 40000 40001 > {ports}"])
    try:
        assert wire.run(["python3", "-c", call])["out"] == ""
        assert guest.outside(["python3", "-c", call]).stdout == "echo\n"
    finally:
        world.host.run(["sh", "-c", f"echo 32768 60999 > {ports}"])
    assert wire.end() == 0
    assert [r["status"] for r in guest.net_records("net.connect")] == ["the host refused the connection"]


def heap(pid):
    """KiB that a process alone holds."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Private_"))


def test_memory_that_a_flood_of_hellos_took_is_given_back(guest):
    flood = "import socket\nr=b'\\x16\\x03\\x01\\x40\\x00';h=r+b'\\x01\\0\\xff\\0\\3\\3'+b'a'*16378+(r+b'b'*16384)*2\n" \
            "v=[];a=socket.gethostbyname('ok.example')\n" \
            "for _ in range(800): v.append(socket.create_connection((a,443)));v[-1].sendall(h)\nprint(len(v))"
    wire = guest.serve_profile({"allow": ["ok.example:443"]})
    pid = children(wire.p.pid, "stockade-gateway")[0]
    before = heap(pid)
    assert wire.out(["python3", "-c", flood]) == "800\n"
    until(lambda: heap(pid) <= before + 8192)
    assert wire.end() == 0


def test_the_log_tells_an_address_that_stands_for_nothing_from_a_port_that_is_not_granted(guest):
    wire = guest.serve("--host", "ok.example:80")
    for to in ("198.18.7.7:80", "ok.example:81"):
        assert wire.run(["curl", "-sS", "--max-time", "60", f"http://{to}/"])["status"] != 0
    assert wire.end() == 0
    said = [(r["port"], r["reason"].split(";")[0]) for r in guest.net_records("net.denied")]
    assert said == [(80, "no granted name or network stands for this address"), (81, "this port of the host is not granted")]
