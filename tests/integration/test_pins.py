# SPDX-License-Identifier: Apache-2.0
"""Pins: what a server said when a person looked is what a client gets, or nothing."""
import hashlib
import json
import os
import stat

import pytest
from integration.harness import PYTHON, SERVERS, STOCKADE, Wire, ask, npm_server
from integration.pty_person import Terminal
from integration.test_transparency import MODERN_SERVERS

REWRITING = f"{SERVERS}/rewriting.py"
POISON = "id_ed25519"
LEGACY = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
META = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo":
                  {"name": "raw", "version": "1"}, "io.modelcontextprotocol/clientCapabilities": {}}}


class Server:
    """The rewriting server, and a directory that tells it what to say."""

    def __init__(self, person, mode=""):
        self.person, self.dir = person, f"{person.work}/state"
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o777)
        self.raw = ["/usr/bin/python3", REWRITING, "mark", self.dir]
        self.words = ["--rw", self.dir, "--", *self.raw]
        self.say(mode)
        person.approve(*self.words)

    def say(self, mode):
        path = f"{self.dir}/mode"
        with open(path, "w", encoding="utf-8") as f:
            f.write(mode)
        os.chmod(path, 0o666)

    def pin(self):
        return pin(self.person, *self.words)

    def start(self):
        return self.person.start(*self.words)

    def bare(self):
        return Wire(self.raw, env=self.person.env, cwd=self.person.work)


def pin(person, *words):
    digest = person.stockade("pin", "--print-digest", *words, check=0).stdout.strip()
    assert len(digest) == 64, digest
    person.stockade("pin", "--digest", digest, *words, check=0)
    return digest


def pin_file(person):
    directory = f"{person.home}/.local/state/stockade/pins"
    names = os.listdir(directory)
    assert len(names) == 1, names
    return f"{directory}/{names[0]}"


def listed(wire, method="tools/list", key="tools", name="name"):
    """All pages."""
    found, cursor = [], None
    while True:
        result = wire.request(method, {"cursor": cursor} if cursor else {})["result"]
        found += result[key]
        cursor = result.get("nextCursor")
        if not cursor:
            return sorted(t[name] for t in found)


def denied(answer):
    return "pinned" in answer.get("error", {}).get("message", "") or (
        answer.get("result", {}).get("isError", False) and "pinned" in answer["result"]["content"][0]["text"])


def ran(answer):
    return "ran" in answer["result"]["content"][0]["text"] and not answer["result"].get("isError")


def pin_events(person, event):
    return [(r["method"], r.get("tool", r.get("subject", ""))) for r in person.records() if r["event"] == event]


@pytest.mark.root
def test_a_pinned_server_that_says_the_same_is_passed_through_whole(person):
    s = Server(person)
    s.pin()
    w, bare = s.start(), s.bare()
    assert w.initialize()["result"] == bare.initialize()["result"]
    for method in ("tools/list", "prompts/list", "resources/templates/list"):
        assert w.request(method, {})["result"] == bare.request(method, {})["result"]
    assert listed(w) == ["echo", "last", "sum"]
    assert ran(w.call("echo")) and ran(w.call("last"))
    w.end(), bare.end()
    assert pin_events(person, "pin.changed") == pin_events(person, "pin.unknown") == []


@pytest.mark.root
@pytest.mark.parametrize("mode, tool", [("evil-first", "echo"), ("evil-second", "last")])
def test_a_changed_definition_is_neither_listed_nor_callable_on_whatever_page_it_is(person, mode, tool):
    s = Server(person)
    s.pin()
    s.say(mode)
    bare, w = s.bare(), s.start()
    bare.initialize(), w.initialize()
    assert tool in listed(bare) and POISON in str(bare.seen), "the control shows the poison"
    assert listed(w) == sorted({"echo", "last", "sum"} - {tool})
    assert POISON not in str(w.seen)
    assert ran(bare.call(tool)) and denied(w.call(tool)) and ran(w.call("sum"))
    bare.end(), w.end()
    assert pin_events(person, "pin.changed") == [("tools/list", tool)]


