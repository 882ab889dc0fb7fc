# SPDX-License-Identifier: Apache-2.0
"""However a session ends, every request is answered and nothing of the server is left."""
import json
import os
import random
import signal
import subprocess
import time
import uuid

import pytest
from integration.harness import CLIENTS, MODULES, ODD, STOCKADE, command_name, descendants, gone, of_process, processes, soon, status_of, until

GRACE = 1.0  # of what is left when a program of a session was killed


def odd(person, *modes):
    """An approved odd server with a mark of its own in its command line."""
    mark = "mark-" + uuid.uuid4().hex
    command = [*ODD, mark, *modes]
    person.approve("--", *command)
    return mark, command


def ready(person, command):
    w = person.start("--", *command)
    w.initialize()
    return w


@pytest.mark.root
def test_eof_from_the_client_ends_the_server(person):
    mark, command = odd(person)
    w = ready(person, command)
    assert processes(mark)
    assert w.end() == 0
    assert not gone(mark)
    person.verified()


@pytest.mark.root
def test_sigterm_ends_the_session_with_everything_it_started(person):
    mark, command = odd(person, "deaf")
    w = ready(person, command)
    w.call("spawn", {"n": 5})
    until(lambda: len(processes(mark)) >= 6)  # a process has no command line to know it by until it is what it becomes
    w.p.send_signal(signal.SIGTERM)
    w.wait()
    assert not gone(mark)


def test_a_server_that_ignores_eof_and_sigterm_is_ended_within_the_patience_of_sdks(person):
    """SDKs close stdin, send SIGTERM 2 s later and SIGKILL 2 s after that: we must be gone by then, and by ourselves."""
    mark, command = odd(person, "deaf")

    def after_sigterm():
        w = ready(person, command)
        w.call("spawn")
        w.eof()
        time.sleep(2)
        start = time.monotonic()
        w.p.send_signal(signal.SIGTERM)
        w.wait()
        took = time.monotonic() - start
        assert not gone(mark)
        return took

    assert soon(after_sigterm, 1.9)


def test_a_server_that_ignores_eof_is_ended_even_when_no_signal_comes(person):
    mark, command = odd(person, "deaf")
    w = ready(person, command)
    w.eof()
    w.wait()
    assert not gone(mark)


def test_a_server_that_babbles_after_eof_wins_no_time_by_it(person):
    """Only an answer that somebody waits for renews the grace; the whole would else be a minute."""
    mark, command = odd(person, "deaf", "babble")
    w = ready(person, command)
    w.eof()
    w.wait(45)
    assert not gone(mark)
    person.verified()


def test_an_answer_on_its_way_survives_the_end_of_input(person):
    """echo '...' | server: what was asked before EOF is still answered."""
    _, command = odd(person)
    w = ready(person, command)
    w.send({"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": {"name": "sleep", "arguments": {"seconds": 1}}})
    w.eof()
    assert w.answer(77)["result"]["content"][0]["text"] == "slept"
    assert w.wait() == 0


@pytest.mark.root
def test_a_server_that_crashes_mid_call_leaves_no_request_unanswered(person):
    mark, command = odd(person)
    w = ready(person, command)
    for i in range(3):
        w.send({"jsonrpc": "2.0", "id": f"s{i}", "method": "tools/call", "params": {"name": "crash" if i == 0 else "echo"}})
    answers = [w.answer(f"s{i}") for i in range(3)]
    assert all("error" in a or a["result"].get("isError") for a in answers)
    status = w.wait()
    assert status == 128 + signal.SIGSEGV
    assert not gone(mark)
    person.verified()


def test_the_exit_status_is_the_servers_own(person):
    _, command = odd(person)
    w = ready(person, command)
    w.send({"jsonrpc": "2.0", "id": 1000, "method": "tools/call", "params": {"name": "exit", "arguments": {"status": 42}}})
    assert w.wait() == 42


def test_garbage_on_stdout_never_reaches_the_client(person):
    _, command = odd(person, "dirty")
    w = ready(person, command)
    assert w.call("garbage")["result"]["content"][0]["text"] == "clean again"
    w.end()
    for line in w.seen:
        message = json.loads(line)
        assert isinstance(message, dict) and message["jsonrpc"] == "2.0" and message.get("id") != 99999


