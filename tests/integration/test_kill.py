# SPDX-License-Identifier: Apache-2.0
"""Stop means stop: what is killed ends at once, all of it, and does not start again before it is lifted."""
import json
import os
import signal
import subprocess
import uuid

import pytest
from integration.harness import ODD, STOCKADE, command_name, gone, processes, until

LOOSENING = ("stockade restore", "stockade approve ", "rm ")


def odd(person, name, *modes, **profile):
    """An approved odd server under a name, with a mark of its own in its command line."""
    mark = "mark-" + uuid.uuid4().hex
    person.profile(name, {"stockade": 1, "name": name, "version": 1, "command": [*ODD, mark, *modes],
                          "filesystem": {"read": [os.path.dirname(ODD[1])]}, "tools": {"allow": ["*"], "rate": "100000/min"}, **profile})
    person.approve(name)
    return mark


def ready(person, name):
    w = person.start(name)
    w.initialize()
    return w


OWN = ["--own"] if os.geteuid() == 0 else []  # by root it would be for the whole machine


def kill(person, *words, check=0):
    return person.stockade("kill", *OWN, *words, check=check)


def restore(person, *words, check=0):
    """From a process that no client of a session stands above: init has taken it over."""
    out = f"{person.base}/restored"
    # Not before the one that started it is gone.
    script = f'while kill -0 $$ 2>/dev/null; do sleep 0.01; done; "$@" >{out} 2>&1; echo " status $?" >>{out}; mv {out} {out}.done'
    subprocess.run(["sh", "-c", f"({script}) & exit 0", "sh", STOCKADE, "restore", *words], env=person.env, cwd=person.work,
                   stdin=subprocess.DEVNULL, check=True)
    text = until(lambda: os.path.exists(f"{out}.done") and open(f"{out}.done", encoding="utf-8").read())  # pylint: disable=consider-using-with
    os.remove(f"{out}.done")
    said, _, status = text.rpartition(" status ")
    assert int(status) == check, text
    return said


def kills(person, check=0):
    return json.loads(person.stockade("kills", "--json", check=check).stdout)


def kill_dir(person):
    path = f"{person.home}/.local/state/stockade/kill.d"
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def drop(person, name, text):
    """As a configuration management does it: another name, then renamed."""
    path = f"{kill_dir(person)}/{name}"
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    os.rename(path + ".new", path)
    return path


def entry(server, tool=None, **more):
    return {"stockade": 1, "server": server, **({"tool": tool} if tool else {}), "who": "IT", "when": "2026-10-01T12:00:00Z", "why": "SEC-1234", **more}


def records(person):
    return [r for r in person.records() if r["event"] == "kill"]


def names(w):
    return [t["name"] for t in w.request("tools/list")["result"]["tools"]]


def waits(person):
    """What the sessions wait for (approve is not for a client of theirs, which is this process)."""
    return [x for s in json.loads(person.stockade("ps", "--json", check=0).stdout) for x in s["waits_for"]]


def changed(w):
    while True:
        m = w.message()
        assert m is not None, w.err.decode()
        if m.get("method") == "notifications/tools/list_changed":
            return m


# --- a server ---

@pytest.mark.root
def test_a_killed_server_ends_with_all_it_started_and_does_not_start_again(person):
    mark = odd(person, "odd", "deaf")
    w = ready(person, "odd")
    w.call("spawn", {"n": 5})
    until(lambda: len(processes(mark)) >= 6)
    r = kill(person, "--why", "it phones home", "odd")
    assert not processes(mark), "it said that all is over"
    assert "1 session ended" in r.stderr and "server.odd.json" in r.stderr and "until 'stockade restore' with the same words" in r.stderr, r.stderr
    assert w.wait() == 125 and b"it phones home" in w.err, w.err
    r = person.stockade("run", "odd", check=125)
    for word in ("nothing was started", "it phones home", "server.odd.json"):
        assert word in r.stderr, r.stderr
    assert [(e["server"], e["tool"], e["why"], e["damaged"]) for e in kills(person)] == [("odd", None, "it phones home", None)]
    assert "lifted  by 'stockade restore odd'\n" in person.stockade("kills", check=0).stdout
    assert "is not killed any more" in restore(person, "odd")
    w = ready(person, "odd")
    assert w.call("echo", {"text": "back"})["result"]["content"][0]["text"] == "back"
    w.end()
    assert [r["status"] for r in records(person)] == ["server killed", "ordered", "not started", "lifted"]
    assert all("it phones home" in r["reason"] for r in records(person))
    person.verified()


