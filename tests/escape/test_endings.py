# SPDX-License-Identifier: Apache-2.0
"""Outliving the session, and drowning whoever reads: whatever a server does, it ends and nobody else suffers."""
import os
import signal
import subprocess
import sys
import time

import pytest
from escape.world import LIBC, World
from integration.harness import PATIENCE, STOCKADE, children, processes, soon, status_of, until

PATIENCE_OF_SDKS = 4.0  # SIGTERM 2 s after end of file, SIGKILL 2 s later
LEAVERS = ["daemonise", "ignore-signals", "stopped", "fork-tree"]
MIB = 1 << 20
SYS_LANDLOCK_CREATE_RULESET, LANDLOCK_CREATE_RULESET_VERSION = 444, 1


@pytest.fixture
def world():
    w = World()
    yield w
    for pid in processes(w.mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    w.done()


def left(world):
    """The server's processes, seen from outside; the neighbour carries the mark too."""
    return [p for p in processes(world.mark) if p != world.sleeper.pid]


def nothing_left(world, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while left(world) and time.monotonic() < end:
        time.sleep(0.02)
    return not left(world)


def end_of_file(wire):
    wire.eof()


def terminate(wire):
    wire.p.send_signal(signal.SIGTERM)


def kill(wire):
    wire.p.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("attempt", LEAVERS)
def test_outside_it_stays_behind(world, attempt):
    subprocess.run([world.bin, attempt, "--mark", world.mark], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True, timeout=120)
    assert not nothing_left(world, 0.5)


@pytest.mark.parametrize("end", [end_of_file, terminate, kill], ids=["end of file", "SIGTERM", "SIGKILL of stockade"])
@pytest.mark.parametrize("attempt", LEAVERS)
def test_inside_it_ends_with_the_session(world, attempt, end):
    wire = world.serve()
    before = len(left(world))
    assert world.inside(wire, [attempt]) == "SUCCEEDED"
    assert until(lambda: len(left(world)) > before)
    end(wire)
    wire.wait()
    assert nothing_left(world)
    assert world.sleeper.poll() is None, "the neighbour lives"


def as_an_sdk(wire):
    """End of file, and SIGTERM when that did not end it."""
    wire.eof()
    try:
        wire.p.wait(2)
    except subprocess.TimeoutExpired:
        terminate(wire)


@pytest.mark.parametrize("end", [as_an_sdk, terminate, kill], ids=["as an SDK ends it", "SIGTERM", "SIGKILL of stockade"])
def test_a_stopped_server_ends_within_the_patience_of_its_client(world, end):
    def to_end():
        wire = world.serve()
        wire.send({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "stop-server", "arguments": {"args": []}}})
        until(lambda: [p for p in left(world) if status_of(p).get("State", "").startswith("T")])
        start = time.monotonic()
        end(wire)
        wire.wait()
        took = time.monotonic() - start
        assert nothing_left(world)
        return took

    assert soon(to_end, PATIENCE_OF_SDKS)


def test_killing_everything_kills_only_what_is_inside(world):
    wire = world.serve()
    wire.send({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "kill-all", "arguments": {"args": []}}})
    answer = wire.answer(99)
    assert "error" in answer or answer["result"]["isError"], "a call in flight is answered"
    assert wire.wait() == 128 + signal.SIGKILL
    assert nothing_left(world)
    assert world.sleeper.poll() is None, "the neighbour lives"
    world.verified()


def test_outside_killing_everything_reaches_a_neighbour(world):
    """In a process namespace of the test's own, whose first process waits for the neighbour's end."""
    r = subprocess.run(["unshare", "-Urpf", "--kill-child", "sh", "-c", 'sleep 60 & s=$!; "$0" kill-all; wait $s; echo $?',
                        world.bin], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120, check=True)
    assert r.stdout.strip().endswith(str(128 + signal.SIGKILL))


def landlock_abi():
    return LIBC.syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)


def test_no_signal_of_the_server_ends_its_first_process(world):
    """ABI 6 of Landlock keeps signals from it; before that it takes them, and obeys none that comes from inside."""
    wire = world.serve()
    assert world.inside(wire, ["signal-init"]) == ("BLOCKED EPERM" if landlock_abi() >= 6 else "SUCCEEDED")
    time.sleep(0.2)
    assert world.inside(wire, ["open-read", "/dev/null"]) == "SUCCEEDED"
    assert wire.end() == 0


