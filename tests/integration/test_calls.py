# SPDX-License-Identifier: Apache-2.0
"""Calls that come too often, take too long, answer too much, or wait until a person has looked at them.

Real clients against real servers; what a person answers is typed at a terminal. What takes seconds here is the profile's own time.
"""
import json
import os
import shutil
import subprocess
import time

import pytest

from integration.harness import CLIENTS, MODULES, ODD, PATIENCE, SERVERS, STOCKADE, Wire, ask, npm_server, until
from integration.pty_person import Terminal


def profile(person, name, command, tools, **more):
    person.profile(name, {"stockade": 1, "name": name, "command": command, "tools": tools, **more})
    person.approve(name)
    return name


def odd(person, name, tools, **more):
    return profile(person, name, [*ODD, name], tools, **more)


def start(person, *words):
    """Below a client of its own: whoever is the client of a session cannot answer for its user, and here that would be us."""
    return Wire(["/bin/sh", "-c", '"$@"; exit $?', "client", STOCKADE, "run", *words], env=person.env, cwd=person.work)


def words(answer):
    return answer["result"]["content"][0]["text"]


def is_denied(answer):
    return answer["result"].get("isError", False)


def terminal(person, *args):
    return Terminal([STOCKADE, *args], person.env, person.work)


def waiting(person):
    return [e for e in json.loads(person.stockade("approve", "--json", check=0).stdout) if e["kind"] == "call"]


def waits(person, n=1):
    until(lambda: len(waiting(person)) == n)
    return waiting(person)


def answer_call(person, key, expect, status):
    t = terminal(person, "approve", "1")
    t.read_until("Let it through?")
    t.type(f"{key}\n")
    t.read_until(expect)
    assert t.wait() == status
    return t.text


def confirms(person):
    return [(r["status"], r.get("decision")) for r in person.records() if r["event"] == "call.confirm"]


# --- rates, numbers, times, sizes ---

@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_too_many_is_told_when_to_come_again_and_then_passes(person, client):
    name = profile(person, "everything", npm_server("everything", "stdio"), {"allow": [{"name": "echo", "rate": "2/s"}, "get-sum"]})
    call = {"op": "call", "name": "echo", "args": {"message": "m"}}
    # Forty at once are more than twenty seconds bring; the last waits as long as it is told to, in a session of its own pace.
    answers = ask(client, person, [STOCKADE, "run", name], [call] * 40 + [{"op": "call", "name": "get-sum", "args": {"a": 1, "b": 2}}])
    results = [a["ok"] for a in answers]
    denied = [r for r in results if r.get("isError")]
    assert denied and not results[0].get("isError") and not results[40].get("isError"), results
    assert all("tools.allow.rate \"2/s\"" in r["content"][0]["text"] and "Retry after 1 s." in r["content"][0]["text"] for r in denied)
    assert len([r for r in person.records() if r["event"] == "tool.call" and r["decision"] == "deny" and "tools.allow.rate" in r["rule"]]) == len(denied)


def test_what_was_denied_for_its_rate_passes_after_the_time_that_was_named(person):
    w = start(person, odd(person, "pace", {"rate": "1/s"}))
    w.initialize()
    while not is_denied(last := w.call("echo", {"text": "x"})):
        pass
    assert "Retry after 1 s." in words(last)
    until(lambda: not is_denied(w.call("echo", {"text": "x"})))
    assert w.end() == 0


def test_sixty_calls_a_minute_and_tool_without_a_word_of_anybody(person):
    person.approve("--", *ODD, "default")
    w = start(person, "--", *ODD, "default")
    w.initialize()
    answers = [w.call("echo", {"text": "x"}) for _ in range(150)]
    denied = [a for a in answers if is_denied(a)]
    assert not any(is_denied(a) for a in answers[:60]) and denied
    assert "the default (60 calls a minute and tool" in words(denied[0])
    assert not is_denied(w.call("heard"))
    assert w.end() == 0
    assert "60 calls a minute of each tool" in person.stockade("check", "--", *ODD, "default", check=0).stdout


