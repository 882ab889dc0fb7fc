# SPDX-License-Identifier: Apache-2.0
"""What --json prints has the members that the manual names, and the manual names all of them."""
import json
import os
import re

import pytest

from integration.harness import ODD, SERVERS, STAGE, STOCKADE, Wire, until

PAGES = f"{STAGE}/src/man"


def explained(command):
    """What is set off in the paragraphs on --json."""
    with open(f"{PAGES}/stockade-{command}.1.scd", encoding="utf-8") as f:
        text = f.read().split("\n*--json*\n\t", 1)[1].split("\n\n", 1)[0].replace("\\_", "\0")
    return {word.replace("\0", "_") for word in re.findall(r"_([^_]+)_", text)}


def known_of_clients():
    """Who a client is has a table of its own, in the page on run."""
    with open(f"{PAGES}/stockade-run.1.scd", encoding="utf-8") as f:
        part = f.read().split("\n# WHO THE CLIENT IS\n", 1)[1].split("\n# ", 1)[0].replace("\\_", "\0")
    return {word.replace("\0", "_") for line in part.splitlines() if line.startswith("|  ") for word in re.findall(r"_([^_]+)_", line)}


def is_apart(key, value):
    """What a question or a definition has of its own, and who a client is."""
    if key in ("client", "identity") and isinstance(value, dict):
        assert set(value) <= known_of_clients(), set(value) - known_of_clients()
        return True
    return key == "question" or (key == "fields" and isinstance(value, dict))


def members(value):
    """Of objects within as well, but for what is apart."""
    if isinstance(value, list):
        return set().union(*map(members, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(members(v) for k, v in value.items() if not is_apart(k, v)))


def printed(person, command, *words, check=0):
    found = json.loads(person.stockade(command, "--json", *words, check=check).stdout)
    assert found
    assert members(found) <= explained(command), members(found) - explained(command)
    return found


@pytest.fixture
def told(person):
    """A profile with scopes, of a server that says what a file tells it, approved."""
    state = f"{person.work}/state"
    os.makedirs(state)
    os.chmod(state, 0o777)
    tools = {"scopes": {"read": ["ec*"], "write": ["echo"]}, "allow_scopes": ["read"], "grant_scopes": ["write"],
             "allow": ["*", {"name": "echo", "confirm": True, "arguments": {"properties": {"text": {"type": "string"}}}}]}
    person.profile("told", {"stockade": 1, "name": "told", "version": 2, "description": "tells", "tools": tools,
                            "command": ["/usr/bin/python3", f"{SERVERS}/rewriting.py", "mark", state],
                            "filesystem": {"write": [state]}, "env": {"set": {"A_TOKEN": "x" * 12}}})
    person.approve("told")
    return state


def say(state, mode):
    with open(f"{state}/mode", "w", encoding="utf-8") as f:
        f.write(mode)
    os.chmod(f"{state}/mode", 0o666)


def test_what_was_given_is_listed_with_the_members_of_the_manual(person, told):
    person.stockade("grant", "--for", "10min", "told", "write", check=0)
    assert printed(person, "approvals")[0]["name"] == "told"
    assert printed(person, "grants")[0]["scope"] == "write"


def test_what_is_checked_has_the_members_of_the_manual(person, told):
    assert "may be lifted" in {row["grant"] for row in printed(person, "check", "told")["matrix"]}
    assert printed(person, "check", "--tool", "echo", "--args", '{"text": 1}', "told", check=1)["decision"] == "deny"
    person.stockade("grant", "--for", "10min", "told", "write", check=0)
    assert printed(person, "check", "--tool", "echo", "told")["lifted"] == "write"
    assert printed(person, "check", "--reach", "example.com", "told", check=1)["reach"] == "example.com:443"
    assert "told" in {p["name"] for p in printed(person, "check")}


def test_pins_and_what_differs_have_the_members_of_the_manual(person, told):
    say(told, "evil-first")
    assert any(d["findings"] for d in printed(person, "pin", "told"))
    say(told, "")
    digest = person.stockade("pin", "--print-digest", "told", check=0).stdout.strip()
    person.stockade("pin", "--digest", digest, "told", check=0)
    say(told, "evil-first extra")
    found = printed(person, "diff", "told")
    assert found["findings"] and {c["change"] for c in found["changes"]} >= {"new", "changed"}


def test_what_waits_and_what_runs_have_the_members_of_the_manual(person, told):
    person.stockade("grant", "--for", "10min", "told", "write", check=0)
    runs = Wire(["/bin/sh", "-c", '"$@"; exit $?', "client", STOCKADE, "run", "told"], env=person.env, cwd=person.work)
    runs.initialize()
    runs.send({"jsonrpc": "2.0", "id": "c", "method": "tools/call",
               "params": {"name": "echo", "arguments": {"text": "a"}, "requestState": "b"}})
    waits = person.start("--", *ODD, "waits")
    waits.initialize()
    until(lambda: len(json.loads(person.stockade("approve", "--json", check=0).stdout)) == 2)
    assert {e["kind"] for e in printed(person, "approve")} == {"launch", "call"}
    assert {e["state"] for e in printed(person, "ps")} == {"running", "waiting"}
    assert waits.end() == 125
    assert runs.end() == 0