BY_ORDER_OR_FILE = pytest.mark.parametrize("kill_it", [
    lambda person, *target: kill(person, "--why", "SEC-1234", *target),
    lambda person, *target: drop(person, "SEC-1234.json", entry(*target)),
], ids=["an order", "a file that is dropped in"])


@BY_ORDER_OR_FILE
def test_a_request_under_way_is_answered_in_words_that_lift_nothing(person, kill_it):
    odd(person, "odd")
    w = ready(person, "odd")
    w.send({"jsonrpc": "2.0", "id": "under way", "method": "tools/call", "params": {"name": "never", "arguments": {}}})
    w.call("echo", {"text": "it has come by now"})
    kill_it(person, "odd")
    error = w.answer("under way")["error"]["message"]
    assert "kill switch" in error and "SEC-1234" in error, error
    assert w.wait() == 125
    for loosening in LOOSENING:
        assert loosening not in error and loosening.encode() not in w.err
    refused = person.stockade("run", "odd", check=125).stderr
    for loosening in LOOSENING:
        assert loosening not in refused


def test_a_kill_holds_where_no_session_runs_and_over_a_restart_of_the_machine(person):
    odd(person, "odd")
    assert "no session of it runs now" in kill(person, "odd").stderr
    runtime = f"{person.home}/.local/state/stockade/run"
    if os.path.isdir(runtime):
        subprocess.run(["rm", "-rf", runtime], check=True)
    person.stockade("run", "odd", check=125)
    restore(person, "odd", check=0)
    ready(person, "odd").end()


def test_a_kill_of_one_server_leaves_another_alone(person):
    odd(person, "one")
    odd(person, "two")
    a, b = ready(person, "one"), ready(person, "two")
    kill(person, "one")
    assert a.wait() == 125
    assert b.call("echo", {"text": "here"})["result"]["content"][0]["text"] == "here"
    assert b.end() == 0


def test_everything_is_killed_and_lifted_again_without_what_was_killed_before(person):
    odd(person, "one")
    odd(person, "two")
    kill(person, "one")
    w = ready(person, "two")
    kill(person, "--all", "--why", "an emergency")
    assert w.wait() == 125
    assert "an emergency" in person.stockade("run", "two", check=125).stderr
    assert "lifted  by 'stockade restore --all'\n" in person.stockade("kills", check=0).stdout
    said = restore(person, "one")
    assert "It is killed all the same: everything" in said, said
    kill(person, "one")
    restore(person, "--all")
    ready(person, "two").end()
    person.stockade("run", "one", check=125)


def test_what_is_not_killed_cannot_be_lifted(person):
    assert "is not killed" in restore(person, "odd", check=1)


def test_what_a_client_starts_cannot_lift_a_kill(person):
    odd(person, "one")
    odd(person, "two")
    kill(person, "one")
    w = ready(person, "two")  # a session whose client is this very process
    r = person.stockade("restore", "one", check=125)
    assert "client" in r.stderr, r.stderr
    assert len(kills(person)) == 1
    w.end()


def test_a_file_that_is_dropped_in_ends_what_runs(person):
    mark = odd(person, "odd")
    w = ready(person, "odd")
    drop(person, "SEC-1234.json", entry("o*"))
    assert w.wait() == 125 and b"IT since 2026-10-01T12:00:00Z: SEC-1234" in w.err, w.err
    assert not gone(mark)


def test_a_directory_that_comes_later_is_noticed(person):
    odd(person, "odd")
    subprocess.run(["rm", "-rf", kill_dir(person)], check=True)
    w = ready(person, "odd")
    subprocess.run(["rm", "-rf", kill_dir(person)], check=True)
    drop(person, "all.json", entry("*"))
    assert w.wait() == 125


