# SPDX-License-Identifier: Apache-2.0
"""A server that does what no server may (servers/hostile.py): one answer to each request, nothing forged, and a shim that lives."""
import collections
import dataclasses
import json

import pytest
from integration.account import MEMORY_MAX_KIB, Account, count, text_of
from integration.harness import SERVERS, STOCKADE, Wire, until
from integration.test_hostile_client import META

HOSTILE = ["/usr/bin/python3", f"{SERVERS}/hostile.py", "mark"]


def approved(person, mode, **profile):
    """Under a profile, since a command line lets nobody ask the client for anything."""
    person.profile("hostile", {"stockade": 1, "name": "hostile", "command": [*HOSTILE, mode], "tools": {"rate": "1000/s", "deny": ["denied"]}, **profile})
    person.approve("hostile")


def started(person, mode, era=Account, **profile):
    approved(person, mode, **profile)
    return run(person, era)


def run(person, era=Account):
    return era([STOCKADE, "run", "hostile"], env=person.env, cwd=person.work)


class Modern(Account):
    """Without a handshake: each request names its version."""

    def send(self, message):
        if "id" in message and "method" in message:
            message = {**message, "params": {**message.get("params", {}), "_meta": META}}
        super().send(message)

    def initialize(self, *_, **__):
        return self.request("server/discover", {})


@dataclasses.dataclass
class Row:
    """What comes of a call of "go". says: its text, or words of its error; the session goes on unless a status is named."""
    says: str = "true"
    error: bool = False
    status: int = 0
    recorded: dict = dataclasses.field(default_factory=dict)
    requests: int = 0  # of the server, that reach the client
    notes: int = 0  # notifications that do


GONE = "the server"
ROWS = {
    "twice": Row(recorded={"response.unmatched": 2}),
    "unasked": Row(recorded={"response.unmatched": 6, "message.refused": 4}),
    "typed": Row(recorded={"response.unmatched": 4, "message.refused": 5}),
    "joined": Row("a raw control character", True, recorded={"message.refused": 1, "response.unmatched": 1}),
    "flood_notes": Row(notes=10000),
    "flood_noise": Row(),
    "flood_asks": Row(requests=1024, recorded={"message.refused": 3000 - 1024}),
    "flood_answers": Row(recorded={"response.unmatched": 10000}),
    "flood_garbage": Row(recorded={"message.refused": 10000}),
    "burst": Row(requests=1, recorded={"message.refused": 49}),
    "sizes": Row(recorded={"message.refused": 6}, notes=5),
    "midline": Row(GONE, True, status=5, recorded={"message.refused": 1}),
    "midline_open": Row(GONE, True, status=6, recorded={"message.refused": 1}),
    "drip": Row(),
    "large": Row("longer than 8388608 bytes", True, recorded={"message.refused": 1, "response.unmatched": 1}),
    "large_note": Row(recorded={"message.refused": 1}),
    "endless": Row(recorded={"message.refused": 1}),
    "deep": Row("nested more than 60 deep", True, recorded={"message.refused": 1, "response.unmatched": 1}),
    "dies": Row(GONE, True, status=3),
    "murdered": Row(GONE, True, status=137),
    "cancels": Row(notes=6),
    "initializes": Row(recorded={}),
}


# To a client of the later era a server sends no requests: what it asks it is told at once that nobody has such a method.
MODERN_ROWS = {**ROWS, "flood_asks": Row(), "burst": Row()}


@pytest.mark.parametrize("mode", ROWS)
@pytest.mark.parametrize("era", [Account, Modern], ids=["legacy", "modern"])
def test_whatever_a_server_does_each_request_has_one_answer_and_nothing_forged_arrives(person, era, mode):
    row = (MODERN_ROWS if era is Modern else ROWS)[mode]
    w = started(person, mode, era)
    w.initialize()
    assert len(w.request("tools/list")["result"]["tools"]) == 5
    kept = [w.ask_tool("keep") for _ in range(3)]
    ident = w.ask_tool("go")
    said = w.answer(ident)
    if row.error:
        assert row.says in said["error"]["message"]
    else:
        assert text_of(said) == row.says
    if row.status == 0:
        assert text_of(w.call("echo", {"text": "after"})) == "after"
        assert w.has_shim() and w.memory() < MEMORY_MAX_KIB
    assert w.end() == row.status
    answers, others = w.settle()
    assert all(GONE in answers[str(i)]["error"]["message"] for i in kept)
    assert b"forged" not in b"".join(w.seen)
    assert sum("id" in m for m in others) == row.requests
    assert sum("id" not in m for m in others) == row.notes
    records = person.records()
    assert {e: count(records, e) for e in ("response.unmatched", "message.refused")} == {"response.unmatched": 0, "message.refused": 0, **row.recorded}
    assert records[-1]["event"] == "session.close"
    person.verified()


