# SPDX-License-Identifier: Apache-2.0
"""While approval waits the client has a healthy server, and its tools appear without a restart."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest
from integration.harness import CLIENTS, MODULES, NODE22, ODD, SERVERS, STOCKADE, inspector, npm_server, processes, until
from integration.pty_person import Terminal

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
          "io.modelcontextprotocol/clientCapabilities": {}}
LOOSENING = ("stockade approve ", "approve 1", "approve --", "--digest", "--all", "restore", "type ")


def waiting(person):
    return json.loads(person.stockade("approve", "--json", check=0).stdout)


def answer(person, word, question=None):
    """A person at a terminal of their own."""
    question = question or until(lambda: waiting(person))
    assert len(question) == 1
    t = Terminal([STOCKADE, "approve", "1"], person.env, person.work)
    t.read_until("[y/N]")
    t.type(f"{word}\n")
    return t.wait()


def changed(w, what="tools"):
    """Reads on until the client hears that a list has changed."""
    while True:
        m = w.message()
        assert m is not None, w.err.decode()
        if m.get("method") == f"notifications/{what}/list_changed":
            return m


def names(w):
    return [t["name"] for t in w.request("tools/list")["result"]["tools"]]


def test_tools_appear_without_a_restart(person):
    w = person.start("--", *ODD, "appears")
    hello = w.initialize()["result"]
    assert hello["protocolVersion"] == "2025-06-18"
    for what in ("tools", "prompts", "resources"):
        assert hello["capabilities"][what] == {"listChanged": True}
    assert "is waiting for the user's approval" in hello["instructions"]
    for loosening in LOOSENING:
        assert loosening not in hello["instructions"]
    assert names(w) == [] and w.request("prompts/list")["result"] == {"prompts": []}
    assert w.request("ping")["result"] == {}
    denied = w.call("echo", {"text": "early"})["result"]
    assert denied["isError"] and "approval" in denied["content"][0]["text"]
    assert answer(person, "y") == 0
    changed(w)
    assert "echo" in names(w)
    assert w.call("echo", {"text": "late"})["result"]["content"][0]["text"] == "late"
    # odd has tools alone: what was promised is kept all the same.
    assert w.request("prompts/list")["result"] == {"prompts": []}
    heard = json.loads(w.call("heard")["result"]["content"][0]["text"])
    assert heard[:3] == ["initialize", "notifications/initialized", "tools/list"]
    assert w.end() == 0
    records = person.records()
    assert [r["status"] for r in records if r["event"] == "consent"] == ["waiting", "approved"]
    assert len([r for r in records if r["event"] == "client.hello"]) == 1
    early = next(r for r in records if r["event"] == "tool.call")
    assert early["decision"] == "deny" and early["reason"] == "approval waits" and "approval" not in early
    late = [r for r in records if r["event"] == "tool.call"][1]
    assert late["decision"] == "allow" and late["plan"].startswith(late["approval"]) and late["channel"] == "approve"
    assert any(r.get("method") == "initialize" and r.get("reason") == "answered by stockade: approval waits" for r in records)
    person.verified()


STEPS = [{"op": "tools"}, {"op": "call", "name": "echo", "args": {"message": "m"}}, {"op": "changed", "file": "{mark}"}, {"op": "tools"},
         {"op": "call", "name": "echo", "args": {"message": "m"}}]


def run_client(client, person, command, steps, grants=(), **env):
    """A real client in the background, its answers later."""
    job = {"command": STOCKADE, "args": ["run", *grants, "--", *command], "cwd": person.work, "steps": steps,
           "env": {"HOME": person.home, "PATH": person.env["PATH"]}}
    return subprocess.Popen(CLIENTS[client](job), env={**person.env, "STOCKADE_NODE_MODULES": MODULES, **env}, cwd=person.work,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def steps_with(mark):
    return json.loads(json.dumps(STEPS).replace("{mark}", mark))


@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
def test_real_clients_see_the_tools_appear(person, client):
    mark = f"{person.work}/waits"
    p = run_client(client, person, npm_server("everything"), steps_with(mark))
    until(lambda: os.path.exists(mark))
    assert answer(person, "y") == 0
    out, err = p.communicate(timeout=180)
    assert p.returncode == 0, err.decode()
    empty, early, _, tools, late = json.loads(out)
    assert empty["ok"]["tools"] == []
    assert early["ok"]["isError"] and "approval" in early["ok"]["content"][0]["text"]
    assert "echo" in [t["name"] for t in tools["ok"]["tools"]]
    assert "m" in late["ok"]["content"][0]["text"] and not late["ok"].get("isError")


def modern_server():
    return [NODE22, f"{os.path.dirname(__file__)}/servers/modern.mjs", MODULES]


@pytest.mark.parametrize("client", ["client_v2", "mcp_py"])
def test_a_client_of_the_modern_era_hears_of_the_tools_through_its_subscription(person, client):
    mark = f"{person.work}/waits"
    p = run_client(client, person, modern_server(), steps_with(mark), ["--ro", MODULES], MCP_MODE="auto")
    until(lambda: os.path.exists(mark))
    assert answer(person, "y") == 0
    out, err = p.communicate(timeout=180)
    assert p.returncode == 0, err.decode()
    empty, early, _, tools, late = json.loads(out)
    assert empty["ok"]["tools"] == [] and early["ok"]["isError"]
    assert [t["name"] for t in tools["ok"]["tools"]] == ["echo"]
    assert late["ok"]["content"][0]["text"] == "m"
    hello = [r for r in person.records() if r["event"] == "client.hello"]
    assert {r["protocol"] for r in hello} == {"2026-07-28"}


# A client that would take the older way too asks once, while it waits, and the answer is that of the modern one; one that is set to
# 2026-07-28 takes no other.
@pytest.mark.parametrize("client", ["client_v2", "mcp_py"])
@pytest.mark.parametrize("mode", ["auto", "2026-07-28"])
@pytest.mark.parametrize("command", [npm_server("everything"), [*ODD, "legacy-only"]], ids=["sdk", "odd"])
def test_a_client_of_the_modern_era_gets_the_tools_of_a_server_that_knows_the_older_one(person, client, command, mode):
    mark = f"{person.work}/waits"
    p = run_client(client, person, command, steps_with(mark), MCP_MODE=mode)
    until(lambda: os.path.exists(mark))
    assert answer(person, "y") == 0
    out, err = p.communicate(timeout=180)
    assert p.returncode == 0, err.decode()
    empty, early, _, tools, late = json.loads(out)
    assert empty["ok"]["tools"] == [] and early["ok"]["isError"]
    assert "echo" in [t["name"] for t in tools["ok"]["tools"]]
    assert "ok" in late and not late["ok"].get("isError"), late
    assert [r["protocol"] for r in person.records() if r["event"] == "server.hello"][-1] == "2025-11-25"
    person.verified()


@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26"])
def test_real_clients_take_a_server_of_an_earlier_version_than_they_were_told(person, client, version):
    mark = f"{person.work}/waits"
    p = run_client(client, person, [*ODD, "earlier", f"speaks-{version}"], steps_with(mark))
    until(lambda: os.path.exists(mark))
    assert answer(person, "y") == 0
    out, err = p.communicate(timeout=180)
    assert p.returncode == 0, err.decode()
    tools, late = json.loads(out)[3:]
    assert "echo" in [t["name"] for t in tools["ok"]["tools"]]
    assert "ok" in late and not late["ok"].get("isError"), late


def test_a_server_of_a_later_version_than_its_client_was_told_is_not_used_and_says_why(person):
    w = person.start("--", *ODD, "later", "speaks-2025-11-25")
    assert w.initialize("2025-03-26")["result"]["protocolVersion"] == "2025-03-26"
    assert answer(person, "y") == 0
    until(lambda: "a later protocol version than its client was told" in json.dumps(w.call("echo", {"text": "x"})))
    assert "start it again" in json.dumps(w.request("tools/list"))
    assert w.end() == 0


def test_the_inspector_lists_nothing_while_the_launch_waits_and_everything_after_the_approval(person):
    argv = [STOCKADE, "run", "--", *npm_server("everything")]
    assert inspector(person, argv, "--method", "tools/list") == {"tools": []}
    # It has ended, and with it the question.
    until(lambda: waiting(person) == [])
    person.approve("--", *npm_server("everything"))
    assert "echo" in [t["name"] for t in inspector(person, argv, "--method", "tools/list")["tools"]]


def test_refused_the_client_gets_words_until_it_ends(person):
    w = person.start("--", *ODD, "refused")
    w.initialize()
    assert answer(person, "n") == 125
    until(lambda: b"refused, nothing was started" in w.err)
    time.sleep(3)  # longer than the time that a refused launch once had
    said = w.call("echo")["result"]
    assert said["isError"] and said["content"][0]["text"] == f"stockade did not start '{waiting_name()}': the user refused it"
    assert "error" in w.request("tools/list")
    assert w.end() == 125
    assert "session.ready" not in person.events() and waiting(person) == []


def waiting_name():
    return "odd.py"


@pytest.mark.parametrize("how", ["eof", "term", "death"])
def test_when_the_client_leaves_nothing_waits_any_more(person, how):
    w = person.start("--", *ODD, f"leaves-{how}")
    w.initialize()
    until(lambda: waiting(person))
    if how == "eof":
        assert w.end() == 125
    elif how == "term":
        w.p.send_signal(signal.SIGTERM)
        assert w.wait() == 125
    else:
        w.kill()
    until(lambda: waiting(person) == [])
    until(lambda: not processes(f"leaves-{how}"))
    if how != "death":
        assert [r["status"] for r in person.records() if r["event"] == "consent"] == ["waiting", "cancelled"]
        person.verified()


def test_no_call_that_is_on_its_way_at_the_approval_is_lost(person):
    w = person.start("--", *ODD, "in-flight")
    w.initialize()
    until(lambda: waiting(person))
    stop = threading.Event()
    asked = []

    def keep_calling():
        while not stop.is_set():
            n = 1000 + len(asked)
            asked.append(n)
            w.send({"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "x"}}})
            time.sleep(0.005)

    t = threading.Thread(target=keep_calling)
    t.start()
    assert answer(person, "y") == 0
    changed(w)
    stop.set()
    t.join()
    answers = [w.answer(n)["result"].get("isError", False) for n in asked]
    # First those that are told of the wait, then those that the server answers; none twice.
    assert answers == sorted(answers, reverse=True) and answers[0]
    assert names(w)
    ids = [json.loads(line).get("id") for line in w.seen]
    assert len([i for i in ids if i in asked]) == len(asked)
    assert w.end() == 0


def test_two_clients_of_one_plan_share_the_question_and_both_get_their_tools(person):
    both = [person.start("--", *ODD, "both") for _ in range(2)]
    for w in both:
        w.initialize()
    question = until(lambda: [q for q in waiting(person) if q["waiters"] == 2])
    assert answer(person, "y", question) == 0
    for w in both:
        changed(w)
        assert "echo" in names(w)
        assert w.end() == 0


def listed(person):
    return json.loads(person.stockade("ps", "--json", check=0).stdout)


def test_what_waits_is_in_the_list_of_what_runs(person):
    w = person.start("--", *ODD, "listed")
    w.initialize()
    [question] = until(lambda: waiting(person))
    [entry] = listed(person)
    assert (entry["state"], entry["session"], entry["pid"], entry["server"]) == ("waiting", None, None, "odd.py")
    assert entry["waits_for"] == [{"kind": "launch", "digest": question["digest"], "launches": 1}]
    assert "waits for an approval" in person.stockade("ps", check=0).stdout
    assert answer(person, "y") == 0
    changed(w)
    [entry] = listed(person)
    assert entry["state"] == "running" and entry["session"] and entry["waits_for"] == []
    assert w.end() == 0
    assert listed(person) == []


def pin_at_a_terminal(person, words, between, says="y"):
    t = Terminal([STOCKADE, "pin", *words], person.env, person.work)
    t.read_until("Start it? [y/N]")
    t.type("y\n")
    t.read_until("Pin them?")
    between()
    t.type(f"{says}\n")
    return t.wait(), t.text


def rewriting(person):
    """A server that says of its tools what a file tells it to, and that file."""
    state = f"{person.work}/state"
    os.mkdir(state)
    os.chmod(state, 0o777)

    def say(mode):
        with open(f"{state}/mode", "w", encoding="utf-8") as f:
            f.write(mode)
        os.chmod(f"{state}/mode", 0o666)

    return say, ["--rw", state, "--", "/usr/bin/python3", f"{SERVERS}/rewriting.py", "waits", state]


def test_pins_that_are_made_while_a_launch_waits_are_in_force_in_it(person):
    say, words = rewriting(person)
    w = person.start(*words)
    w.initialize()
    until(lambda: waiting(person))
    # What the server defines after it was listed is not what was pinned.
    status, text = pin_at_a_terminal(person, words, lambda: say("evil-first"))
    assert status == 0, text
    changed(w)
    assert sorted(n for p in ("", "second") for n in [t["name"] for t in w.request("tools/list", {"cursor": p} if p else {})["result"]["tools"]]) == ["last", "sum"]
    assert w.call("echo")["result"]["isError"] and "id_ed25519" not in str(w.seen)
    assert w.end() == 0
    [pinning, waited] = sorted((r for r in person.records() if r["event"] == "session.ready"), key=lambda r: "pins" in r["detail"])
    assert "pins" not in pinning["detail"] and len(waited["detail"]["pins"]) == 64
    assert [r["tool"] for r in person.records() if r["event"] == "pin.changed"] == ["echo"]


def test_a_launch_does_not_start_on_a_yes_that_pinned_nothing(person):
    _, words = rewriting(person)
    w = person.start(*words)
    w.initialize()
    until(lambda: waiting(person))
    status, text = pin_at_a_terminal(person, words, lambda: None, "n")
    assert status == 125 and "is not remembered" in text
    assert len(waiting(person)) == 1 and names(w) == []
    assert person.stockade("approvals", "--json", check=0).stdout.strip() == "[]"
    assert answer(person, "y") == 0
    changed(w)
    assert w.end() == 0


def test_an_approval_does_not_count_for_a_profile_that_was_changed_meanwhile(person):
    profile = {"stockade": 1, "name": "edited", "command": [*ODD, "edited"], "tools": {"allow": ["*"]}}
    person.profile("edited", profile)
    w = person.start("edited")
    w.initialize()
    question = until(lambda: waiting(person))
    person.profile("edited", {**profile, "tools": {"allow": ["echo"]}})
    # The new one is approved: nothing of the old one starts.
    person.approve("edited")
    assert names(w) == [] and len(waiting(person)) == 1
    assert answer(person, "y", question) == 0
    until(lambda: b"was changed while the question waited" in w.err)
    said = w.call("echo")["result"]
    assert said["isError"] and "it is not what the user approved any more" in said["content"][0]["text"]
    for loosening in LOOSENING:
        assert loosening not in said["content"][0]["text"]
    assert w.end() == 125
    records = person.records()
    assert [r["status"] for r in records if r["event"] == "consent"] == ["waiting", "not as it was approved"]
    assert "session.ready" not in [r["event"] for r in records]
    w = person.start("edited")
    w.initialize()
    assert names(w) == ["echo"]
    assert w.end() == 0


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def test_a_client_that_floods_while_it_waits_makes_nothing_grow_and_is_answered(person):
    w = person.start("--", *ODD, "flood")
    w.initialize()
    [shim] = until(lambda: [p for p in map(int, subprocess.run(["pgrep", "-P", str(w.p.pid)], capture_output=True, text=True,
                                                              check=False).stdout.split())])
    before = resident(shim)
    pad = "x" * 60000
    for i in range(300):
        w.send({"jsonrpc": "2.0", "id": f"l{i}", "method": "logging/setLevel", "params": {"level": "info", "pad": pad}})
        w.send({"jsonrpc": "2.0", "id": f"s{i}", "method": "subscriptions/listen", "params": {
            "_meta": MODERN, "notifications": {"toolsListChanged": True}, "pad": pad}})
        w.send_raw(b'{"id":' + b"[" * 200 + b"\n")
        w.send({"jsonrpc": "2.0", "id": f"c{i}", "method": "tools/call", "params": {"name": pad, "arguments": {}}})
    for i in range(300):
        assert w.answer(f"c{i}")["result"]["isError"]
        assert w.answer(f"l{i}")
    assert resident(shim) - before < 4096  # KiB: what one message and its answer take
    assert "result" in w.request("ping")
    assert answer(person, "y") == 0
    changed(w)
    assert "echo" in names(w)
    w.end()
