# SPDX-License-Identifier: Apache-2.0
"""A client that does what no client may: one answer to each request that has an id, and nothing forged reaches the server."""
import collections
import json
import threading

import pytest
from integration.account import MEMORY_MAX_KIB, Account, count, text_of
from integration.harness import SERVERS, STOCKADE, until

# It is honest as long as nobody calls "go".
SERVER = ["/usr/bin/python3", f"{SERVERS}/hostile.py", "mark"]
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


def started(person, deaf=False, approved=True, mode="honest"):
    person.profile("patient", {"stockade": 1, "name": "patient", "command": [*SERVER, mode], "tools": {"rate": "10000/s"}})
    if approved:
        person.approve("patient")
    return Account([STOCKADE, "run", "patient"], env=person.env, cwd=person.work, deaf=deaf)


def request(ident, method="ping", **params):
    return {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}


def echo(ident, text="forged"):
    return request(ident, "tools/call", name="echo", arguments={"text": text})


def keep(ident):
    return request(ident, "tools/call", name="keep", arguments={})


class Play:
    """What a mode does, and what has to come of it: a row of MODES each."""

    def __init__(self, w):
        self.w = w
        self.but = []  # ids without an answer, as often as they have none
        self.heard = []  # what the server has to have heard of it, [method, id] each
        self.refused = self.unmatched = 0

    def reuses_ids_in_flight(self):
        self.w.send(keep(70))
        self.w.burst([echo(70) for _ in range(10)])
        self.w.send(echo("70", "another id"))
        assert text_of(self.w.answer("70")) == "another id"
        self.but, self.refused = ["70"] * 10, 10
        self.heard = [["tools/call", 70], ["tools/call", "70"]]

    def reuses_ids_that_were_answered(self):
        for i in range(5):
            self.w.send(echo(70, f"again {i}"))
            assert text_of(self.w.message()) == f"again {i}"
            self.heard.append(["tools/call", 70])

    def takes_back_and_asks_again_under_the_id(self):
        self.w.send(keep(70))
        self.w.notify("notifications/cancelled", {"requestId": 70})
        self.w.send(echo(70))
        assert "no answer yet" in self.w.answer(70)["error"]["message"]
        self.but, self.refused = ["70"], 1
        self.heard = [["tools/call", 70], ["notifications/cancelled", None]]

    def takes_back_what_others_asked(self):
        self.w.send(keep(70))
        for other in ("70", 4711, "a0", "stockade-0000000000000000-1", None, {"id": 70}, [70], 70.0, -70):
            self.w.notify("notifications/cancelled", {"requestId": other})
            self.heard.append(["notifications/cancelled", None])
        self.w.notify("notifications/cancelled", {"RequestId": 70})
        self.w.notify("notifications/cancelled", {"requestId": 4711, "requestid": 70})
        self.heard.append(["tools/call", 70])
        self.refused = 2

    def answers_what_nobody_asked(self):
        for ident in (1, 70, "a0", "stockade-0000000000000000-1", -1):
            self.w.send({"jsonrpc": "2.0", "id": ident, "result": {"forged": True}})
            self.w.send({"jsonrpc": "2.0", "id": ident, "error": {"code": 1, "message": "forged"}})
        self.unmatched = 10
        self.w.send({"jsonrpc": "2.0", "id": None, "result": {}})
        self.w.send({"jsonrpc": "2.0", "id": 1.5, "result": {}})
        self.refused = 2

    def initializes_again(self):
        for i in range(70, 75):
            self.w.send(request(i, "initialize", **INITIALIZE))
            self.heard.append(["initialize", i])
        for _ in range(5):
            self.w.notify("notifications/initialized")
            self.heard.append(["notifications/initialized", None])
        assert all(self.w.answer(i)["result"]["serverInfo"]["name"] == "hostile" for i in range(70, 75))

    def mixes_the_eras(self):
        passed = [request(70, "tools/list", _meta=META), request(71, "server/discover", _meta=META), request(72, "ping"), request(73, "tools/list"),
                  request(74, "tools/call", name="echo", arguments={}, _meta=META), request(75, "subscriptions/listen", notifications={}, _meta=META)]
        denied = [request(80, "logging/setLevel", level="debug", _meta=META), request(81, "ping", _meta=META), request(82, "initialize", **INITIALIZE, _meta=META)]
        self.w.burst(passed + denied)
        assert all("error" in self.w.answer(m["id"]) for m in denied)
        assert all("result" in self.w.answer(m["id"]) for m in passed)
        self.heard = [[m["method"], m["id"]] for m in passed]

    def sends_a_line_of_11_mib(self):
        self.w.send(echo(70, "forged" + "x" * (11 << 20)))
        assert "longer than 8388608 bytes" in self.w.answer(70)["error"]["message"]
        self.refused = 1

    def sends_ten_thousand_requests_in_one_write(self):
        self.w.burst([request(i) for i in range(100, 10100)])
        # How many the server had at a time is its pace: more than may be in flight are told to come again.
        answers = [self.w.answer_quick(i) for i in range(100, 10100)]
        self.heard = [["ping", m["id"]] for m in answers if "result" in m]
        assert all("too many requests" in m["error"]["message"] for m in answers if "error" in m)

    def has_more_in_flight_than_there_is_room_for(self):
        self.w.burst([keep(i) for i in range(100, 3100)])
        denied = [self.w.answer_quick(i) for i in range(100 + 1024, 3100)]
        assert all("too many requests" in text_of(m) for m in denied)
        self.heard = [["tools/call", i] for i in range(100, 1124)]
        # One that it gives up makes room for another.
        self.w.notify("notifications/cancelled", {"requestId": 100})
        self.w.send(echo("one more"))
        assert text_of(self.w.answer("one more")) == "forged"
        self.but = ["100"]
        self.heard += [["notifications/cancelled", None], ["tools/call", "one more"]]

    def sends_lines_of_nothing(self):
        self.w.send_raw(b"\n" * 5000 + b"\r\n" * 5000 + b"  \n" * 10)
        self.refused = 10010

    def ends_its_lines_with_a_carriage_return(self):
        self.w.note(request(70))
        self.w.send_raw(json.dumps(request(70)).encode() + b"\r\n")
        assert "result" in self.w.answer(70)
        self.w.send_raw(json.dumps(request(71)).encode() + b"\r\r\n")
        assert "raw control" in self.w.answer(71)["error"]["message"]
        self.w.note(request(71))
        self.heard, self.refused = [["ping", 70]], 1

    def sends_a_byte_at_a_time(self):
        self.w.note(echo(70))
        for byte in json.dumps(echo(70, "slowly")).encode() + b"\n":
            self.w.send_raw(bytes([byte]))
        assert text_of(self.w.answer(70)) == "slowly"
        self.heard = [["tools/call", 70]]

    def floods_with_notifications(self):
        block = b"".join(json.dumps({"jsonrpc": "2.0", "method": m, "params": {"progressToken": 1, "progress": 1}}).encode() + b"\n"
                         for m in ("notifications/progress", "notifications/forged", "tools/call", "ping", "notifications/tools/list_changed"))
        self.w.send_raw(block * 2000)
        self.heard = [["notifications/progress", None]] * 2000

    def has_ids_that_are_none(self):
        for spelt in ("null", "1.5", "70e0", "[70]", '{"a":70}', "true", "9007199254740992", "-0", '"\\ud800"', '"\\u0000"', '"' + "i" * 255 + '"'):
            self.w.send_raw(b'{"jsonrpc":"2.0","id":%s,"method":"ping"}\n' % spelt.encode())
        self.refused = 11
        for ident in ("", " 70", "70 ", "\u0001", "é", "i" * 254, -5, 9007199254740991):
            self.w.send(request(ident))
            assert "result" in self.w.answer(ident)
            self.heard.append(["ping", ident])