@pytest.mark.parametrize("spoil", [
    lambda d: os.chmod(d, 0o777),
    lambda d: os.chmod(d, 0o000) if os.geteuid() else os.chmod(d, 0o722),
    lambda d: (os.rmdir(d), open(d, "wb").close()),  # pylint: disable=consider-using-with
    lambda d: [os.mkdir(f"{d}/{i}.json") for i in range(1100)],
], ids=["others can write it", "nobody can read it", "it is a file", "it holds too many"])
def test_a_directory_that_says_nothing_kills_everything(person, spoil):
    odd(person, "odd")
    w = ready(person, "odd")
    directory = kill_dir(person)
    spoil(directory)
    assert w.wait() == 125 and b"mend it" in w.err, w.err
    r = person.stockade("run", "odd", check=125)
    assert directory in r.stderr, r.stderr
    assert all(e["damaged"] for e in kills(person, check=1))
    if os.path.isdir(directory):
        os.chmod(directory, 0o700)


def test_a_launch_that_waits_for_an_approval_is_ended_by_a_kill(person):
    mark = odd(person, "odd")
    person.profile("odd", {"stockade": 1, "name": "odd", "version": 2, "command": [*ODD, mark, "changed"]})
    w = ready(person, "odd")
    assert w.call("echo")["result"]["isError"]
    kill(person, "odd")
    assert w.wait() == 125
    assert json.loads(person.stockade("approve", "--json", check=0).stdout) == []
    assert not processes(mark)


