# SPDX-License-Identifier: Apache-2.0
"""What is written of a session: every sort of record from the part that may speak of it, with who, what and by which rule."""
import json
import os
import re
import signal
import subprocess

import pytest
from integration.harness import ODD, STOCKADE, until
from integration.test_bad_input import NO_NAMESPACES

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# wire/event.h: X(ENUM, "name", sources)
ROW = re.compile(r'X\([A-Z_]+, "([a-z.]+)", ([A-Z_ |]+)\)')
ALWAYS = {"v", "seq", "ts", "session", "event", "source", "host", "user", "groups", "client", "server", "version", "plan", "approval",
          "channel", "classification", "delete_after", "prev", "hash"}


def events():
    with open(f"{ROOT}/wire/event.h", encoding="utf-8") as f:
        return dict(ROW.findall(f.read()))


def test_the_page_about_the_log_names_every_event_with_its_sources():
    with open(f"{ROOT}/docs/audit.md", encoding="utf-8") as f:
        rows = [line.split("|")[1:3] for line in f if line.startswith("| `")]
    words = {"EVENT_S": "supervisor", "EVENT_SH": "shim", "EVENT_G": "gateway", "EVENT_D": "dial"}
    known = events()
    assert len(known) >= 30
    for event, sources in known.items():
        assert [r[1].strip() for r in rows if f"`{event}`" in r[0]] == [", ".join(words[s] for s in sources.split(" | "))], event


def profiled(person, **more):
    person.profile("records", {"stockade": 1, "name": "records", "version": 7, "command": ODD + ["records"],
                               "data": {"classification": "internal"}, "audit": {"arguments": "hash", "delete_after": "90d"},
                               "tools": {"deny": ["crash"]}, **more})
    person.approve("records")
    return person.start("records")


@pytest.mark.root
def test_each_sort_of_record_comes_from_its_source_and_says_who_and_what(person):
    w = profiled(person)
    w.initialize()
    w.request("tools/list")
    w.call("echo", {"text": "s3cret", "other": 1})
    w.call("crash")
    w.call("noise")
    w.call("garbage")
    w.send_raw(b"hello\n")
    w.request("ping")
    w.notify("notifications/none-such")
    assert w.end() == 0
    records = person.records()
    by = {r["event"]: r for r in records}
    # Not consent: a launch that was approved before asks nothing.
    expected = {"session.open": "supervisor", "session.ready": "supervisor", "session.close": "supervisor", "server.exit": "supervisor",
                "client.hello": "shim", "server.hello": "shim", "tool.call": "shim", "tool.result": "shim", "request": "shim",
                "response": "shim", "notification": "shim", "list.filtered": "shim", "message.refused": "shim",
                "response.unmatched": "shim", "client.eof": "shim", "server.stderr": "shim"}
    assert {e: by.get(e, {}).get("source") for e in expected} == expected
    for r in records:
        assert ALWAYS <= set(r), ALWAYS - set(r)
        assert (r["server"], r["version"], r["classification"], r["delete_after"], r["channel"]) == ("records", "7", "internal", "90d", "digest")
        assert r["plan"].startswith(r["approval"]) and "python" in r["client"]
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    calls = {r["tool"]: r for r in records if r["event"] == "tool.call"}
    assert calls["echo"]["decision"] == "allow" and calls["echo"]["arg_keys"] == "text,other" and calls["echo"]["arg_hash"]
    assert calls["crash"]["decision"] == "deny" and re.search(r'records\.json:1 \(tools\.deny "crash"\)', calls["crash"]["rule"])
    result = next(r for r in records if r["event"] == "tool.result" and r["call_id"] == calls["echo"]["call_id"])
    assert result["bytes"] > 0 and result["latency_us"] > 0
    assert by["client.hello"]["peer_name"] == "raw" and by["server.hello"]["peer_name"] == "odd"
    assert by["list.filtered"]["count"] == 1
    close = by["session.close"]
    assert close["key"] == by["session.open"]["key"] and re.fullmatch("[0-9a-f]{16}", close["key"]) and re.fullmatch("[0-9a-f]{128}", close["sig"]), close
    assert "s3cret" not in json.dumps(records)
    person.verified()


def test_the_end_by_a_person_or_by_a_layer_that_fails_is_recorded_with_the_reason(person):
    w = profiled(person)
    w.initialize()
    until(lambda: "session.ready" in person.events())
    person.stockade("stop", "records", check=0)
    w.wait()
    stop = next(r for r in person.records() if r["event"] == "session.stop")
    assert stop["source"] == "supervisor" and re.match(rf"signal {int(signal.SIGTERM)} from pid \d+ of user {os.getuid()}$", stop["reason"])
    how = ["unshare", "--user", "--map-root-user" if os.geteuid() == 0 else "--map-current-user", "--keep-caps", "/bin/sh", "-c",
           NO_NAMESPACES, "sh", *ODD, "failing"]
    r = subprocess.run(how, env={**person.env, "STOCKADE": STOCKADE}, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 125, r.stderr
    failed = next(r for r in person.records() if r["event"] == "session.failed")
    assert failed["source"] == "supervisor" and "namespace" in json.dumps(failed)
    assert [r["event"] for r in person.records() if r["session"] == failed["session"]][-1] == "session.close"
    person.verified()
