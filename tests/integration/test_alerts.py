# SPDX-License-Identifier: Apache-2.0
"""What somebody wants to hear of at once is recorded, told by a hook as the user it is, and holds nothing up."""
import json
import os
import pwd

import pytest
from integration.harness import ODD, until


def own_rules(person, *rules):
    directory = f"{person.home}/.config/stockade"
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(f"{directory}/alerts.json", "w", encoding="utf-8") as f:
        json.dump({"stockade": 1, "alerts": list(rules)}, f)
    os.chmod(f"{directory}/alerts.json", 0o600)


def hook(person, text):
    path = f"{person.base}/hook"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\n{text}\n")
    os.chmod(path, 0o755)
    return path


def profile(person):
    person.profile("odd", {"stockade": 1, "name": "odd", "command": ODD, "tools": {"allow": ["echo"]}})
    person.approve("odd")


def denied_calls(person, n):
    w = person.start("odd")
    w.initialize()
    for _ in range(n):
        w.call("write", {"path": "x", "text": "x"})
    return w


def alerts(person, event="alert"):
    return [r for r in person.records() if r["event"] == event]


def test_denials_within_a_time_are_one_alert_and_its_hook_gets_it_as_the_user(person):
    out = f"{person.base}/out"
    program = hook(person, f"id -un >{out}.tmp; echo \"$@\" >>{out}.tmp; cat >>{out}.tmp; mv {out}.tmp {out}")
    os.chmod(person.base, 0o777)
    own_rules(person, {"name": "denials", "when": {"event": "tool.call", "decision": "deny", "count": 3, "within": "1h", "server": "o*"},
                       "severity": "error", "exec": [program, "a b", "$HOME"]})  # fmt: skip
    profile(person)
    w = denied_calls(person, 2)
    assert alerts(person) == []
    w.call("write", {"path": "x", "text": "x"})
    until(lambda: os.path.exists(out))
    user, words, told = open(out, encoding="utf-8").read().split("\n", 2)
    assert (user, words) == (pwd.getpwuid(os.geteuid()).pw_name, "a b $HOME")
    told = json.loads(told)
    assert (told["alert"], told["severity"], told["server"]) == ("denials", "error", "odd")
    assert told["event"]["event"] == "tool.call" and told["event"]["decision"] == "deny" and told["event"]["tool"] == "write"
    for _ in range(9):  # kept quiet for a minute
        w.call("write", {"path": "x", "text": "x"})
    until(lambda: alerts(person, "alert.hook"))
    w.end()
    records = person.records()
    at = [i for i, r in enumerate(records) if r["event"] == "alert"]
    assert len(at) == 1 and records[at[0] - 1]["event"] == "tool.call"
    assert records[at[0]]["status"] == "error" and records[at[0]]["count"] == 3 and "alerts.json:1 (alerts" in records[at[0]]["rule"]
    assert [(r["status"], r["reason"]) for r in records if r["event"] == "alert.hook"] == [("done", "exited with status 0")]
    person.verified()


def test_denials_of_all_sessions_of_a_user_are_one_alert(person):
    own_rules(person, {"name": "denials", "when": {"event": "tool.call", "decision": "deny", "count": 4, "within": "1h"}})
    profile(person)
    sessions = [denied_calls(person, 1) for _ in range(3)]
    assert alerts(person) == []
    for w in [*sessions, *sessions, *sessions]:
        w.call("write", {"path": "x", "text": "x"})
    for w in sessions:
        assert w.end() == 0
    told, = alerts(person)  # the others that it was due for are kept quiet for a minute
    assert told["subject"] == "denials" and told["count"] == 4 and "4 within 3600 s" in told["reason"], told
    person.verified()


@pytest.mark.parametrize("tool", ["b" * 401, "a" + "\u00e9" * 200, "\u00e9" * 255])
def test_no_name_of_a_tool_keeps_a_hook_from_being_told(person, tool):
    out = f"{person.base}/out"
    program = hook(person, f"cat >{out}.tmp; mv {out}.tmp {out}")
    os.chmod(person.base, 0o777)
    own_rules(person, {"name": "denials", "when": {"event": "tool.call", "decision": "deny"}, "exec": [program]})
    profile(person)
    w = person.start("odd")
    w.initialize()
    w.call(tool, {})
    until(lambda: os.path.exists(out))
    told = json.load(open(out, encoding="utf-8"))
    assert told["event"]["tool"] == tool and tool[:150] in told["words"] and told["words"].endswith(": deny")
    assert w.end() == 0
    person.verified()


def test_a_hook_that_fails_is_recorded_and_one_that_hangs_holds_nothing_up(person):
    own_rules(person, {"name": "fails", "when": {"event": "tool.call"}, "exec": ["/bin/false"]},
              {"name": "hangs", "when": {"event": "tool.call"}, "exec": ["/bin/sleep", "9"]})  # fmt: skip
    profile(person)
    w = person.start("odd")
    w.initialize()
    w.call("echo", {"text": "x"})
    until(lambda: alerts(person, "alert.hook"))
    assert w.end() == 0  # long before the other one has slept
    assert [(r["subject"], r["status"], r["reason"]) for r in alerts(person, "alert.hook")] == [("fails", "failed", "exited with status 1")]
    assert [r["subject"] for r in alerts(person)] == ["fails", "hangs"]


@pytest.mark.parametrize("rule, words", [
    ({"name": "x", "when": {"event": "tool.cal"}}, "did you mean"),
    ({"name": "x", "when": {"event": "kill"}, "exec": ["/no/such"]}, "cannot be found"),
])  # fmt: skip
def test_a_rule_that_cannot_be_kept_starts_nothing(person, rule, words):
    profile(person)
    own_rules(person, rule)
    r = person.stockade("run", "odd", check=125)
    assert words in r.stderr and "so nothing is started" in r.stderr and "alerts.json:1" in r.stderr


def test_without_a_rule_there_is_no_process_for_hooks(person):
    own_rules(person, {"name": "quiet", "when": {"event": "tool.call"}})
    profile(person)
    w = denied_calls(person, 1)
    names = [open(f"/proc/{p}/comm", encoding="utf-8").read().strip() for p in open(f"/proc/{w.p.pid}/task/{w.p.pid}/children", encoding="utf-8").read().split()]
    assert "stockade" not in names
    w.end()
    assert [r["subject"] for r in alerts(person)] == ["quiet"]