def test_a_call_that_waits_for_a_person_is_answered_when_its_server_is_killed(person):
    odd(person, "odd", tools={"allow": [{"name": "echo", "confirm": True}]})
    w = ready(person, "odd")
    w.send({"jsonrpc": "2.0", "id": "waits", "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
    until(lambda: waits(person))
    kill(person, "odd")
    answer = w.answer("waits")
    assert "error" in answer or answer["result"]["isError"], answer
    assert w.wait() == 125


def test_kills_and_launches_at_the_same_time_leave_nothing_running(person):
    """Whoever is found by the kill is ended by it, and whoever begins later finds the entry."""
    mark = odd(person, "odd")
    for _ in range(8):
        started = [person.start("odd") for _ in range(4)]
        kill(person, "odd")
        for w in started:
            assert w.wait() == 125, w.err
        assert not processes(mark)
        restore(person, "odd")


# --- those who do not want to hear it ---

def test_a_supervisor_that_is_stopped_saves_no_server(person):
    mark = odd(person, "odd")
    w = ready(person, "odd")
    os.kill(w.p.pid, signal.SIGSTOP)
    r = kill(person, "odd")
    assert "1 did not answer" in r.stderr and not processes(mark), r.stderr
    os.kill(w.p.pid, signal.SIGCONT)
    assert w.wait() == 125 and b"killed" in w.err, w.err
    assert "server killed" in [r["status"] for r in records(person)]
    person.verified()


def test_a_registry_entry_of_another_process_kills_nobody(person):
    """The pid is that of a living process, the start time is not."""
    odd(person, "odd")
    w = ready(person, "odd")
    bystander = subprocess.Popen(["sleep", "600"])  # pylint: disable=consider-using-with
    session = json.loads(person.stockade("ps", "--json", check=0).stdout)[0]["session"]
    places = [f"/run/user/{os.getuid()}/stockade/sessions", f"{person.home}/.local/state/stockade/run/sessions"]
    path = next(p for p in (f"{d}/{session}.json" for d in places) if os.path.exists(p))
    with open(path, encoding="utf-8") as f:
        says = json.load(f)
    with open(path, "w", encoding="utf-8") as f:
        json.dump({**says, "init_pid": bystander.pid}, f)
    os.kill(w.p.pid, signal.SIGSTOP)
    kill(person, "odd")
    assert bystander.poll() is None
    os.kill(w.p.pid, signal.SIGCONT)
    assert w.wait() == 125
    bystander.kill()
    bystander.wait()


def test_a_server_that_is_stopped_is_ended(person):
    mark = odd(person, "odd")
    w = ready(person, "odd")
    for pid in processes(mark):
        if command_name(pid) == "python3":
            os.kill(pid, signal.SIGSTOP)
    kill(person, "odd")
    assert not processes(mark)
    w.wait()


STORM = """
import os, signal, sys, time
for s in (1, 2, 3, 10, 12, 13, 15): signal.signal(s, signal.SIG_IGN)
print(sys.argv[1], file=sys.stderr, flush=True)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        time.sleep(0.001)
"""


def test_a_fork_storm_of_sessions_of_their_own_that_ignore_signals_is_ended(person):
    mark = "mark-" + uuid.uuid4().hex
    person.profile("storm", {"stockade": 1, "name": "storm", "version": 1, "command": ["/usr/bin/python3", "-c", STORM, mark],
                             "limits": {"processes": 60}})
    person.approve("storm")
    w = person.start("storm")
    until(lambda: len(processes(mark)) >= 40)
    kill(person, "storm")
    assert not processes(mark)
    assert w.wait() == 125


def test_fifty_sessions_end_at_once(person):
    mark = odd(person, "odd")
    started = [person.start("odd") for _ in range(50)]
    for w in started:
        w.initialize()
    assert "50 sessions ended" in kill(person, "odd").stderr
    assert not processes(mark)
    assert {w.wait() for w in started} == {125}


# --- damaged entries ---

def test_every_truncation_of_an_entry_kills_what_its_name_says_and_nothing_else(person):
    odd(person, "odd")
    odd(person, "even")
    text = json.dumps(entry("odd"))
    for n in range(0, len(text), 7):
        path = drop(person, "server.odd.json", text[:n])
        assert path in person.stockade("run", "odd", check=125).stderr
    w = ready(person, "even")
    w.end()
    path = drop(person, "SEC-1.json", text[:40])
    assert path in person.stockade("run", "even", check=125).stderr
    for path in ("server.odd.json", "SEC-1.json"):
        os.remove(f"{kill_dir(person)}/{path}")
    ready(person, "odd").end()


def test_an_entry_that_somebody_is_just_writing_is_not_taken_for_damaged(person):
    """Without another name beside it, as an editor or a shell would: what is there for a moment kills nobody."""
    odd(person, "odd")
    w = ready(person, "odd")
    code = "import sys\nf = open(sys.argv[1], 'w')\nf.write(sys.argv[2])\nf.close()"
    subprocess.run(["/usr/bin/python3", "-c", code, f"{kill_dir(person)}/SEC-9.json", json.dumps(entry("other"))], check=True)
    assert w.call("echo", {"text": "here"})["result"]["content"][0]["text"] == "here"
    assert "echo" in names(w)
    drop(person, "SEC-10.json", entry("odd", "echo"))
    changed(w)
    assert w.end() == 0


def test_other_commands_tell_what_is_killed(person):
    odd(person, "odd")
    w = ready(person, "odd")
    kill(person, "--why", "SEC-3", "odd", "echo")
    changed_or_not = person.stockade("ps", check=0)
    assert "1 tool killed" in changed_or_not.stdout and "'stockade kills' lists it" in changed_or_not.stderr, changed_or_not
    session = json.loads(person.stockade("ps", "--json", check=0).stdout)[0]
    assert [(e["tool"], e["why"]) for e in session["killed"]] == [("echo", "SEC-3")]
    r = person.stockade("check", "odd", "--tool", "echo", check=1)
    assert "denied: tool 'echo' by the kill switch: by " in r.stdout and "SEC-3" in r.stdout, r.stdout
    person.stockade("check", "odd", "--tool", "ids", check=0)
    w.end()
    kill(person, "odd")
    text = person.stockade("check", "odd", check=0).stdout
    assert "it may not be started, by " in text and "tool echo, by " in text and "server.odd.json" in text, text
    assert person.stockade("check", "odd", "--tool", "ids", check=1)
    assert len(json.loads(person.stockade("check", "--json", "odd", check=0).stdout)["killed"]) == 2
    listed = person.stockade("kills", check=0).stdout
    assert "server 'odd'" in listed and "tool 'echo' of server 'odd'" in listed and "SEC-3" in listed, listed


def test_doctor_says_how_entries_are_noticed(person):
    checks = json.loads(person.stockade("doctor", "--json").stdout)["checks"]
    found = next(c for c in checks if c["name"] == "kill switch")
    assert found["result"] == "yes" and "inotify" in found["found"], found


# --- a tool ---

@pytest.mark.root
def test_a_killed_tool_is_neither_listed_nor_called_and_comes_back(person):
    odd(person, "odd")
    w = ready(person, "odd")
    assert {"echo", "ids"} <= set(names(w))
    assert "1 session was told" in kill(person, "--why", "SEC-7", "odd", "ec*").stderr
    changed(w)
    assert "echo" not in names(w) and "ids" in names(w)
    denied = w.call("echo", {"text": "x"})["result"]
    assert denied["isError"] and "kill switch" in denied["content"][0]["text"] and "SEC-7" in denied["content"][0]["text"], denied
    for loosening in LOOSENING:
        assert loosening not in denied["content"][0]["text"]
    assert not w.call("ids").get("error")
    restore(person, "odd", "ec*")
    changed(w)
    assert "echo" in names(w) and w.call("echo", {"text": "x"})["result"]["content"][0]["text"] == "x"
    assert w.end() == 0
    assert [(r["status"], r["tool"]) for r in records(person)] == [
        ("tool killed", "ec*"), ("ordered", "ec*"), ("lifted", "ec*"), ("lifted", "ec*")]
    call = next(r for r in person.records() if r["event"] == "tool.call" and r["tool"] == "echo")
    assert call["decision"] == "deny" and call["rule"] == "the kill switch", call
    person.verified()


def test_the_hello_promises_that_the_list_of_tools_can_change(person):
    odd(person, "odd")
    w = person.start("odd")
    assert w.initialize()["result"]["capabilities"]["tools"]["listChanged"] is True
    w.end()


@BY_ORDER_OR_FILE
def test_a_call_under_way_of_a_killed_tool_is_answered_and_cancelled(person, kill_it):
    odd(person, "odd")
    w = ready(person, "odd")
    w.send({"jsonrpc": "2.0", "id": "under way", "method": "tools/call", "params": {"name": "never", "arguments": {}}})
    w.call("echo", {"text": "it has come by now"})
    kill_it(person, "odd", "never")
    result = w.answer("under way")["result"]
    assert result["isError"] and "kill switch" in result["content"][0]["text"], result
    cancelled = json.loads(w.call("cancelled")["result"]["content"][0]["text"])
    assert [c["requestId"] for c in cancelled] == ["under way"]
    w.end()
    ended = next(r for r in person.records() if r["event"] == "tool.result" and r["tool"] == "never")
    assert ended["status"] == "killed" and ended["rule"] == "the kill switch", ended
    person.verified()


def test_a_call_that_waits_for_a_person_is_answered_when_its_tool_is_killed(person):
    odd(person, "odd", tools={"allow": [{"name": "echo", "confirm": True}, "ids"]})
    w = ready(person, "odd")
    w.send({"jsonrpc": "2.0", "id": "waits", "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
    until(lambda: waits(person))
    kill(person, "odd", "echo")
    assert "kill switch" in w.answer("waits")["result"]["content"][0]["text"]
    until(lambda: not waits(person))
    assert not w.call("ids").get("error")
    w.end()


def test_a_tool_that_was_killed_before_the_launch_is_not_there(person):
    odd(person, "odd")
    kill(person, "*", "echo")
    w = ready(person, "odd")
    assert "echo" not in names(w) and w.call("echo")["result"]["isError"]
    w.end()


def test_root_tells_no_other_user_through_a_socket_that_is_not_theirs(person):
    """What comes from anybody else than the user or root, or in another form, is not obeyed."""
    odd(person, "odd")
    w = ready(person, "odd")
    session = json.loads(person.stockade("ps", "--json", check=0).stdout)[0]["session"]
    places = [f"/run/user/{os.getuid()}/stockade/sessions", f"{person.home}/.local/state/stockade/run/sessions"]
    directory = next(d for d in places if os.path.exists(f"{d}/{session}.kill"))
    code = ("import os, socket, sys\nos.chdir(sys.argv[1])\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "for m in (b'', b'K', b'K{}', b'X' + sys.argv[3].encode(), sys.argv[3].encode(), b'K' + b'x' * 60000):\n"
            "    try: s.sendto(m, sys.argv[2] + '.kill')\n    except OSError as e: print(e)\n")
    subprocess.run(["/usr/bin/python3", "-c", code, directory, session, json.dumps(entry("odd"))], check=True)
    assert w.call("echo", {"text": "still here"})["result"]["content"][0]["text"] == "still here"
    assert w.end() == 0
    assert not os.listdir(directory), "nothing of it is left"