CLIENT = """
import subprocess, sys, time
bystander = subprocess.Popen(["sleep", "600"], stdin=subprocess.PIPE)
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
other = subprocess.Popen([f"bystander-{sys.argv[1]}", "600"], executable="/usr/bin/sleep", pass_fds=[p.stdin.fileno(), p.stdout.fileno()])
p.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
              b'"clientInfo":{"name":"c","version":"1"}}}\\n')
p.stdin.flush()
p.stdout.readline()
print(other.pid, bystander.pid, flush=True)
time.sleep(600)
"""


def client_that_dies(world, argv):
    """Its pipes stay open in the hands of a bystander."""
    c = subprocess.Popen([sys.executable, "-c", CLIENT, "pipes", *argv], env=world.env, cwd=world.work, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    bystanders = [int(p) for p in c.stdout.readline().split()]
    assert until(lambda: left(world))
    c.kill()
    c.wait()
    return bystanders


def test_outside_a_server_outlives_a_client_whose_pipes_stay_open(world):
    bystanders = client_that_dies(world, [world.bin, "--mark", world.mark])
    assert not nothing_left(world, 0.5)
    for pid in bystanders:
        os.kill(pid, signal.SIGKILL)


def test_a_client_that_dies_takes_the_server_along_although_its_pipes_stay_open(world):
    command = ["--", world.bin, "--mark", world.mark]
    world.approve(*command)
    bystanders = client_that_dies(world, [STOCKADE, "run", *command])
    ended = nothing_left(world)
    for pid in bystanders:
        os.kill(pid, signal.SIGKILL)
    assert ended


def test_outside_a_flood_of_stderr_arrives_whole(world):
    r = subprocess.run([world.bin, "flood-stderr", "64MiB"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, timeout=120)
    assert len(r.stderr) == 64 * MIB


@pytest.mark.parametrize("attempt", ["flood-stderr", "long-stderr"])
def test_a_flood_of_stderr_is_dammed_and_the_server_goes_on(world, attempt):
    wire = world.serve()
    assert world.inside(wire, [attempt, "64MiB"]) == "SUCCEEDED"
    assert world.inside(wire, ["open-read", "/dev/null"]) == "SUCCEEDED"
    assert wire.end() == 0
    assert len(wire.err) < 2 * MIB
    assert max(len(line) for line in wire.err.split(b"\n")) < 64 << 10


def peak_memory(wire, name):
    """Of the program of that name below this session, in bytes; None when it has ended."""
    peaks = [int(s["VmHWM"].split()[0]) << 10 for s in map(status_of, children(wire.p.pid))
             if s.get("Name") == name[:15] and "VmHWM" in s]
    return max(peaks, default=None)


def test_outside_a_line_of_a_gigabyte_arrives_whole(world):
    p = subprocess.Popen([world.bin, "long-line", "1GiB"], stdout=subprocess.PIPE)
    n = 0
    while part := p.stdout.read(MIB):
        n += len(part)
    assert p.wait() == 0 and n > 1 << 30


def test_a_line_of_a_gigabyte_never_reaches_the_client_nor_memory(world):
    wire = world.serve()
    wire.send({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "long-line", "arguments": {"args": ["1GiB"]}}})
    wire.answer(99, timeout=180)
    peak = peak_memory(wire, "stockade-shim")
    assert peak is None or peak < 64 * MIB
    wire.end()
    assert max(len(line) for line in wire.seen) < MIB
    world.verified()


IMITATIONS = ("all is well", "line two", "line three", "nul")


def lines_of_stockade(err):
    return [line for line in err.replace("\r", "\n").splitlines() if line.lstrip("\0").startswith("stockade:")
            and any(words in line for words in IMITATIONS)]


def test_outside_stderr_can_say_it_is_stockade_and_drive_the_terminal(world):
    r = subprocess.run([world.bin, "imitate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, timeout=120)
    assert len(lines_of_stockade(r.stderr.decode("utf-8"))) >= 2
    assert b"\x1b[2J" in r.stderr


def test_no_line_of_the_server_can_pass_for_one_of_stockade_or_drive_the_terminal(world):
    wire = world.serve()
    assert world.inside(wire, ["imitate"]) == "SUCCEEDED"
    wire.end()
    err = wire.err.decode("utf-8")
    for words in IMITATIONS:
        assert words in err, "it is passed on"
    assert not lines_of_stockade(err)
    assert not [c for c in err if c != "\n" and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or ord(c) == 0x202e)]


def test_nothing_of_all_this_is_left_on_the_machine(world):
    wire = world.serve()
    world.inside(wire, ["fork-tree"])
    kill(wire)
    wire.wait()
    assert nothing_left(world)
