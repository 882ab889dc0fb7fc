# SPDX-License-Identifier: Apache-2.0
"""Messages that only a careless or a hostile peer sends, through the installed program and with a real server behind it."""
import json

from integration.harness import ODD, until


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
    # Handed over before the answer; written when the supervisor has come to it.
    until(lambda: sum(r.get("coalesced", 1) for r in person.records() if r["event"] == "message.refused") == 5)
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


MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
STATE = 'opaque \u00e9 \U0001f600 \x01 "\\" \u2028'


def asking(person, name, **client):
    person.profile(name, {"stockade": 1, "name": name, "version": 1, "description": "d", "command": [*ODD, name],
                          "filesystem": {"read": [person.work]}, "client": client})
    person.approve(name)
    return person.start(name)


def test_a_result_that_asks_for_input_passes_with_its_retry_where_the_profile_allows_it(person):
    w = asking(person, "may-ask", elicitation=True, roots=[person.work])
    result = w.call("needs", {"method": "elicitation/create", "params": {"message": "who?"}, "state": STATE}, _meta=MODERN)["result"]
    assert result == {"resultType": "input_required", "requestState": STATE,
                      "inputRequests": {"k": {"method": "elicitation/create",
                                              "params": {"message": "The server 'may-ask' asks: who?"}}}}
    roots = w.call("needs", {"method": "roots/list", "state": STATE}, _meta=MODERN)["result"]
    assert roots["inputRequests"]["k"]["method"] == "roots/list"
    granted = {"uri": f"file://{person.work}/a"}
    retry = {"k": {"roots": [{"uri": "file:///etc"}, granted]}, "e": {"action": "accept", "content": {"who": "me"}}}
    done = w.call("needs", {}, inputResponses=retry, requestState=STATE, _meta=MODERN)["result"]
    assert json.loads(done["content"][0]["text"]) == {"requestState": STATE,
                                                      "inputResponses": {"k": {"roots": [granted]}, "e": retry["e"]}}
    assert w.end() == 0
    records = person.records()
    assert [r["status"] for r in records if r["event"] == "tool.result"] == ["input_required", "input_required", "ok"]
    assert [(r["method"], r["side"], r["count"]) for r in records if r["event"] == "list.filtered"] == [("roots/list", "client", 1)]


def test_a_result_that_asks_for_what_is_denied_becomes_a_denial(person):
    w = asking(person, "may-not-ask", elicitation=True, roots=[])
    for method, word in (("sampling/createMessage", "client.sampling"), ("roots/list", "client.roots")):
        result = w.call("needs", {"method": method, "state": STATE}, _meta=MODERN)["result"]
        assert result["isError"] is True and result["resultType"] == "complete"
        assert word in result["content"][0]["text"] and "inputRequests" not in result and "requestState" not in result
    assert "error" in w.call("needs", {"method": "tools/call", "state": STATE}, _meta=MODERN)
    assert w.end() == 0
    denied = [r for r in person.records() if r["event"] == "request" and r.get("decision") == "deny"]
    assert [r["method"] for r in denied] == ["sampling/createMessage", "roots/list"]


def test_an_answer_to_the_server_arrives_although_the_client_closes_behind_it(person):
    w = asking(person, "last-words", elicitation=True)
    w.initialize(capabilities={"elicitation": {}})
    w.send({"jsonrpc": "2.0", "id": 50, "method": "tools/call",
            "params": {"name": "asks", "arguments": {"id": "e", "method": "elicitation/create", "params": {"message": "?"}}}})
    while w.message().get("method") != "elicitation/create":
        pass
    w.send({"jsonrpc": "2.0", "id": "e", "result": {"action": "decline"}})
    w.eof()
    assert json.loads(text_of(w.answer(50)))["result"] == {"action": "decline"}
    assert w.wait() == 0


def test_a_request_of_the_server_after_the_clients_end_of_input_keeps_nobody_waiting(person):
    w = asking(person, "late", elicitation=True)
    w.initialize()
    w.send({"jsonrpc": "2.0", "id": 50, "method": "tools/call",
            "params": {"name": "asks", "arguments": {"late": True, "method": "elicitation/create", "params": {"message": "?"}}}})
    w.eof()
    assert text_of(w.answer(50)) == "", "the server sees the end of its input, and no answer that nobody gave"
    assert w.wait() == 0
    assert [json.loads(line)["method"] for line in w.seen if b'"ask"' in line] == ["elicitation/create"]
    denied = asking(person, "later")
    denied.initialize()
    denied.send({"jsonrpc": "2.0", "id": 51, "method": "tools/call",
                 "params": {"name": "asks", "arguments": {"late": True, "method": "sampling/createMessage"}}})
    denied.eof()
    assert text_of(denied.answer(51)) == ""
    assert denied.wait() == 0
    assert all(b"sampling" not in line for line in denied.seen)
    assert [r["decision"] for r in person.records() if r.get("method") == "sampling/createMessage"] == ["deny"]


def test_methods_of_an_extension_pass_both_ways_where_the_profile_names_them(person):
    for name, allowed in (("extended", {"extensions": {"allow": ["example.org/*"], "deny": ["example.org/not"]}}), ("plain", {})):
        person.profile(name, {"stockade": 1, "name": name, "command": [*ODD, name], **allowed})
        person.approve(name)
        w = person.start(name)
        w.initialize()
        # Read by whoever of the two it is for.
        asked = {"id": "e", "method": "example.org/back", "params": {"n": 1}}
        w.send({"jsonrpc": "2.0", "id": 50, "method": "tools/call", "params": {"name": "asks", "arguments": asked}})
        if allowed:
            while (m := w.message()).get("method") != "example.org/back":
                pass
            assert m["params"] == {"n": 1}
            w.send({"jsonrpc": "2.0", "id": "e", "result": {"back": 2}})
        said = json.loads(text_of(w.answer(50)))
        assert said["result"] == {"back": 2} if allowed else said["error"]["code"] == -32601
        answers = [w.request(f"example.{m}", {}) for m in ("org/a", "org/not", "net/a")]
        w.notify("example.org/told")
        heard = [m for m in json.loads(text_of(w.call("heard"))) if m.startswith("example.")]
        assert [a.get("error", {}).get("code") for a in answers] == ([None, -32601, -32601] if allowed else [-32601] * 3)
        assert heard == (["example.org/a", "example.org/told"] if allowed else [])
        assert w.end() == 0


def test_a_name_that_is_listed_twice_is_listed_once(person):
    person.profile("twice", {"stockade": 1, "name": "twice", "version": 1, "description": "d", "command": [*ODD, "twice", "double"]})
    person.approve("twice")
    w = person.start("twice")
    w.initialize()
    tools = w.request("tools/list")["result"]["tools"]
    assert len({t["name"] for t in tools}) == len(tools) and "description" not in tools[0]
    assert "become a task" in w.request("tools/list", {"task": {"ttl": 1000}})["error"]["message"]
    assert w.end() == 0
    filtered = [r for r in person.records() if r["event"] == "list.filtered"]
    assert filtered[0]["count"] == len(tools) and "already" in filtered[0]["reason"]