def test_what_changed_once_is_withheld_for_the_rest_of_the_session_and_no_longer(person):
    s = Server(person)
    s.pin()
    w = s.start()
    w.initialize()
    assert ran(w.call("sum"))
    s.say("evil-first")
    assert listed(w) == ["last", "sum"]
    s.say("")
    assert listed(w) == ["last", "sum"] and denied(w.call("echo"))
    w.end()
    w = s.start()
    w.initialize()
    assert listed(w) == ["echo", "last", "sum"] and ran(w.call("echo"))
    w.end()


def test_a_server_that_rewrites_its_tools_in_mid_session_is_stopped_at_the_next_call(person):
    s = Server(person)
    s.pin()
    for start in (s.bare, s.start):
        s.say("")
        w = start()
        w.initialize()
        listed(w)
        assert ran(w.call("echo", {"then": "evil-first extra"}))
        if start == s.bare:
            assert ran(w.call("echo")) and "extra" in listed(w), "the control runs the rewritten tool"
            w.end()
    # It said that its list changed: the shim looks again before it lets the call through, and the client need not.
    assert denied(w.call("echo"))
    assert listed(w) == ["last", "sum"] and POISON not in str(w.seen)
    assert ran(w.call("sum")) and denied(w.call("extra"))
    w.end()
    assert ("tools/list", "extra") in pin_events(person, "pin.unknown")


@pytest.mark.parametrize("mode, new", [("extra", "extra"), ("renamed", "renamed")])
def test_a_new_name_is_a_new_tool_and_is_not_there(person, mode, new):
    s = Server(person)
    s.pin()
    s.say(mode)
    w = s.start()
    w.initialize()
    assert denied(w.call(new))
    assert new not in listed(w)
    assert denied(w.call(new))
    w.end()
    assert pin_events(person, "pin.unknown") == [("tools/list", new)]


def test_instructions_prompts_and_templates_are_held_like_tools(person):
    s = Server(person)
    s.pin()
    s.say("instructions prompt template")
    bare, w = s.bare(), s.start()
    assert POISON in bare.initialize()["result"]["instructions"], "the control gets them"
    assert "instructions" not in w.initialize()["result"]
    assert listed(w, "prompts/list", "prompts") == []
    assert listed(w, "resources/templates/list", "resourceTemplates", "uriTemplate") == []
    assert denied(w.request("prompts/get", {"name": "greet"}))
    assert POISON not in str(w.seen)
    bare.end(), w.end()
    assert pin_events(person, "pin.changed") == [("instructions", ""), ("prompts/list", "greet"),
                                                 ("resources/templates/list", "x://{a}")]


def test_the_order_of_tools_and_of_keys_is_not_a_change(person):
    s = Server(person)
    first = s.pin()
    s.say("shuffled")
    assert person.stockade("pin", "--print-digest", *s.words, check=0).stdout.strip() == first
    w = s.start()
    w.initialize()
    assert listed(w) == ["echo", "last", "sum"]
    w.end()
    person.stockade("diff", "--exit-code", *s.words, check=0)