def test_so_many_calls_at_once_and_no_more(person):
    w = start(person, odd(person, "crowd", {}, limits={"calls": 2}))
    w.initialize()
    for i in ("a", "b"):
        w.send({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": "never", "arguments": {}}})
    third = w.call("echo", {"text": "x"})
    assert is_denied(third) and "(limits.calls)" in words(third) and "Retry after" in words(third)
    w.notify("notifications/cancelled", {"requestId": "a"})
    assert words(w.call("echo", {"text": "x"})) == "x"
    w.kill()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_that_takes_too_long_is_answered_and_cancelled_at_the_server(person, client):
    name = odd(person, "slow", {"allow": [{"name": "never", "time": "1s"}, "cancelled", "echo"]})
    steps = [{"op": "call", "name": "never"}, {"op": "call", "name": "cancelled"}, {"op": "call", "name": "echo", "args": {"text": "on"}}]
    never, cancelled, echo = [a["ok"] for a in ask(client, person, [STOCKADE, "run", name], steps)]
    assert never["isError"] and "gave no answer within 1 s" in never["content"][0]["text"]
    assert "tools.allow.time \"1s\"" in never["content"][0]["text"]
    told = json.loads(cancelled["content"][0]["text"])
    assert len(told) == 1 and told[0]["reason"] == "it took longer than 1 s"
    assert echo["content"][0]["text"] == "on"
    [record] = [r for r in person.records() if r.get("status") == "time limit"]
    assert record["event"] == "tool.result" and "tools.allow.time" in record["rule"] and record["latency_us"] >= 1000000


def test_an_answer_after_its_time_reaches_nobody_and_no_other_call(person):
    w = start(person, odd(person, "late", {"allow": [{"name": "sleep", "time": "1s"}, "echo"]}))
    w.initialize()
    w.send({"jsonrpc": "2.0", "id": "s", "method": "tools/call", "params": {"name": "sleep", "arguments": {"seconds": 3}}})
    assert is_denied(w.answer("s"))
    # The id again, before the server has answered the first: it would hear that answer.
    w.seen.clear()
    w.send({"jsonrpc": "2.0", "id": "s", "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "mine"}}})
    assert "no answer yet" in w.answer("s")["error"]["message"]
    assert words(w.call("echo", {"text": "behind it"})) == "behind it"
    w.seen.clear()
    w.send({"jsonrpc": "2.0", "id": "s", "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "mine"}}})
    assert words(w.answer("s")) == "mine"
    assert w.end() == 0
    assert ["it came after the call's time was over"] == [r["reason"] for r in person.records() if r["event"] == "response.unmatched"]
    person.verified()


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_that_is_too_large_becomes_words(person, client):
    name = odd(person, "wordy", {"output": "64KiB", "allow": ["echo", {"name": "big", "output": "4KiB"}]})
    steps = [{"op": "call", "name": "big", "args": {"bytes": n}} for n in (100, 5000)] + [{"op": "call", "name": "echo", "args": {"text": "y" * 5000}}]
    small, large, other = [a["ok"] for a in ask(client, person, [STOCKADE, "run", name], steps)]
    assert small["content"][0]["text"] == "x" * 100 and other["content"][0]["text"] == "y" * 5000
    assert large["isError"] and "tools.allow.output \"4KiB\") allows 4096: it was not passed on" in large["content"][0]["text"]
    assert "xxxx" not in json.dumps(large)


def test_messages_have_a_limit_each_way(person):
    w = start(person, odd(person, "ways", {}, limits={"message_client": "4KiB", "message_server": "64KiB"}))
    w.initialize()
    assert words(w.call("big", {"bytes": 20000})) == "x" * 20000
    assert "longer than 65536 bytes" in w.call("big", {"bytes": 70000})["error"]["message"]
    assert "longer than 4096 bytes" in w.call("echo", {"text": "x" * 5000})["error"]["message"]
    assert words(w.call("echo", {"text": "x"})) == "x"
    assert w.end() == 0


# --- confirmation ---

ASKING = {"allow": [{"name": "echo", "confirm": True}, "heard", "read"]}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_waits_for_a_person_and_passes_with_a_yes(person, client):
    name = profile(person, "everything", npm_server("everything", "stdio"), {"allow": [{"name": "echo", "confirm": True}, "get-sum"]})
    job = {"command": STOCKADE, "args": ["run", name], "cwd": person.work, "env": {"HOME": person.home, "PATH": person.env["PATH"]},
           "steps": [{"op": "call", "name": "echo", "args": {"message": "look \u202e at this"}, "progress": True}]}
    with subprocess.Popen(CLIENTS[client](job), env={**person.env, "STOCKADE_NODE_MODULES": MODULES}, cwd=person.work,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as p:
        entry = waits(person)[0]
        assert (entry["server"], entry["tool"], json.loads(entry["arguments"])) == (name, "echo", {"message": "look \u202e at this"})
        shown = answer_call(person, "y", "echo: let through this once.", 0)
        assert "look \\u{202e} at this" in shown and "(tools.allow.confirm)" in shown and "\u202e" not in shown
        ok = json.loads(p.stdout.read())[0]["ok"]
    assert ok["result"]["content"][0]["text"] == "Echo: look \ufffd at this"
    assert ok["progress"] and "stockade waits" in ok["progress"][0]["message"]
    assert confirms(person) == [("asked", None), ("once", "allow")]
    record = [r for r in person.records() if r["event"] == "call.confirm"][-1]
    assert record["detail"]["answered_through"] == "approve" and record["detail"]["answered_by"] and record["latency_us"] > 0
    assert record["call_id"] == [r["call_id"] for r in person.records() if r["event"] == "tool.call"][0]
    person.verified()


def asking(person, name="asking"):
    w = start(person, odd(person, name, ASKING))
    w.initialize()
    return w


def send(w, ident, text, **more):
    w.send({"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": text}, **more}})


def test_a_no_is_told_to_the_client_and_never_reaches_the_server(person):
    w = asking(person)
    send(w, "c", "please")
    waits(person)
    answer_call(person, "", "echo: denied.", 125)
    said = w.answer("c")
    assert is_denied(said) and "a person has looked at it and said no" in words(said) and "approve" not in words(said)
    assert "tools/call" not in json.loads(words(w.call("heard")))[:-1]
    assert w.end() == 0
    assert confirms(person) == [("asked", None), ("no", "deny")]


def test_other_arguments_ask_again_and_a_session_is_a_session(person):
    w = asking(person)
    send(w, 101, "a")
    waits(person)
    answer_call(person, "s", "until the session ends.", 0)
    assert words(w.answer(101)) == "a"
    send(w, 102, "a")
    assert words(w.answer(102)) == "a"
    send(w, 103, "b")
    waits(person)
    answer_call(person, "y", "this once.", 0)
    assert words(w.answer(103)) == "b"
    send(w, 104, "b")
    waits(person)
    answer_call(person, "n", "denied.", 125)
    assert is_denied(w.answer(104))
    assert w.end() == 0
    w = start(person, "asking")
    w.initialize()
    send(w, 1001, "a")
    waits(person)
    w.kill()
    assert confirms(person)[:7] == [("asked", None), ("session", "allow"), ("session", "allow"), ("asked", None), ("once", "allow"),
                                    ("asked", None), ("no", "deny")]


def test_several_wait_at_once_and_other_messages_pass_meanwhile(person):
    w = asking(person)
    send(w, "x", "first")
    waits(person, 1)
    send(w, "y", "second")
    waits(person, 2)
    assert json.loads(words(w.call("heard"))).count("tools/call") == 1
    t = terminal(person, "approve")
    t.read_until("Number to look at")
    assert t.text.count("a call of echo") == 2
    t.type("2\n")
    t.read_until("Let it through?")
    assert '"second"' in t.text
    t.type("y\n")
    assert t.wait() == 0
    assert words(w.answer("y")) == "second"
    waits(person, 1)
    assert w.end() == 0
    said = w.answer("x")
    assert is_denied(said) and "the client closed its input while it waited" in words(said)
    assert waiting(person) == []
    assert confirms(person)[-1] == ("the session ends", "deny")


def test_one_yes_is_to_the_launches_and_to_the_calls_that_wait(person):
    w = asking(person)
    send(w, "x", "first")
    send(w, "y", "second")
    waits(person, 2)
    launch = start(person, "--", *ODD, "launch")
    launch.initialize()
    until(lambda: [e for e in json.loads(person.stockade("approve", "--json", check=0).stdout) if e["kind"] == "launch"])
    t = terminal(person, "approve", "--all")
    t.read_until("Yes to all 3 of them, to the calls this once? [y/N]")
    assert '"first"' in t.text and '"second"' in t.text and "odd.py launch" in t.text
    t.type("y\n")
    assert t.wait() == 0, t.text
    assert words(w.answer("x")) == "first" and words(w.answer("y")) == "second"
    until(lambda: launch.request("tools/list")["result"]["tools"])
    # Once is once.
    send(w, "z", "first")
    waits(person, 1)
    assert w.end() == 0 and launch.end() == 0


def test_two_of_the_same_are_two_questions_and_an_answer_for_the_session_is_one_to_both(person):
    w = asking(person)
    send(w, "x", "same")
    send(w, "y", "same")
    waits(person, 2)
    answer_call(person, "y", "this once.", 0)
    waits(person, 1)
    send(w, "z", "same")
    waits(person, 2)
    answer_call(person, "s", "until the session ends.", 0)
    assert [words(w.answer(i)) for i in "xyz"] == ["same"] * 3
    waits(person, 0)
    assert w.end() == 0
    assert [c for c in confirms(person) if c[1]] == [("once", "allow"), ("session", "allow"), ("session", "allow")]


def test_what_changes_while_a_call_waits_counts_and_nobody_is_asked_twice(person):
    """A pinned tool: the list changes after the question was put, to what was pinned or to something else."""
    state = f"{person.work}/state"
    os.mkdir(state)
    os.chmod(state, 0o777)

    def say(mode):
        with open(f"{state}/mode", "w", encoding="utf-8") as f:
            f.write(mode)
        os.chmod(f"{state}/mode", 0o666)

    say("")
    name = profile(person, "rewriting", ["/usr/bin/python3", f"{SERVERS}/rewriting.py", "asked", state],
                   {"allow": [{"name": "echo", "confirm": True}, "sum"]}, filesystem={"write": [state]})
    digest = person.stockade("pin", "--print-digest", name, check=0).stdout.strip()
    person.stockade("pin", "--digest", digest, name, check=0)
    for mode, passes in (("", True), ("evil-first", False)):
        w = start(person, name)
        w.initialize()
        send(w, "q", "x")
        waits(person, 1)
        # It says that its list has changed, and what it says now.
        assert "ran" in words(w.call("sum", {"then": mode or "shuffled"}))
        answer_call(person, "y", "this once.", 0)
        said = w.answer("q")
        assert is_denied(said) != passes and ("echo ran" if passes else "pinned") in words(said)
        assert waiting(person) == []
        assert w.end() == 0
    assert confirms(person) == [("asked", None), ("once", "allow")] * 2


def test_the_client_can_give_a_waiting_call_up(person):
    w = asking(person)
    send(w, "gone", "x")
    entry = waits(person)[0]
    w.notify("notifications/cancelled", {"requestId": "gone"})
    waits(person, 0)
    assert entry["number"] == 1
    assert json.loads(words(w.call("heard"))).count("notifications/cancelled") == 0
    assert not [m for m in map(json.loads, w.seen) if m.get("id") == "gone"]
    assert w.end() == 0
    assert confirms(person) == [("asked", None), ("cancelled", "deny")]


def test_a_waiting_call_is_denied_before_clients_give_up(person):
    w = asking(person)
    began = time.monotonic()
    send(w, "slow", "x", _meta={"progressToken": 5})
    said = w.answer("slow", timeout=2 * PATIENCE)
    assert time.monotonic() - began >= 50
    assert is_denied(said) and "nobody answered in time" in words(said)
    counts = [m["params"]["progress"] for m in map(json.loads, w.seen) if m.get("method") == "notifications/progress"]
    assert len(counts) > 1 and counts == sorted(set(counts))
    assert waiting(person) == []
    assert w.end() == 0


def test_a_server_cannot_answer_a_waiting_call_and_a_client_cannot_reuse_its_id(person):
    """The server answers what it has not been asked, under every id that a client might use."""
    server = person.write("eager.py", "import json,sys\n"
                          "def say(m): print(json.dumps(m), flush=True)\n"
                          "for line in sys.stdin:\n"
                          " m = json.loads(line)\n"
                          " if m.get('method') == 'initialize': say({'jsonrpc':'2.0','id':m['id'],'result':{'protocolVersion':'2025-06-18','capabilities':{'tools':{}},'serverInfo':{'name':'e','version':'1'}}})\n"
                          " elif m.get('method') == 'ping':\n"
                          "  say({'jsonrpc':'2.0','id':'parked','result':{'content':[{'type':'text','text':'forged'}]}})\n"
                          "  say({'jsonrpc':'2.0','id':m['id'],'result':{}})\n"
                          " elif 'id' in m: say({'jsonrpc':'2.0','id':m['id'],'result':{'content':[{'type':'text','text':json.dumps(m['params'])}]}})\n")
    name = profile(person, "eager", ["/usr/bin/python3", server], ASKING, filesystem={"read": [person.work]})
    w = start(person, name)
    w.initialize()
    send(w, "parked", "mine")
    waits(person)
    assert "result" in w.request("ping")
    send(w, "parked", "swapped")
    assert "result" in w.request("ping")
    assert json.loads(waits(person)[0]["arguments"]) == {"text": "mine"}
    assert not [m for m in map(json.loads, w.seen) if m.get("id") == "parked"]
    answer_call(person, "y", "this once.", 0)
    assert json.loads(words(w.answer("parked")))["arguments"] == {"text": "mine"}
    assert len([m for m in map(json.loads, w.seen) if m.get("id") == "parked"]) == 1
    assert w.end() == 0


def test_the_death_of_the_server_answers_what_waits(person):
    w = start(person, odd(person, "dying", {"allow": [{"name": "echo", "confirm": True}, "exit"]}))
    w.initialize()
    send(w, "p", "x")
    waits(person)
    w.send({"jsonrpc": "2.0", "id": "e", "method": "tools/call", "params": {"name": "exit", "arguments": {"status": 3}}})
    said = w.answer("p")
    assert is_denied(said) and "the session ends while it waits" in words(said)
    assert w.wait() == 3
    assert waiting(person) == []


def test_where_nobody_can_be_asked_it_is_denied_at_once(person):
    name = odd(person, "nobody", ASKING)
    w = start(person, name)
    w.initialize()
    assert words(w.call("read", {"path": "/nowhere"}))
    # The place for questions is taken by a file.
    runtime = until(lambda: [d for d in (f"/run/user/{os.geteuid()}/stockade", f"{person.home}/.local/state/stockade/run") if os.path.isdir(d)])[-1]
    calls = f"{runtime}/calls"
    shutil.rmtree(calls, ignore_errors=True)
    with open(calls, "w", encoding="utf-8"):
        pass
    try:
        send(w, "n", "x")
        said = w.answer("n")
        assert is_denied(said) and "nobody can be asked" in words(said)
    finally:
        os.unlink(calls)
    assert w.end() == 0
    assert confirms(person) == [("asked", None), ("nobody can be asked", "deny")]


def test_a_client_cannot_answer_for_its_user(person):
    """approve below an MCP client: the speed bump that launches have holds for calls too."""
    w = asking(person)
    send(w, "q", "x")
    waits(person)
    shutil.copy(os.path.realpath("/usr/bin/python3"), f"{person.work}/claude")
    script = person.write("agent.py", "import subprocess, sys\nsys.exit(subprocess.run(sys.argv[1:]).returncode)\n")
    t = Terminal([f"{person.work}/claude", script, STOCKADE, "approve", "1"], person.env, person.work)
    assert t.wait() == 125, t.text
    assert "Let it through" not in t.text
    assert len(waiting(person)) == 1
    w.kill()
