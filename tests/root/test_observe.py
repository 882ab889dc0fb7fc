# SPDX-License-Identifier: Apache-2.0
"""While a machine observes, what a profile denies of tools passes and is recorded; what else denies denies, and it ends.

The machine's /etc/stockade is the test's (test_policy.py). What is let out to the network is tests/network/test_observe.py.
"""
import json
import os
import time

import pytest
from integration.harness import until
from root.test_ceilings import managed
from root.test_policy import machine  # noqa: F401 pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]


def moment(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


def observing(machine, days=7, **more):  # noqa: F811 pylint: disable=redefined-outer-name
    machine.policy({"mode": "observe", "observe_until": moment(days), **more})


def use(machine, *words, tools=("get_a", "put_a", "drop_a"), during=lambda: None):  # noqa: F811 pylint: disable=redefined-outer-name
    """Which tools are listed, and which of them answer."""
    wire = machine.start(*words)
    listed = {t["name"] for t in wire.request("tools/list", {})["result"]["tools"]}
    answers = {n: wire.request("tools/call", {"name": n, "arguments": {}}) for n in tools}
    during()
    wire.end()
    return listed, {n for n, a in answers.items() if "result" in a and not a["result"].get("isError")}


def calls(machine):  # noqa: F811 pylint: disable=redefined-outer-name
    return {r["tool"]: r for r in machine.person.records() if r["event"] == "tool.call"}


def test_what_the_profile_denies_passes_and_is_recorded_with_the_rule(machine):  # noqa: F811
    managed(machine, tools={"allow": ["get_*", "put_*"], "deny": ["put_*"]})
    machine.policy({})
    assert use(machine, "notes") == ({"get_a"}, {"get_a"})  # the control
    observing(machine)
    assert use(machine, "notes") == ({"get_a", "put_a", "drop_a"}, {"get_a", "put_a", "drop_a"})
    seen = calls(machine)
    assert [seen[n]["decision"] for n in ("get_a", "put_a", "drop_a")] == ["allow", "would deny", "would deny"], seen
    assert 'tools.deny "put_*"' in seen["put_a"]["rule"] and "(tools.allow)" in seen["drop_a"]["rule"], seen
    assert seen["drop_a"]["reason"] == "no rule allows it", seen
    shown = machine.person.stockade("audit", "show", "--json", "--decision", "would deny", check=0).stdout
    assert {json.loads(line)["tool"] for line in shown.splitlines()} == {"put_a", "drop_a"}


@pytest.mark.parametrize("policy, denied, rule", [
    ({"tools": {"deny": ["drop_*"]}}, {"drop_a"}, "policy.json:1 (tools.deny"),
    ({"tools": {"allow": ["get_*", "put_*"]}}, {"drop_a"}, "policy.json:1 (tools.allow)"),
    ({"groups": {"root": {"servers": ["notes"], "tools": ["get_*", "put_*"]}}}, {"drop_a"}, "policy.json:1 (groups"),
])
def test_what_the_policy_denies_is_denied_all_the_same(machine, policy, denied, rule):  # noqa: F811
    managed(machine, tools={"allow": ["get_*"]})
    observing(machine, **policy)
    everything = {"get_a", "put_a", "drop_a"}
    assert use(machine, "notes") == (everything - denied, everything - denied)
    seen = calls(machine)
    assert seen["put_a"]["decision"] == "would deny" and seen["drop_a"]["decision"] == "deny", seen
    assert rule in seen["drop_a"]["rule"], seen


def test_a_killed_tool_a_rate_and_arguments_hold(machine):  # noqa: F811
    managed(machine, tools={"allow": [{"name": "get_*", "rate": "1/h"}, {"name": "put_*", "arguments": {"required": ["to"]}}]})
    observing(machine)
    machine.stockade("kill", "notes", "drop_a", check=0)
    listed, answered = use(machine, "notes", tools=("get_a", "put_a", "drop_a", "get_a"))
    assert listed == {"get_a", "put_a"} and answered == set(), answered
    assert [r["decision"] for r in machine.person.records() if r["event"] == "tool.call"] == ["allow", "deny", "deny", "deny"]


def test_question_check_ps_and_doctor_say_it_and_the_digest_covers_it(machine):  # noqa: F811
    managed(machine)
    machine.policy({})
    digests = [machine.told("notes")["digest"]]
    observing(machine)
    digests.append(machine.told("notes")["digest"])
    end = json.loads(open(f"{machine.etc}/policy.json", encoding="ascii").read())["observe_until"]
    line = f"this machine only observes until {end}"
    for words in (("check", "notes"), ("approve", "--print-digest", "notes")):
        r = machine.stockade(*words, check=0)
        told = " ".join((r.stdout + r.stderr).split())
        assert line in told and '/etc/stockade/policy.json:1 (mode "observe")' in told, told
        assert "*:80,443" in told and "which the profile denies" in told, told
    told = json.loads(machine.stockade("doctor", "--json").stdout)["checks"]
    found = next(c["found"] for c in told if c["name"] == "policy")
    assert f"until {end} what profiles deny of tools and hosts is only recorded" in found, found
    rows = []
    use(machine, "notes", tools=(), during=lambda: rows.extend(json.loads(machine.person.stockade("ps", "--json", check=0).stdout)))
    assert [r["observe_until"] for r in rows] == [end], rows
    observing(machine, days=8)
    digests.append(machine.told("notes")["digest"])
    assert len(set(digests)) == 3


def test_what_stands_on_a_command_line_alone_is_enforced(machine):  # noqa: F811
    observing(machine)
    assert "observes" not in machine.stockade("check", "--host", "api.example.com", "--", "/usr/bin/true", check=0).stdout


def test_once_its_time_has_passed_everything_is_enforced_and_check_says_so(machine):  # noqa: F811
    managed(machine, tools={"allow": ["get_*"]})
    machine.policy({})
    digest = machine.told("notes")["digest"]
    observing(machine, days=-1)
    assert use(machine, "notes") == ({"get_a"}, {"get_a"})
    told = machine.told("notes")
    assert told["digest"] == digest and "observes no longer" in json.dumps(told["lines"]), told
    assert "it observes no longer" in json.dumps(json.loads(machine.stockade("doctor", "--json").stdout))


def test_a_session_that_began_before_the_end_is_denied_after_it(machine):  # noqa: F811
    managed(machine, tools={"allow": ["get_*"], "rate": "6000/min"})
    # Long enough for any machine to start it; how long it took is not what is asked.
    observing(machine, days=25 / 86400)
    wire = machine.start("notes")

    def denied():
        return "denied" in json.dumps(wire.request("tools/call", {"name": "put_a", "arguments": {}}))
    assert {t["name"] for t in wire.request("tools/list", {})["result"]["tools"]} == {"get_a", "put_a", "drop_a"}
    until(denied, 60)
    # Some tools were shown for no other reason, and the client hears once that they are gone.

    def heard():
        denied()
        return sum(json.loads(line).get("method") == "notifications/tools/list_changed" for line in wire.seen)
    assert until(heard, 60)
    assert {t["name"] for t in wire.request("tools/list", {})["result"]["tools"]} == {"get_a"}
    assert heard() == 1
    wire.end()
    assert [r["decision"] for r in machine.person.records() if r["event"] == "tool.call"][-1] == "deny"


@pytest.mark.parametrize("members, words", [
    ({"mode": "observe"}, 'needs "observe_until"'), ({"mode": "observe", "observe_until": moment(91)}, "more than 90 days away"),
    ({"mode": "observe", "observe_until": "soon"}, "must be a date or a UTC time"), ({"mode": "watch"}, "mode"),
])
def test_observing_without_an_end_that_is_near_denies_every_launch(machine, members, words):  # noqa: F811
    machine.policy(members)
    r = machine.stockade("run", "--", "/usr/bin/true")
    assert r.returncode == 125 and words in r.stderr and "nothing is started" in r.stderr, r.stderr


def test_a_clock_that_cannot_be_right_observes_nothing(machine):  # noqa: F811
    managed(machine)
    observing(machine)
    ahead = time.time() + 3600
    os.utime(f"{machine.etc}/policy.json", (ahead, ahead))
    r = machine.stockade("run", "notes")
    assert r.returncode == 125 and "how long this machine only observes hangs on the time" in r.stderr, r.stderr


def test_no_file_and_no_variable_of_the_users_makes_a_machine_observe(machine):  # noqa: F811
    managed(machine, tools={"allow": ["get_*"]})
    machine.policy({})
    person = machine.person
    person.env.update(XDG_CONFIG_HOME=f"{person.home}/.config", STOCKADE_MODE="observe", STOCKADE_POLICY=f"{person.work}/policy.json")
    for path in (f"{person.home}/.config/stockade/policy.json", f"{person.work}/policy.json"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            json.dump({"stockade": 1, "mode": "observe", "observe_until": moment(7)}, f)
    assert use(machine, "notes") == ({"get_a"}, {"get_a"})
    path = person.profile("mine", {"stockade": 1, "name": "mine", "command": ["/usr/bin/true"], "mode": "observe"})
    assert machine.stockade("check", path).returncode == 125