@pytest.mark.parametrize("slow", ["", "slow"])
def test_a_client_that_calls_without_listing_is_served_when_the_shim_has_looked(person, slow):
    s = Server(person)
    s.pin()
    s.say(slow)
    w = s.start()
    w.initialize()
    ids = [w.ids + 1 + i for i in range(4)]
    for i, name in zip(ids, ["echo", "sum", "last", "echo"]):
        w.send({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": name, "arguments": {}}})
    w.ids += 4
    assert all(ran(w.answer(i)) for i in ids)
    assert not [line for line in w.seen if b"stockade-" in line or b"nextCursor" in line], "the client sees nothing of it"
    w.end()
    asked = [r for r in person.records() if r.get("reason") == "asked by stockade itself" and r.get("method") == "tools/list"]
    assert len(asked) >= 2, "both pages"


def test_a_call_without_listing_to_what_has_changed_is_denied(person):
    s = Server(person)
    s.pin()
    s.say("evil-second")
    w = s.start()
    w.initialize()
    assert denied(w.call("last")) and ran(w.call("echo"))
    w.end()


@pytest.mark.parametrize("mode", ["error", "twice"])
def test_a_pinned_tool_that_cannot_be_looked_at_is_denied(person, mode):
    s = Server(person)
    s.pin()
    s.say(mode)
    w = s.start()
    w.initialize()
    answer = w.call("echo")
    assert answer["result"]["isError"] and "denied" in answer["result"]["content"][0]["text"], answer
    w.end()


def test_a_call_that_waits_is_answered_when_the_server_dies_and_not_when_it_is_cancelled(person):
    s = Server(person)
    s.pin()
    s.say("nolist")
    w = s.start()
    w.initialize()
    for ident in ("waits", "cancelled"):
        w.send({"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
    w.send({"jsonrpc": "2.0", "id": "waits", "method": "ping"})
    w.notify("notifications/cancelled", {"requestId": "cancelled"})
    assert w.request("ping", {})["result"] == {}
    session = json.loads(person.stockade("ps", "--json", check=0).stdout)[0]
    person.stockade("stop", session["session"] if "session" in session else session["id"], check=0)
    assert "error" in w.answer("waits")
    w.wait()
    assert not [line for line in w.seen if json.loads(line).get("id") == "cancelled"]


def test_a_client_of_the_modern_era_is_held_to_the_pins_too(person):
    s = Server(person, "modern")
    s.pin()
    s.say("modern evil-first instructions")
    w = s.start()
    assert "instructions" not in w.request("server/discover", META)["result"]
    assert ran(w.request("tools/call", {"name": "sum", "arguments": {}, **META})), "without a list"
    assert denied(w.request("tools/call", {"name": "echo", "arguments": {}, **META}))
    assert [t["name"] for t in w.request("tools/list", META)["result"]["tools"]] == ["sum"]
    w.end()


def test_tools_that_come_after_the_handshake_are_pinned_with_the_others(person):
    s = Server(person, "late")
    s.pin()
    w = s.start()
    w.initialize()
    assert listed(w) == ["echo", "extra", "last", "sum"] and ran(w.call("extra"))
    w.end()


def test_tools_for_some_clients_only_are_pinned_where_the_profile_lets_a_client_be_such_a_one(person):
    s = Server(person, "sampling")
    profile = {"stockade": 1, "name": "sam", "command": s.raw, "filesystem": {"write": [s.dir]}}
    for sampling, tools in ((False, ["echo", "last", "sum"]), (True, ["echo", "extra", "last", "sum"])):
        person.profile("sam", {**profile, "client": {"sampling": sampling}})
        person.approve("sam")
        pin(person, "sam")
        w = person.start("sam")
        w.initialize(capabilities={"sampling": {}})
        assert listed(w) == tools
        w.end()


def test_a_profile_can_bring_its_pins_and_those_hold_instead_of_the_users(person):
    s = Server(person)
    profile = {"stockade": 1, "name": "shipped", "command": s.raw, "filesystem": {"write": [s.dir]}}
    place = os.path.dirname(person.profile("shipped", profile))
    person.approve("shipped")
    digest = person.stockade("pin", "--print-digest", "shipped", check=0).stdout.strip()
    person.stockade("pin", "-o", f"{place}/shipped.pins", "--digest", digest, "shipped", check=0)
    person.profile("shipped", {**profile, "pins": "shipped.pins"})
    person.approve("shipped")
    s.say("evil-first")
    w = person.start("shipped")
    w.initialize()
    assert listed(w) == ["last", "sum"]
    w.end()
    new = person.stockade("pin", "--print-digest", "shipped", check=0).stdout.strip()
    person.profile("shipped", {**profile, "pins": "shipped.pins", "env": {"set": {"A": "b"}}})
    r = person.stockade("pin", "--digest", new, "shipped")
    assert r.returncode == 125 and "shipped.pins" in r.stderr and "waiting" not in r.stderr, r.stderr
    person.profile("shipped", {**profile, "pins": "shipped.pins"})
    os.chmod(f"{place}/shipped.pins", 0o666)
    assert person.stockade("run", "shipped").returncode == 125
    os.unlink(f"{place}/shipped.pins")
    r = person.stockade("run", "shipped")
    assert r.returncode == 125 and f"'stockade pin -o {place}/shipped.pins'" in r.stderr, r.stderr
    # What the words say to do can be done, though the profile names a file that is not there.
    assert person.stockade("pin", "--print-digest", "shipped", check=0).stdout.strip() == new
    accepted = ["--accept", "order.read", "--accept", "order.secrecy"]
    person.stockade("pin", "-o", f"{place}/shipped.pins", *accepted, "--digest", new, "shipped", check=0)
    w = person.start("shipped")
    w.initialize()
    assert "echo" in listed(w)
    w.end()


def test_before_a_profile_has_its_parameters_check_holds_its_tools_against_the_pins(person):
    s = Server(person)
    person.profile("bare", {"stockade": 1, "name": "bare", "command": [*s.raw[:-1], "${dir}"], "parameters": {"dir": {"type": "directory"}},
                            "filesystem": {"write": ["${dir}"]}})
    assert "not pinned" in person.stockade("check", "bare", check=0).stdout
    person.stockade("check", "--tool", "extra", "bare", check=0)
    words = ["--set", f"dir={s.dir}", "bare"]
    person.approve(*words)
    pin(person, *words)
    text = person.stockade("check", "bare", check=0).stdout
    assert "pinned: " in text and "Every tool that is pinned" in text, text
    person.stockade("check", "--tool", "echo", "bare", check=0)
    assert "was not there when the definitions were pinned" in person.stockade("check", "--tool", "extra", "bare", check=1).stdout


def test_a_grave_finding_of_the_scan_keeps_it_from_being_pinned_unless_it_is_named(person):
    s = Server(person, "evil-first")
    shown = person.stockade("pin", "--print-digest", *s.words, check=0)
    digest = shown.stdout.strip()
    found = [line.split()[1].rstrip(":") for line in shown.stderr.splitlines() if line.startswith("  high ")]
    assert found and "tool 'echo'" in shown.stderr
    r = person.stockade("pin", "--digest", digest, *s.words)
    assert r.returncode == 125 and found[0] in r.stderr
    r = person.stockade("pin", "--accept", "order.reab", "--digest", digest, *s.words)
    assert r.returncode == 2 and "did you mean 'order.read'?" in r.stderr, r.stderr
    assert os.listdir(f"{person.home}/.local/state/stockade/pins") == []
    accepted = [w for rule in set(found) for w in ("--accept", rule)]
    person.stockade("pin", *accepted, "--digest", digest, *s.words, check=0)
    s.say("")
    again = s.pin()
    made = [r["detail"] for r in person.records() if r["event"] == "pin.made"]
    assert [(set(m["accepted"]), m.get("before"), m["pins"]) for m in made] == [(set(found), None, digest), (set(), digest, again)]
    s.say("evil-first")
    shown = json.loads(person.stockade("diff", "--json", *s.words, check=0).stdout)
    assert {f["rule"] for f in shown["findings"] if f["severity"] == "high"} == set(found)


def test_a_tool_that_shadows_one_of_another_pinned_server_is_found_at_pin_at_diff_and_when_it_is_listed(person):
    one = Server(person)
    state = f"{person.work}/other"
    os.makedirs(state)
    with open(REWRITING, encoding="utf-8") as f:
        copy = person.write("another.py", f.read())
    words = ["--ro", copy, "--", "/usr/bin/python3", copy, "other", state]
    person.approve(*words)
    # Alone, no name is another's.
    assert "name.shadow" not in person.stockade("pin", "--print-digest", *words, check=0).stderr
    one.pin()
    shown = person.stockade("pin", "--print-digest", *words, check=0).stderr
    assert {line.rsplit("tool '", 1)[1].split("'")[0] for line in shown.splitlines() if "name.shadow" in line} == {"echo", "last", "sum"}
    w = person.start(*words)
    w.initialize()
    assert listed(w) == ["echo", "last", "sum"], "it is found, and nothing else follows"
    w.end()
    found = [r for r in person.records() if r["event"] == "scan.finding" and r["rule"] == "name.shadow"]
    assert {r["tool"] for r in found} == {"echo", "last", "sum"} and not [r for r in found if r.get("decision") == "drop"]
    pin(person, *words)
    findings = json.loads(person.stockade("diff", "--json", *words, check=0).stdout)["findings"]
    assert {f["name"] for f in findings if f["rule"] == "name.shadow"} == {"echo", "last", "sum"}


def test_grave_instructions_of_a_server_that_is_not_pinned_are_dropped_and_recorded(person):
    s = Server(person, "instructions")
    bare, w = s.bare(), s.start()
    assert POISON in bare.initialize()["result"]["instructions"], "the control gets them"
    assert "instructions" not in w.initialize()["result"]
    assert listed(w) == ["echo", "last", "sum"]
    bare.end(), w.end()
    found = [r for r in person.records() if r["event"] == "scan.finding" and r["tool"] == "instructions"]
    assert found and {r["decision"] for r in found} == {"drop"} and "high" in {r["status"] for r in found}


def test_two_tools_of_one_name_cannot_be_pinned(person):
    s = Server(person, "twice")
    r = s.person.stockade("pin", "--print-digest", *s.words)
    assert r.returncode == 125 and "'echo'" in r.stderr and not r.stdout


def test_the_pin_file_is_the_users_alone_and_its_digests_can_be_made_by_hand(person):
    s = Server(person)
    digest = s.pin()
    path = pin_file(person)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    data = open(path, "rb").read()
    assert hashlib.blake2b(data, digest_size=32).hexdigest() == digest
    bare = s.bare()
    bare.initialize()
    tool = bare.request("tools/list", {})["result"]["tools"][0]
    bare.end()
    text = json.dumps(tool, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    by_hand = hashlib.blake2s(text.encode()).hexdigest()
    assert ["tool", tool["name"], by_hand] in json.loads(data.splitlines()[0])["pins"]


def test_pins_for_shipping_have_the_same_bytes_each_time_and_change_nothing_here(person):
    s = Server(person)
    digest = person.stockade("pin", "--print-digest", *s.words, check=0).stdout.strip()
    for name in ("a.json", "b.json"):
        person.stockade("pin", "-o", name, "--digest", digest, *s.words, check=0)
    a, b = (open(f"{person.work}/{n}", "rb").read() for n in ("a.json", "b.json"))
    assert a == b and hashlib.blake2b(a, digest_size=32).hexdigest() == digest
    r = person.stockade("pin", "-o", "/proc/sys/a.json", "--digest", digest, *s.words)
    assert r.returncode == 125 and "cannot write /proc/sys/a.json: " in r.stderr, r.stderr
    assert os.listdir(f"{person.home}/.local/state/stockade/pins") == []


@pytest.mark.parametrize("damage", ["cut", "mode", "other", "text"])
def test_a_pin_file_that_cannot_be_believed_starts_nothing(person, damage):
    s = Server(person)
    s.pin()
    path = pin_file(person)
    text = open(path, encoding="utf-8").read()
    if damage == "mode":
        os.chmod(path, 0o666)
    else:
        new = {"cut": text[:-10], "other": text.replace("rewriting.py", "other.py"),
               "text": text.replace("Adds.", "Adds!")}[damage]
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
    r = person.stockade("run", *s.words)
    assert r.returncode == 125 and "pin file" in r.stderr and "pins/" in r.stderr, r.stderr
    os.unlink(path)
    w = s.start()
    assert "result" in w.initialize()
    w.end()


@pytest.mark.root
def test_a_person_sees_everything_before_it_is_pinned_and_the_difference_before_it_is_replaced(person):
    s = Server(person)
    t = Terminal([STOCKADE, "pin", *s.words], person.env, person.work)
    t.read_until("[y/N]")
    for words in ("tool 'echo'", "Says it again.", "Be kind.", "prompt 'greet'", "inputSchema/properties/text/type"):
        assert words in t.text, t.text
    t.type("\n")
    assert t.wait() == 125 and os.listdir(f"{person.home}/.local/state/stockade/pins") == []
    s.pin()
    s.say("evil-first")
    t = Terminal([STOCKADE, "pin", "--accept", "order.read", *s.words], {**person.env, "NO_COLOR": "1"}, person.work)
    t.read_until("[y/N]")
    assert "[-Says-]{+Before+}" in t.text, t.text
    assert "Be kind." not in t.text
    t.type("y\n")
    assert t.wait() == 0
    person.stockade("diff", "--exit-code", *s.words, check=0)


def test_diff_says_word_by_word_what_changed_and_scripts_can_ask(person):
    s = Server(person)
    assert person.stockade("diff", *s.words).returncode == 125, "nothing to compare with"
    # Nor is anybody asked, or waited for, about a launch that there is nothing to compare with.
    r = person.stockade("diff", "--setenv", "A=b", *s.words)
    assert r.returncode == 125 and "it is not pinned" in r.stderr and "waiting" not in r.stderr, r.stderr
    assert "'stockade pin' with the same words" in r.stderr
    s.pin()
    assert person.stockade("diff", "--exit-code", *s.words, check=0).stdout.startswith("0 changed")
    s.say("evil-first extra")
    r = person.stockade("diff", "--exit-code", *s.words, check=1)
    assert "! tool 'echo'" in r.stdout and "! tool 'extra': new" in r.stdout and "text that a model reads" in r.stdout
    assert person.stockade("diff", *s.words).returncode == 0
    shown = json.loads(person.stockade("diff", "--json", *s.words, check=0).stdout)
    assert shown["changed"] and shown["matters"] and [c["name"] for c in shown["changes"]] == ["echo", "extra"]
    fields = shown["changes"][0]["fields"]
    assert [f["path"] for f in fields] == ["description"] and POISON in fields[0]["new"]


# What else may change: does it matter, and how it is told.
CHANGES = {
    "wider": (True, "tool 'echo'", "inputSchema/properties/path/type", "a new argument"),
    "narrower": (False, "tool 'echo'", "inputSchema/properties/text/maxLength", "less than before"),
    "hint": (True, "tool 'echo'", "annotations/readOnlyHint", "claims that it changes nothing"),
    "nohint": (True, "tool 'sum'", "annotations/readOnlyHint", "no longer claims that it changes nothing"),
    "gone": (False, "tool 'last': gone", None, None),
    "prompt": (True, "prompt 'greet'", "description", "text that a model reads"),
    "template": (True, "resource template 'x://{a}'", "description", "text that a model reads"),
    "instructions": (True, "the instructions", "", "text that a model reads"),
}


@pytest.mark.parametrize("mode", CHANGES)
def test_diff_tells_of_each_kind_of_change_whether_it_matters_and_scripts_see_them_all(person, mode):
    matters, what, path, words = CHANGES[mode]
    s = Server(person)
    s.pin()
    s.say(mode)
    r = person.stockade("diff", "--exit-code", *s.words, check=1)
    assert f"{'! ' if matters else '  '}{what}" in r.stdout and (words is None or words in r.stdout), r.stdout
    assert person.stockade("diff", *s.words, check=0).stdout == r.stdout
    shown = json.loads(person.stockade("diff", "--json", "--exit-code", *s.words, check=1).stdout)
    assert shown["changed"] and shown["matters"] is matters and len(shown["changes"]) == 1
    if path is not None:
        assert [(f["path"], f["matters"]) for f in shown["changes"][0]["fields"]] == [(path, matters)]


# What a server sees while it is listed, in the description of a tool.
LOOKS = """
import json, os, sys
sees = [os.path.exists(p) for p in sys.argv[1:]] + ['LANG_OF_CLIENT' in os.environ]
for line in sys.stdin:
    m = json.loads(line)
    answer = {'initialize': {'protocolVersion': '2025-11-25', 'capabilities': {'tools': {}}, 'serverInfo': {'name': 'n', 'version': '1'}},
              'tools/list': {'tools': [{'name': 'a', 'description': 'sees ' + str(sees), 'inputSchema': {'type': 'object'}}]}}.get(m.get('method'))
    if answer:
        print(json.dumps({'jsonrpc': '2.0', 'id': m['id'], 'result': answer}), flush=True)
"""


def test_a_server_that_is_listed_to_be_pinned_sees_no_more_than_one_that_runs(person):
    key, granted = f"{person.home}/.ssh/id_ed25519", person.write("granted", "")
    os.makedirs(os.path.dirname(key))
    with open(key, "w", encoding="ascii"):
        pass
    raw = ["/usr/bin/python3", "-c", LOOKS, granted, key, f"/proc/{os.getpid()}/fd"]
    person.env["LANG_OF_CLIENT"] = "x"
    bare = Wire(raw, env=person.env, cwd=person.work)
    bare.initialize()
    assert bare.request("tools/list", {})["result"]["tools"][0]["description"] == "sees [True, True, True, True]", "the control"
    bare.end()
    words = ["--ro", granted, "--", *raw]
    person.approve(*words)
    [shown] = json.loads(person.stockade("pin", "--json", *words, check=0).stdout)
    assert "sees [True, False, False, False]" in json.dumps(shown)
    pin(person, *words)
    assert json.loads(person.stockade("diff", "--json", "--exit-code", *words, check=0).stdout)["changes"] == []


def test_pins_are_no_part_of_the_plan_and_are_recorded(person):
    s = Server(person)
    before = person.stockade("approve", "--print-digest", *s.words, check=0)
    assert "not pinned" in before.stderr
    digest = s.pin()
    after = person.stockade("approve", "--print-digest", *s.words, check=0)
    assert before.stdout == after.stdout and "pinned: " in after.stderr and digest[:16] in after.stderr
    w = s.start()
    w.initialize()
    w.end()
    ready = [r["detail"].get("pins") for r in person.records() if r["event"] == "session.ready"]
    assert ready[-1] == digest and not any(ready[:-1])
    made = [r for r in person.records() if r["event"] == "pin.made"]
    assert [(r["status"], r["channel"], r["detail"]) for r in made] == [("pinned", "digest", {"pins": digest, "accepted": []})]
    assert "python" in made[0]["client"] and made[0]["count"] > 0
    person.verified()


def test_pin_wants_the_digest_that_is_there(person):
    s = Server(person)
    r = person.stockade("pin", "--digest", "0" * 64, *s.words)
    assert r.returncode == 125 and "nothing was pinned" in r.stderr
    assert person.stockade("pin", *s.words).returncode == 125, "no terminal"
    r = person.stockade("pin")
    assert r.returncode == 2 and "give the NAME of a profile" in r.stderr, r.stderr
    assert person.stockade("pin", "--json", "--digest", "0" * 64, *s.words).returncode == 2


def test_nothing_is_started_to_be_pinned_that_nobody_approved(person):
    state = f"{person.work}/fresh"
    os.makedirs(state)
    r = person.stockade("pin", "--print-digest", "--rw", state, "--", "/usr/bin/python3", REWRITING, "other", state)
    assert r.returncode == 125 and not r.stdout and "session.ready" not in person.events()


def test_an_agents_shell_cannot_pin(person):
    s = Server(person)
    client = person.write("claude", "#!/bin/sh\n\"$@\"\nexit $?\n", 0o755)
    digest = person.stockade("pin", "--print-digest", *s.words, check=0).stdout.strip()
    r = ask_under(person, client, "pin", "--digest", digest, *s.words)
    assert r.returncode == 125 and "client" in r.stderr
    assert os.listdir(f"{person.home}/.local/state/stockade/pins") == []


def ask_under(person, client, *words):
    import subprocess  # pylint: disable=import-outside-toplevel
    return subprocess.run([client, STOCKADE, *words], env=person.env, cwd=person.work, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=120)


REAL = {
    "everything": (npm_server("everything"), {"op": "call", "name": "echo", "args": {"message": "hi"}}),
    "memory": (npm_server("memory"), {"op": "call", "name": "read_graph"}),
}


@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
@pytest.mark.parametrize("server", sorted(REAL))
def test_real_clients_get_a_pinned_real_server_whole(person, client, server):
    command, step = REAL[server]
    steps = [{"op": "version"}, {"op": "tools"}, step]
    person.approve("--", *command)
    pin(person, "--", *command)
    bare = ask(client, person, command, steps)
    wrapped = ask(client, person, [STOCKADE, "run", "--", *command], steps)
    assert wrapped == bare and "ok" in wrapped[2], wrapped
    assert pin_events(person, "pin.changed") == pin_events(person, "pin.unknown") == []


@pytest.mark.parametrize("server", MODERN_SERVERS)
def test_what_was_pinned_in_the_era_of_the_handshake_is_the_same_in_the_later_one(person, server):
    command, reads, steps = MODERN_SERVERS[server]
    words = [w for r in reads for w in ("--ro", r)] + ["--", *command]
    person.approve(*words)
    pin(person, *words)
    for mode in ({}, {"MCP_MODE": "2026-07-28"}):
        bare, wrapped = (ask("client_v2", person, argv, steps[:2], **mode) for argv in (command, [STOCKADE, "run", *words]))
        assert wrapped == bare and all("ok" in a for a in wrapped), wrapped
    assert pin_events(person, "pin.changed") == pin_events(person, "pin.unknown") == []
    assert {r["protocol"] for r in person.records() if r["event"] == "client.hello" and r.get("protocol")} >= {"2025-11-25", "2026-07-28"}


@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
def test_a_real_client_that_calls_without_listing_is_served_by_a_pinned_real_server(person, client):
    command, step = REAL["everything"]
    person.approve("--", *command)
    pin(person, "--", *command)
    calls = [step, {"op": "call", "name": "get-sum", "args": {"a": 1, "b": 2}}]
    wrapped = ask(client, person, [STOCKADE, "run", "--", *command], calls)
    assert wrapped == ask(client, person, command, calls) and all("ok" in a for a in wrapped), wrapped
    first = [(r["method"], r.get("reason")) for r in person.records() if r["event"] in ("request", "tool.call") and r["method"].startswith("tools/")]
    assert ("tools/list", "asked by stockade itself") in first


def test_the_filesystem_server_is_pinned_with_its_directory(person):
    os.makedirs(f"{person.work}/files")
    command = npm_server("filesystem", f"{person.work}/files")
    words = ["--rw", f"{person.work}/files", "--", *command]
    person.approve(*words)
    pin(person, *words)
    steps = [{"op": "tools"}, {"op": "call", "name": "list_directory", "args": {"path": f"{person.work}/files"}}]
    assert ask("sdk_v1", person, [STOCKADE, "run", *words], steps) == ask("sdk_v1", person, command, steps)


@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
def test_real_clients_get_what_is_left_of_a_server_that_changed(person, client):
    s = Server(person)
    s.pin()
    s.say("evil-first instructions")
    steps = [{"op": "tools"}, {"op": "call", "name": "echo"}, {"op": "call", "name": "sum"}]
    answers = ask(client, person, [STOCKADE, "run", *s.words], steps)
    assert POISON in str(ask(client, person, s.raw, steps)), "the control"
    assert POISON not in str(answers) and "pinned" in str(answers[1]) and "sum ran" in str(answers[2]), answers