def test_stderr_is_passed_on_harmless_and_cannot_imitate_stockade(person):
    _, command = odd(person)
    w = ready(person, command)
    w.call("noise")
    w.end()
    text = w.err.decode()
    assert "\x1b" not in text and "\x07" not in text
    assert "approved everything" in text and "plain" in text
    for line in text.splitlines():
        assert not (line.startswith("stockade:") and ("approved everything" in line or "twice" in line))


@pytest.mark.parametrize("long", [False, True])
def test_a_servers_last_words_neither_hide_nor_imitate_our_own(person, long):
    """It leaves a line without an end behind, and then we have to say what it planted."""
    os.mkdir(f"{person.work}/project")
    os.chmod(f"{person.work}/project", 0o777)
    grants = ["--rw", f"{person.work}/project", "--", *ODD, "imitate"]
    person.approve(*grants)
    w = person.start(*grants)
    w.initialize()
    w.call("write", {"path": f"{person.work}/project/.envrc", "text": "x"})
    w.call("imitate", {"long": long})
    assert w.end() == 0
    text = w.err.decode("utf-8", "strict")
    # However a reader splits lines, and whatever a terminal makes of them.
    assert not set(text) & set("\r\x0b\x0c\x85\u2028\u2029\b\x1b\x9b\x1c\x1d\x1e\u202e\0\x01"), text
    ours = [ln for ln in text.splitlines() if ln.startswith("stockade:")]
    assert len(ours) == 1 and ".envrc was created" in ours[0], text
    theirs = [ln for ln in text.splitlines() if "lie" in ln]
    assert len(theirs) == 14 and all(ln.startswith("[odd.py]") or ln.startswith("odd.py") for ln in theirs), text


@pytest.mark.root
@pytest.mark.parametrize("name", ["stockade-shim", "stockade-enter", "supervisor"])
def test_killing_one_program_of_a_session_takes_the_server_with_it(person, name):
    mark, command = odd(person, "deaf")
    w = ready(person, command)
    w.call("spawn")
    victims = {"supervisor": lambda: w.p.pid, "stockade-enter": lambda: first_process(w.p.pid),
               "stockade-shim": lambda: next((p for p in descendants(w.p.pid) if command_name(p) == "stockade-shim"), None)}
    os.kill(until(victims[name]), signal.SIGKILL)
    w.wait()
    assert not gone(mark)


def first_process(pid):
    """PID 1 of the sandbox below pid, not the process of the same name that made it, which ends by itself."""
    return next((p for p in descendants(pid) if (s := status_of(p)).get("NSpid", "").split()[1:] == ["1"] and s["Name"] == "stockade-enter"), None)


KILLS = 200


