# SPDX-License-Identifier: Apache-2.0
"""Messages that only a careless or a hostile peer sends, through the installed program and with a real server behind it."""
from integration.harness import ODD


def running(person, mark):
    person.approve("--", *ODD, mark)
    w = person.start("--", *ODD, mark)
    w.initialize()
    return w


def call(ident, text, **more):
    return {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": text}, **more}}


def text_of(answer):
    return answer["result"]["content"][0]["text"]


def test_ids_are_told_apart_by_their_type_and_come_back_as_they_were(person):
    w = running(person, "ids")
    w.send({"jsonrpc": "2.0", "id": 41, "method": "tools/call", "params": {"name": "never"}})
    w.send(call("41", "a string"))
    answer = w.answer("41")
    assert answer["id"] == "41" and text_of(answer) == "a string"
    # 41 is still in flight, so another 41 is none; and 1.0 and 1e0 are no ids at all.
    w.send(call(41, "taken"))
    for line in (b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}\n', b'{"jsonrpc":"2.0","id":1e0,"method":"ping"}\n',
                 b'{"jsonrpc":"2.0","id":null,"method":"ping"}\n', b'{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}\n'):
        w.send_raw(line)
    assert text_of(w.call("echo", {"text": "after"})) == "after"
    refused = [r for r in person.records() if r["event"] == "message.refused"]
    assert sum(r.get("coalesced", 1) for r in refused) == 5
    assert "error" in (w.eof() or w.answer(41))
    w.wait()
    assert all(b'"id":1.0' not in line and b'"taken"' not in line for line in w.seen)


def test_a_cancellation_of_nothing_and_a_batch_harm_nobody(person):
    w = running(person, "cancel")
    w.notify("notifications/cancelled", {"requestId": 4711, "reason": "never was"})
    w.notify("notifications/cancelled", {"requestId": "1"})
    w.notify("notifications/cancelled", {})
    w.send_raw(b'[{"jsonrpc":"2.0","id":71,"method":"ping"},{"jsonrpc":"2.0","id":72,"method":"ping"}]\n')
    w.send_raw(b'[]\n')
    assert text_of(w.call("echo", {"text": "still here"})) == "still here"
    assert w.end() == 0
    assert all(b'"id":71' not in line and b'"id":72' not in line or b'"error"' in line for line in w.seen)
    person.verified()


def test_a_denied_call_that_asks_for_a_task_gets_an_error_and_another_a_result(person):
    person.profile("tasks", {"stockade": 1, "name": "tasks", "version": 1, "description": "d", "command": [*ODD, "tasks"],
                             "tools": {"allow": ["echo"], "deny": ["env"]}})
    person.approve("tasks")
    w = person.start("tasks")
    w.initialize()
    assert w.call("env")["result"]["isError"] is True
    assert "error" in w.call("env", task={"ttl": 1000})
    assert text_of(w.call("echo", {"text": "a task"}, task={"ttl": 1000})) == "a task"
    assert w.end() == 0


def test_methods_of_the_other_era_are_no_methods(person):
    w = running(person, "eras")
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    assert "error" in w.request("logging/setLevel", {"level": "debug", "_meta": meta})
    assert "error" in w.request("no/such", {})
    assert "result" in w.request("tools/list", {"_meta": meta})
    assert "result" in w.request("server/discover", {"_meta": meta})
    assert w.end() == 0