MODES = [name for name in vars(Play) if not name.startswith("_")]


@pytest.mark.parametrize("mode", MODES)
def test_whatever_a_client_does_each_request_has_one_answer_and_the_server_hears_what_was_passed(person, mode):
    w = started(person)
    w.initialize()
    w.request("tools/list")
    play = Play(w)
    getattr(play, mode)()
    assert text_of(w.call("echo", {"text": "after"})) == "after"
    heard = json.loads(text_of(w.call("heard")))[3:-2]
    assert collections.Counter(map(json.dumps, heard)) == collections.Counter(map(json.dumps, play.heard))
    assert w.has_shim() and w.memory() < MEMORY_MAX_KIB
    assert w.end() == 0
    w.settle(play.but)
    records = person.records()
    assert (count(records, "message.refused", side="client"), count(records, "response.unmatched", side="client")) == (play.refused, play.unmatched)
    assert records[-1]["event"] == "session.close"
    person.verified()


def response(ident, **more):
    return json.dumps({"jsonrpc": "2.0", "id": ident, **(more or {"result": {}})}).encode() + b"\n"


# What a client says to the three requests of the server (7, "7", 8) beside an honest answer to each: what is refused, what was asked by
# nobody any more, and which of them has its answer by that (an error, where the client's could not be passed on).
FORGED = {"result": {"forged": True}}
SAYS = {
    "twice": (b"".join(response(i) + response(i, **FORGED) + response(i, error={"code": 1, "message": "forged"}) for i in (7, "7", 8)), 0, 6, [7, "7", 8]),
    "under another's id": (response("8", **FORGED) + response("07", **FORGED) + response(" 7", **FORGED) + response(-8, **FORGED), 0, 4, []),
    "under ids that some take for it": (b"".join(b'{"jsonrpc":"2.0","id":%s,"result":{"forged":true}}\n' % i for i in (b"8.0", b"8e0", b"08", b"+8", b"[8]")), 5, 0, []),
    "with an error as well": (response(8, **FORGED, error={"code": 1, "message": "forged"}), 1, 0, [8]),
    "with a method": (response(8, method="ping", **FORGED), 1, 0, [8]),
    "with a key twice": (b'{"jsonrpc":"2.0","id":8,"result":{},"result":{"forged":true}}\n', 1, 0, [8]),
    "with 9 MiB": (response(8, result={"forged": "x" * (9 << 20)}), 1, 0, [8]),
}


