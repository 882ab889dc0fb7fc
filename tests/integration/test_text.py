# SPDX-License-Identifier: Apache-2.0
"""What a server says reaches the client without the session's secrets, without what nobody sees, and without personal data."""
import base64
import json

import pytest
from integration.harness import CLIENTS, ODD, STOCKADE, ask, npm_server

SECRET = "ghp_Zx81kQ02mm+PLw9/\"quoted\\"
MARK = "[stockade: value of DEMO_TOKEN]"


def start(person, name, command, **more):
    profile = {"stockade": 1, "name": name, "command": command, "env": {"pass": ["DEMO_TOKEN"]}, **more}
    person.env["DEMO_TOKEN"] = SECRET
    person.profile(name, profile)
    person.approve(name)
    return person.start(name)


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_the_environment_that_a_real_server_dumps_comes_out_marked(person, client):
    """get-env of server-everything writes its whole environment as JSON within a text."""
    name = f"env-{client.replace('_', '-')}"
    start(person, name, npm_server("everything", "stdio")).end()
    steps = [{"op": "call", "name": "get-env", "args": {}}]
    line = ["/usr/bin/env", f"DEMO_TOKEN={SECRET}", STOCKADE, "run", name]
    answer = json.dumps(ask(client, person, line, steps))
    assert "DEMO_TOKEN" in answer and MARK in answer, answer[:2000]
    assert "Zx81kQ02mm" not in answer
    assert "Zx81kQ02mm" in json.dumps(ask(client, person, line[:2] + npm_server("everything", "stdio"), steps))


def test_an_echoed_secret_comes_out_marked_in_every_encoding_and_is_counted(person):
    w = start(person, "echo", ODD + ["text"], tools={"redact": ["mail"]})
    w.initialize()
    said = [SECRET, base64.b64encode(b"user:" + SECRET.encode()).decode(), base64.urlsafe_b64encode(b"x" + SECRET.encode()).decode(),
            "".join(f"%{b:02X}" for b in SECRET.encode()), json.dumps({"a": SECRET})]
    for text in said:
        result = w.call("echo", {"text": text})["result"]
        assert MARK in result["content"][0]["text"], (text, result)
        assert "Zx81kQ02mm" not in json.dumps(result)
    seen = w.call("echo", {"text": "a\u001b[31mb\u200bc me@example.org"})["result"]["content"][0]["text"]
    assert seen == "a\ufffdb\ufffdc [stockade: mail removed]"
    whole = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f469\u200d\U0001f467 \u845b\U000e0100"
    assert w.call("echo", {"text": whole})["result"]["content"][0]["text"] == whole
    assert w.end() == 0
    counted = [(r["subject"], r["count"]) for r in person.records() if r["event"] == "text.redacted"]
    assert counted.count(("value of DEMO_TOKEN", 1)) == len(said)
    assert ("invisible characters", 2) in counted
    assert ("mail", 1) in counted
    assert "Zx81kQ02mm" not in person.stockade("audit", "show", "--json", check=0).stdout


def test_check_says_which_values_are_taken_out(person):
    person.env.update(DEMO_TOKEN=SECRET, DEMO_SHORT="abc", DEMO_DIR="/a/b/c/d/e")
    person.profile("checked", {"stockade": 1, "name": "checked", "command": ODD + ["checked"],
                               "env": {"pass": ["DEMO_TOKEN", "DEMO_SHORT", "DEMO_DIR"]}, "tools": {"redact": ["card"]}})
    out = person.stockade("check", "checked", check=0).stdout
    assert "the value of DEMO_TOKEN, in whatever the server says" in out
    assert "the value of DEMO_SHORT is NOT taken out" in out
    assert "the value of DEMO_DIR is NOT taken out" in out
    assert "card numbers (Luhn), both ways" in out
    assert SECRET not in out
