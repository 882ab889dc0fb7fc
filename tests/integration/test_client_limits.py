# SPDX-License-Identifier: Apache-2.0
"""What a server may ask of its client, and log there: limited by the profile, with a real server and with one that oversteps."""
import itertools
import json
import os

from integration.harness import ODD, Wire, npm_server, until

EVERYTHING = npm_server("everything", "stdio")
OFFERS = {"sampling": {"tools": {}, "context": {}}, "elicitation": {"form": {}, "url": {}}}


def start(person, name, client, command=None, **more):
    person.profile(name, {"stockade": 1, "name": name, "command": command or [*ODD, name], "client": client, **more})
    person.approve(name)
    w = person.start(name)
    w.initialize(version="2025-11-25", capabilities=OFFERS)
    return w


def until_asked(w, method):
    while True:
        message = w.message()
        if message.get("method") == method and "id" in message:
            return message


def begin(w, ident, name, arguments):
    w.send({"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": name, "arguments": arguments}})


def tools_of(w):
    return {t["name"] for t in w.request("tools/list")["result"]["tools"]}


def test_a_real_server_samples_no_more_tokens_than_the_profile_has(person):
    w = start(person, "samples", {"sampling": {"max_tokens": 5}}, EVERYTHING)
    names = tools_of(w)
    assert "trigger-sampling-request" in names and "trigger-elicitation-request" not in names, names
    begin(w, 50, "trigger-sampling-request", {"prompt": "p", "maxTokens": 100})
    asked = until_asked(w, "sampling/createMessage")
    assert asked["params"]["maxTokens"] == 5
    w.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "short"}}})
    assert "short" in json.dumps(w.answer(50))
    assert w.end() == 0
    record = [r for r in person.records() if r.get("method") == "sampling/createMessage" and r["event"] == "request"]
    assert [(r["decision"], r["reason"]) for r in record] == [("allow", "maxTokens lowered to 5")]


def test_a_real_server_sends_nobody_anywhere_but_to_hosts_of_the_profile(person):
    w = start(person, "forms", {"elicitation": True}, EVERYTHING)
    names = tools_of(w)
    assert "trigger-elicitation-request" in names and "trigger-url-elicitation" not in names, names
    assert w.end() == 0
    w = start(person, "visits", {"elicitation": {"url": ["example.org"]}}, EVERYTHING)
    assert "trigger-url-elicitation" in tools_of(w)
    begin(w, 50, "trigger-url-elicitation", {"url": "https://example.org/x"})
    asked = until_asked(w, "elicitation/create")
    assert asked["params"]["url"] == "https://example.org/x"
    assert asked["params"]["message"].startswith("The server 'visits' asks: ")
    w.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}})
    assert "result" in w.answer(50)
    begin(w, 51, "trigger-url-elicitation", {"url": "https://example.net/x"})
    assert "decline" in json.dumps(w.answer(51))
    assert w.end() == 0
    assert all(b"example.net" not in line for line in w.seen if b'"elicitation/create"' in line)


def test_what_oversteps_is_answered_in_the_way_of_its_kind(person):
    w = start(person, "oversteps", {"sampling": {"rate": "1/h"}, "elicitation": {"rate": "1/h"}})

    idents = itertools.count(60)

    def asks(method, params):
        ident = next(idents)
        begin(w, ident, "asks", {"id": f"a{ident}", "method": method, "params": params})
        return json.loads(w.answer(ident)["result"]["content"][0]["text"])

    assert asks("sampling/createMessage", {"messages": [], "maxTokens": 1, "tools": []})["error"]["code"] == -32602
    visit = {"mode": "url", "message": "m", "url": "https://example.org/"}
    assert asks("elicitation/create", visit)["error"]["code"] == -32602
    for method, answer in (("sampling/createMessage", {"role": "assistant"}), ("elicitation/create", {"action": "accept"})):
        ident = next(idents)
        begin(w, ident, "asks", {"id": "b", "method": method, "params": {"message": "m", "messages": [], "maxTokens": 1}})
        assert until_asked(w, method)["id"] == "b"
        w.send({"jsonrpc": "2.0", "id": "b", "result": answer})
        w.answer(ident)
    refused = asks("sampling/createMessage", {"messages": [], "maxTokens": 1})["error"]
    assert refused["code"] == -1 and "Retry after" in refused["message"]
    assert asks("elicitation/create", {"message": "m"})["result"] == {"action": "cancel"}
    assert w.end() == 0