def test_the_control_a_bare_server_of_that_sort_reaches_the_client_with_all_of_it():
    """Without stockade the second answer, the forged one and the one that nobody asked for are there."""
    for mode, forged in (("twice", 2), ("unasked", 10), ("joined", 1), ("typed", 9)):
        w = Wire([*HOSTILE, mode])
        w.initialize()
        w.send({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "go"}})
        w.send({"jsonrpc": "2.0", "id": "end", "method": "ping"})
        lines = []
        while not lines or b'"end"' not in lines[-1]:
            lines.append(w.line())
        assert sum(b"forged" in line for line in lines) == forged, mode
        w.kill()


def test_each_form_of_answer_that_is_none_becomes_one_error_or_leaves_room_for_the_honest_one(person):
    w = started(person, "form")
    w.initialize()
    w.request("tools/list")
    forms = 21
    said = [w.call("go", {"form": i}) for i in range(forms)]
    honest = [i for i, m in enumerate(said) if "result" in m and not m["result"].get("isError")]
    assert honest == [16], "only what has no id that could be read is waited for further"
    assert text_of(w.call("echo", {"text": "after"})) == "after"
    assert w.end() == 0
    w.settle()
    assert b"forged" not in b"".join(w.seen)
    records = person.records()
    assert count(records, "message.refused") == forms - 1
    assert [r["method"] for r in records if r["event"] == "request" and r["decision"] == "deny"] == ["sampling/createMessage"]
    person.verified()


def test_answers_that_belong_to_other_requests_lists_and_calls_change_places_to_no_avail(person):
    w = started(person, "swap")
    w.initialize()
    w.ask_tool("go")
    lists = [w.ask("tools/list"), w.ask("prompts/list")]
    for i in lists:
        w.answer(i)
    assert w.end() == 0
    answers, _ = w.settle()
    assert b"forged" not in b"".join(w.seen)
    assert not answers[str(lists[0])].get("result", {}).get("tools")
    assert not answers[str(lists[1])].get("result", {}).get("prompts")
    person.verified()


def test_requests_in_a_burst_before_anybody_spoke_are_answered_or_dropped(person):
    w = started(person, "early")
    until(lambda: b"all of it was read" in w.err)
    w.initialize()
    assert text_of(w.call("echo", {"text": "after"})) == "after"
    heard = json.loads(text_of(w.call("heard")))
    # Its 50 requests under one id and the six under each of 38, answered one by one: none is left waiting.
    answered = [ident for method, ident in heard if method is None]
    assert collections.Counter(answered) == {1: 50, "last": 1, **{i: 6 for i in range(2, 40)}}
    assert w.end() == 0
    _, others = w.settle()
    assert {m["method"] for m in others} == {"notifications/tools/list_changed"}
    assert count(person.records(), "response.unmatched") == 50
    assert b"forged" not in b"".join(w.seen)
    person.verified()