@pytest.mark.parametrize("how", SAYS)
def test_what_a_client_answers_reaches_the_server_once_for_what_it_asked(person, how):
    says, refused, unmatched, answered = SAYS[how]
    w = started(person, mode="asks")
    w.initialize()
    assert text_of(w.call("go")) == "true"
    w.send_raw(says)
    for ident in (7, "7", 8):
        if ident not in answered:
            w.send_raw(response(ident))
    heard = json.loads(text_of(w.call("heard")))
    assert collections.Counter(map(json.dumps, (h for h in heard if h[0] is None))) == {json.dumps([None, i]): 1 for i in (7, "7", 8)}
    assert "forged" not in text_of(w.call("answers"))
    assert w.has_shim() and w.memory() < MEMORY_MAX_KIB
    assert w.end() == 0
    _, others = w.settle()
    assert collections.Counter(json.dumps(m["id"]) for m in others) == {'7': 1, '"7"': 1, '8': 1}
    records = person.records()
    assert (count(records, "message.refused", side="client"), count(records, "response.unmatched", side="client")) == (refused, unmatched)
    person.verified()


def test_a_client_that_closes_behind_its_requests_gets_all_answers(person):
    w = started(person)
    w.burst([request(1, "initialize", **INITIALIZE), *(echo(i) for i in range(2, 202)), *(keep(i) for i in range(202, 212))])
    assert w.end() == 0
    answers, _ = w.settle()
    assert all(text_of(answers[str(i)]) == "forged" for i in range(2, 202))
    assert all("error" in answers[str(i)] for i in range(202, 212))
    person.verified()


def test_a_client_that_closes_in_the_middle_of_a_line_has_not_said_it(person):
    w = started(person)
    w.initialize()
    whole = json.dumps(echo(70)).encode()
    w.note(echo(70))
    w.send_raw(whole)
    assert w.end() == 0
    answers, _ = w.settle()
    assert "ends without a line feed" in answers["70"]["error"]["message"]
    records = person.records()
    assert count(records, "tool.call") == 0 and count(records, "message.refused", side="client") == 1
    person.verified()


def test_a_client_that_does_not_read_is_not_read_further_and_loses_nothing(person):
    w = started(person, deaf=True)
    text = "x" * 1000
    requests = [request(1, "initialize", **INITIALIZE), *(echo(i, text) for i in range(2, 6002))]
    sender = threading.Thread(target=w.burst, args=(requests,))
    sender.start()
    # As many answers as the pipe and the queue take; how many more were decided is a matter of what is under way.
    until(lambda: count(person.records(), "tool.call") >= 300)
    assert w.memory() < MEMORY_MAX_KIB
    w.reads.set()
    sender.join()
    assert w.end() == 0
    answers, _ = w.settle()
    assert all(text_of(answers[str(i)]) == text for i in range(2, 6002))
    assert count(person.records(), "tool.call") == 6000
    person.verified()


def test_while_approval_waits_a_hostile_client_has_one_answer_to_each_request_too(person):
    w = started(person, approved=False)
    w.burst([request(1, "initialize", **INITIALIZE), *(request(i) for i in range(100, 3100)), *(echo(i) for i in range(4000, 4100)),
             request(2, "initialize", **INITIALIZE), request(3, "tools/list"), request(4, "no/such"), request(5, "server/discover", _meta=META)])
    w.send({"jsonrpc": "2.0", "id": 4711, "result": {"forged": True}})
    w.send_raw(b"garbage\n[]\n")
    w.note(request(70))
    w.send_raw(json.dumps(request(70)).encode()[:-1] + b"\n")
    assert "not valid JSON" in w.answer_quick(70)["error"]["message"]
    assert w.answer_quick(3)["result"] == {"tools": []}
    assert w.has_shim() and w.memory() < MEMORY_MAX_KIB
    assert w.end() == 125
    w.settle()
    records = person.records()
    assert count(records, "message.refused") == 3 and count(records, "response.unmatched") == 1
    person.verified()