def test_an_error_that_sends_a_person_elsewhere_becomes_a_denial(person):
    w = start(person, "required", {"elicitation": {"url": ["example.org"]}})
    passed = w.call("visit", {"url": "https://example.org/"})
    assert passed["error"]["data"]["elicitations"][0]["message"] == "The server 'required' asks: m"
    denied = w.call("visit", {"url": "https://example.org@example.net/"})
    assert denied["result"]["isError"] and "user name or a password" in denied["result"]["content"][0]["text"]
    assert w.end() == 0


def test_log_messages_below_the_level_are_counted_and_not_heard(person):
    w = start(person, "logs", {"logging": {"level": "warning"}})
    w.call("logs", {"levels": ["debug"] * 200 + ["info", "error"]})
    assert w.end() == 0
    heard = [json.loads(line)["params"]["level"] for line in w.seen if b'"notifications/message"' in line]
    assert heard == ["error"]
    dropped = [r for r in person.records() if r["event"] == "notification" and r.get("method") == "notifications/message"]
    assert sum(r["count"] for r in dropped) == 201 and len(dropped) <= 3, dropped


def test_what_a_server_says_of_itself_is_recorded_without_the_secrets_that_it_holds(person):
    person.env["DEMO_TOKEN"] = "ghp_Zx81kQ02mmPLw9"
    w = start(person, "boasts", {}, [*ODD, "boasts", "boast"], env={"pass": ["DEMO_TOKEN"]})
    w.call("ghp_Zx81kQ02mmPLw9", {"ghp_Zx81kQ02mmPLw9": 1})
    assert w.end() == 0
    assert all(b"Zx81kQ02mm" not in line for line in w.seen)
    until(lambda: any(r["event"] == "server.hello" for r in person.records()))
    said = json.dumps(person.records())
    assert "Zx81kQ02mm" not in said and "[stockade: value of DEMO_TOKEN]" in said


def directories_of(w):
    """What the file system server serves, by its own words."""
    return w.call("list_allowed_directories")["result"]["content"][0]["text"].splitlines()[1:]


def roots_replaced(w, roots):
    """What it serves once it was told of roots, and whether it then reads a file of /etc and one of the directory it was started on."""
    started_on = os.path.dirname(roots[-1])
    w.initialize(capabilities={"roots": {"listChanged": True}})
    asked = until_asked(w, "roots/list")
    w.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": [{"uri": f"file://{r}", "name": "r"} for r in roots]}})
    served = until(lambda: [d for d in [directories_of(w)] if d != [started_on]])[0]
    read = [not w.call("read_text_file", {"path": path})["result"].get("isError", False) for path in ("/etc/passwd", f"{started_on}/own.txt")]
    assert w.end() == 0
    return served, read


def test_of_the_roots_that_replace_the_list_of_a_real_server_those_that_are_not_granted_never_reach_it(person):
    notes = f"{person.work}/notes"
    os.mkdir(notes)
    person.write("own.txt", "own")
    command = npm_server("filesystem", person.work)
    person.approve("--ro", person.work, "--", *command)
    roots = ["/etc", notes]
    assert roots_replaced(Wire(command, env=person.env, cwd=person.work), roots) == (roots, [True, False]), "the control"
    assert roots_replaced(person.start("--ro", person.work, "--", *command), roots) == ([notes], [False, False])
    [record] = [r for r in person.records() if r.get("method") == "roots/list" and r["event"] == "list.filtered"]
    assert record["count"] == 1


def test_check_says_what_the_server_may_ask_and_that_roots_replace_its_own(person):
    person.profile("said", {"stockade": 1, "name": "said", "command": [*ODD, "said"], "filesystem": {"read": [person.work]},
                            "client": {"sampling": {"max_tokens": 9}, "elicitation": {"url": ["example.org"]}, "logging": False}})
    out = person.stockade("check", "said", check=0).stdout
    for words in ("at most 9 tokens an answer", "may send the user to https://example.org:443", "60 a minute at most",
                  "log messages of the server are dropped", "roots replace a server's own list"):
        assert words in out, (words, out)