@pytest.mark.parametrize("method", ["ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "logging/setLevel", "completion/complete"])
def test_input_is_required_only_where_the_protocol_has_it(person, method):
    w = started(person, "asks_everywhere", client={"elicitation": True})
    w.initialize(capabilities={"elicitation": {}})
    assert "asks for input where the protocol does not allow that" in w.request(method, {"ref": {"type": "ref/prompt", "name": "p"}})["error"]["message"]
    assert "inputRequests" in w.call("go")["result"], "the control: where it may be asked for, it is"
    assert w.end() == 0
    w.settle()
    person.verified()


@pytest.mark.parametrize("method", ["tools/list", "prompts/list", "resources/list", "resources/templates/list"])
def test_a_list_does_not_become_a_task(person, method):
    w = started(person, "tasks_everywhere")
    w.initialize()
    assert "makes a list into a task" in w.request(method)["error"]["message"]
    assert w.call("go")["result"]["task"]["taskId"] == "forged", "the control: a call may become one"
    assert w.end() == 0
    w.settle()
    person.verified()


def test_a_task_brings_what_its_own_tool_may_say_and_no_task_is_two(person):
    w = started(person, "tasks")
    w.initialize()
    w.request("tools/list")
    assert w.call("shaped", {"says": 1}, task={"ttl": 1000})["result"]["task"]["taskId"] == "s"
    assert "structuredContent.n" in w.request("tasks/result", {"taskId": "s"})["error"]["message"]
    assert "of another tool" in w.call("echo", task={"ttl": 1000})["error"]["message"]
    assert "structuredContent.n" in w.request("tasks/result", {"taskId": "s"})["error"]["message"]
    w.call("go", task={"ttl": 1000})
    assert text_of(w.request("tasks/result", {"taskId": "g"})) == "result of g", "the control: a tool without a schema"
    assert w.end() == 0
    w.settle()
    person.verified()


def test_a_list_without_end_is_a_page_a_request_and_names_each_tool_once(person):
    w = started(person, "pages")
    w.initialize()
    cursor, names = {}, []
    for _ in range(300):
        page = w.request("tools/list", cursor)["result"]
        names += [t["name"] for t in page["tools"]]
        cursor = {"cursor": page["nextCursor"]}
    assert names.count("echo") == 300, "the same to the byte"
    assert len(set(names)) == 301
    assert w.memory() < MEMORY_MAX_KIB
    assert w.end() == 0
    w.settle()
    assert "more pages than are read" in person.stockade("pin", "--print-digest", "hostile", check=125).stderr
    person.verified()


@pytest.mark.parametrize("mode", ["rewrites", "rewrites_aloud"])
def test_tools_that_are_rewritten_in_mid_session_are_withheld_where_they_were_pinned_and_shown_where_not(person, mode):
    approved(person, mode)
    digest = person.stockade("pin", "--print-digest", "hostile", check=0).stdout.strip()
    w = run(person)
    play_rewrite(w)
    assert b"forged" in b"".join(w.seen), "the control: without pins it is the client's matter"
    person.stockade("pin", "--digest", digest, "hostile", check=0)
    w = run(person)
    names, echo, new = play_rewrite(w)
    assert b"forged" not in b"".join(line for line in w.seen if b"tool 'forged' denied" not in line)
    assert names == ["go", "heard", "keep", "shaped"]
    assert echo["result"]["isError"] and "denied" in text_of(echo)
    assert new["result"]["isError"] and "denied" in text_of(new)
    events = [(r["event"], r.get("tool")) for r in person.records()]
    assert ("pin.changed", "echo") in events and ("pin.unknown", "forged") in events
    person.verified()


def play_rewrite(w):
    w.initialize()
    assert [t["name"] for t in w.request("tools/list")["result"]["tools"]] == ["echo", "go", "heard", "keep", "shaped"]
    assert text_of(w.call("go")) == "true"
    names = [t["name"] for t in w.request("tools/list")["result"]["tools"]]
    echo, new = w.call("echo", {"text": "x"}), w.call("forged")
    assert w.end() == 0
    w.settle()
    return names, echo, new


def test_a_server_that_never_reads_again_neither_fills_memory_nor_keeps_the_client(person):
    w = started(person, "deaf")
    w.initialize()
    assert text_of(w.call("go")) == "true"
    # More than the pipe, the queue and a line together hold would block us; this much is taken, and none of it is answered.
    w.burst([{"jsonrpc": "2.0", "id": f"d{i}", "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "x" * 1000}}} for i in range(150)])
    assert w.call("denied")["result"]["isError"], "what is answered without the server shows that all before it was read"
    assert w.memory() < MEMORY_MAX_KIB
    w.p.terminate()
    assert w.wait() == 143
    answers, _ = w.settle()
    assert all("the server" in answers[f'"d{i}"']["error"]["message"] for i in range(150))
    person.verified()