def test_two_hundred_kills_at_random_moments_leave_nothing(person):
    """Victims are picked among the client, stockade and every program of ours below it; then nothing may be left, as a rule within 1 s."""
    mark, command = odd(person, "deaf")
    # With and without a network, whose gateway and dial are victims too; nobody connects to that name.
    launches = [["--", *command], ["--host", "api.example.test:443", "--", *command]]
    person.approve(*launches[1])
    rng = random.Random(20261001)
    victims = set()
    client = CLIENTS["sdk_v1"]({"command": STOCKADE, "args": ["run", *launches[1]], "cwd": person.work,
                                "env": {"HOME": person.home, "PATH": person.env["PATH"]},
                                "steps": [{"op": "call", "name": "spawn"}, {"op": "call", "name": "sleep", "args": {"seconds": 60}}]})
    took = []
    for i in range(KILLS):
        # Every eighth round a whole SDK client, which is slow to start; else a bare pipe in its place.
        if i % 8 == 0:
            p = subprocess.Popen(client, env={**person.env, "STOCKADE_NODE_MODULES": MODULES}, cwd=person.work,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.05, 0.8))
        else:
            p = subprocess.Popen([STOCKADE, "run", *launches[i % 2]], env=person.env, cwd=person.work,
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            p.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"spawn"}}\n')
            p.stdin.flush()
            time.sleep(rng.choice([rng.uniform(0, 0.02), rng.uniform(0, 0.2)]))
        victim, name = kill_one(rng, p.pid)
        victims.add(name)
        if i % 8 == 0 and victim != p.pid:
            p.kill()  # an SDK client that lost its server need not exit
        start = time.monotonic()
        left = gone(mark)
        took.append(time.monotonic() - start)
        assert not left, f"round {i}: {name} was killed, and this is left: {[described(x) for x in left]}"
        if p.stdin:
            p.stdin.close()
        p.kill()
        p.wait()
    assert sorted(took)[KILLS // 2] < GRACE, took
    assert victims >= OURS, victims
    person.verified()


# As the kernel cuts them, see comm in proc(5).
OURS = {"stockade", "stockade-enter", "stockade-shim", "stockade-gatewa", "stockade-dial", "stockade-names"}


def kill_one(rng, pid):
    """SIGKILL to the program that the client started or to one of ours below it; who it was.

    enter's first process ends by itself as soon as PID 1 lives: hit in that moment, nothing was killed that mattered, and
    the session rightly goes on. Then the next victim is PID 1.
    """
    victim = rng.choice([pid] + [v for v in descendants(pid) if command_name(v) in OURS])
    # Stopped, it becomes nothing else between our look at what it is and its end: one of "stockade" may be about to be enter.
    kill(victim, signal.SIGSTOP)
    until(lambda: status_of(victim).get("State", "X")[0] in "TtZX")
    name = command_name(victim)
    kill(victim)
    time.sleep(0.01)
    for other in descendants(pid) if name == "stockade-enter" else []:
        if command_name(other) == name:
            kill(other)
    return victim, name


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def described(pid):
    s = status_of(pid)
    return pid, s.get("Name"), "state", s.get("State"), "parent", s.get("PPid"), of_process(pid, "wchan")


def test_a_client_that_dies_with_its_pipes_in_other_hands_is_noticed(person):
    """EOF never comes: a bystander holds both ends of the pipes. The client's own death must be enough."""
    mark, command = odd(person, "deaf")
    r, w = os.pipe()
    client = subprocess.Popen(["/bin/sh", "-c", 'exec 3<&0; "$@" <&3 >/dev/null 2>&1 & sleep 600', "sh",
                               STOCKADE, "run", "--", *command],
                              env=person.env, cwd=person.work, stdin=r, start_new_session=True)
    until(lambda: [p for p in processes(mark) if command_name(p).startswith("python3")])
    client.kill()
    client.wait()
    left = gone(mark)
    os.close(r)
    os.close(w)
    os.killpg(client.pid, signal.SIGKILL)
    assert not left


@pytest.mark.root
def test_stop_ends_a_running_session(person):
    mark, command = odd(person, "deaf")
    w = ready(person, command)
    listed = json.loads(person.stockade("ps", "--json", check=0).stdout)
    sessions = listed if isinstance(listed, list) else listed["sessions"]
    assert len(sessions) == 1
    person.stockade("stop", sessions[0]["session"], check=0)
    w.wait()
    assert not gone(mark)
    assert not json.loads(person.stockade("ps", "--json", check=0).stdout or "[]")


CLOSED = {"<&-": 0, ">&-": 125, "2>&-": 0, "<&- >&- 2>&-": 125}


@pytest.mark.root
@pytest.mark.parametrize("closed", CLOSED)
def test_a_standard_descriptor_that_is_closed_at_the_start_is_survived(person, closed):
    """Nothing that is opened takes its place; without a standard output there is nobody to serve, which is said."""
    _, command = odd(person)
    r = subprocess.run(["/bin/sh", "-c", f'exec timeout 20 "$@" {closed}', "sh", STOCKADE, "run", "--", *command],
                       env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, check=False)
    assert r.returncode == CLOSED[closed] and r.stdout == b""
    said = b"stockade: standard output is closed, so no answer could reach anyone; start it with one\n"
    assert r.stderr == (said if closed == ">&-" else b"")
    assert ("session.ready" in person.events()) == (CLOSED[closed] == 0)
    person.verified()
