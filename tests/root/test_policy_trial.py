# SPDX-License-Identifier: Apache-2.0
"""What `stockade policy test` tells of observing, and of whose word starts a server, is what then happens."""
import os

import pytest
from integration.harness import Wire
from integration.policy_told import SERVER, connection, log_of, new_policy, record, told_of
from root.test_ceilings import managed
from root.test_consent_by import fleet  # noqa: F401 pylint: disable=unused-import
from root.test_observe import moment, use
from root.test_policy import machine  # noqa: F401 pylint: disable=unused-import
from root.test_signatures import put

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

SIGNED = {"signatures": {"need": 1, "of": ["release", "security"]}}
TOOLS = {"tools": {"allow": ["get_*", "put_*"], "deny": ["put_*"]}}


def observing(days=7, **more):
    return {"mode": "observe", "observe_until": moment(days), **more}


def look(machine, policy, *words):  # noqa: F811 pylint: disable=redefined-outer-name
    return told_of(machine.stockade, machine.person, policy, *words)


def changes(server):
    return {c["what"]: ("recorded" if c["recorded"] else "worse" if c["worse"] else "better", c["rule"]) for c in server["changes"]}


def test_observing_that_begins_is_told_with_what_it_lets_through_and_every_approval_asks_anew(machine):  # noqa: F811
    managed(machine, **TOOLS)
    machine.policy({})
    use(machine, "notes", tools=("get_a",))
    policy = observing()
    end, new = policy["observe_until"], new_policy(machine.person)
    told, notes = look(machine, policy)
    assert changes(notes) == {
        f"what the profile denies of tools and hosts: let through, and only recorded, until {end}": ("recorded", f'{new}:1 (mode "observe")'),
        f"the tool put_*: let through, and only recorded, until {end}": ("recorded", '/etc/stockade/profiles/notes.json:1 (tools.deny "put_*")'),
        f"every other tool: let through, and only recorded, until {end}": ("recorded", "/etc/stockade/profiles/notes.json:1 (tools.allow)"),
        f"connecting to *:80,443: let through, and only recorded, until {end}": ("recorded", None)}, notes
    assert [(a["outcome"], a["rule"]) for a in told["approvals"]] == [("asks", f'{new}:1 (mode "observe")')], told
    assert any(f"until {end} what profiles deny" in n for n in told["notes"]), told["notes"]
    # What the policy itself denies it does not let through.
    told, notes = look(machine, {**policy, "tools": {"deny": ["put_*"]}, "network": {"allow": ["*.example.com:443"]}})
    assert not any("put_*" in what or "connecting" in what for what in changes(notes)), notes
    # In force it changes nothing more, and prolonged it is told.
    machine.policy(policy)
    assert look(machine, policy)[1]["changes"] == []
    later = observing(days=8)
    assert list(changes(look(machine, later)[1])) == [
        f"what the profile denies of tools and hosts, only recorded until {end}: until {later['observe_until']}"]


def test_calls_of_the_log_that_were_denied_are_told_to_be_only_recorded_and_then_are(machine):  # noqa: F811
    managed(machine, **TOOLS)
    machine.policy({})
    assert use(machine, "notes")[1] == {"get_a"}
    told, _ = look(machine, observing(), "--against-log")
    assert told["log"]["denied"] == [] and told["log"]["asked"] == 2, told["log"]
    assert [(r["kind"], r["what"], r["now"], r["count"], r["rule"]) for r in told["log"]["recorded"]] == [
        ("call", "drop_a", "denied", 1, "/etc/stockade/profiles/notes.json:1 (tools.allow)"),
        ("call", "put_a", "denied", 1, '/etc/stockade/profiles/notes.json:1 (tools.deny "put_*")')], told["log"]
    out = machine.stockade("policy", "test", "--against-log", new_policy(machine.person), check=1).stdout
    assert "~ call put_a: 1 time, last 20" in out and ", now denied" in out, out
    machine.policy(observing())
    assert use(machine, "notes")[1] == {"get_a", "put_a", "drop_a"}


def test_calls_that_pass_for_no_other_reason_than_to_be_recorded_are_told_to_be_denied_once_it_is_enforced(machine):  # noqa: F811
    managed(machine, **TOOLS)
    policy = observing()
    machine.policy(policy)
    use(machine, "notes", tools=("get_a", "put_a", "put_a"))
    told, notes = look(machine, {})
    assert any("observing would end: --against-log tells" in n for n in told["notes"]), told["notes"]
    assert changes(notes)["the tool put_*, only recorded now: denied"][0] == "recorded", notes
    told, _ = look(machine, {}, "--against-log")
    assert [(r["kind"], r["what"], r["count"]) for r in told["log"]["denied"]] == [("call", "put_a", 2)] and told["worse"], told
    assert told["log"]["recorded"] == []
    told, _ = look(machine, policy, "--against-log")
    assert not told["worse"] and [(r["what"], r["now"], r["count"]) for r in told["log"]["recorded"]] == [("put_a", "recorded", 2)], told


def test_connections_of_the_log_are_judged_by_what_would_be_observed(machine):  # noqa: F811
    managed(machine)
    machine.policy({})
    directory = log_of(machine.person, [connection(server="notes", name="a.example.com", port=443, address="93.184.215.14"),
                                        connection(server="notes", decision="deny", name="else.example", port=443),
                                        connection(server="notes", decision="deny", name="else.example", port=8443),
                                        connection(server="notes", decision="would deny", name="inside.example", port=443, address="10.0.0.1"),
                                        connection(server="notes", decision="would deny", name="late.example", port=443),
                                        record(event="tool.call", source="shim", server="gone", version="1", tool="x", decision="deny")])
    told, _ = look(machine, observing(), "--against-log", "--dir", directory)
    assert {(r["what"], r["now"]) for r in told["log"]["recorded"]} == {("else.example:443", "denied"), ("late.example:443", "denied")}, told["log"]
    assert told["log"]["denied"] == [] and told["log"]["asked"] == 3 and told["log"]["unjudged"] == 0, told["log"]
    machine.policy(observing())
    told, _ = look(machine, {}, "--against-log", "--dir", directory)
    assert [(r["what"], r["rule"]) for r in told["log"]["denied"]] == [("late.example:443", "/etc/stockade/profiles/notes.json (network.allow)")], told["log"]


def test_a_roll_out_is_held_up_by_recorded_calls_alone(fleet):  # noqa: F811
    """Observe, test against the log, enforce: where the policy approves, nothing but what would be denied is worse."""
    fleet.profile("release", command=["/usr/bin/python3", "-I", "-c", SERVER], tools={"allow": ["get_*"]})
    fleet.by("granted", **observing())

    def used(tool):
        wire = Wire(fleet.words("run", "notes"), env=fleet.env, cwd=fleet.person.work)
        wire.initialize()
        assert "result" in wire.request("tools/call", {"name": tool, "arguments": {}})
        assert wire.end() == 0

    enforced = {"consent": {"by": "granted"}, **SIGNED}
    used("get_a")
    told, notes = told_of(fleet.user, fleet.person, enforced, "--against-log")
    assert not told["worse"] and (notes["answers_now"], notes["answers"]) == ("policy", "policy"), told
    assert {a["outcome"] for a in told["approvals"]} == {"stands"}, told["approvals"]
    used("put_a")
    told, _ = told_of(fleet.user, fleet.person, enforced, "--against-log")
    assert told["worse"] and [r["what"] for r in told["log"]["denied"]] == ["put_a"], told


@pytest.mark.parametrize("now, then, change, outcome", [
    ("granted", "ask", ("its user is asked: what approved it does not count any more", "worse"), "asks"),
    ("ask", "granted", ("nobody is asked: the policy approves it", "better"), "stands"),
    ("granted", "admin", None, "stands"),
    ("admin", "granted", None, "stands")])
def test_whose_word_starts_a_signed_server_is_told_before_and_after(fleet, now, then, change, outcome):  # noqa: F811
    fleet.profile("release")
    fleet.by(now)
    if now == "ask":
        fleet.user("approve", "--digest", fleet.digest(), "notes", check=0)
    fleet.user("run", "notes", check=0)
    told, notes = told_of(fleet.user, fleet.person, {"consent": {"by": then}, **SIGNED})
    assert [a["outcome"] for a in told["approvals"]] == [outcome], told["approvals"]
    assert {what: how for what, (how, _) in changes(notes).items()} == (dict([change]) if change else {}), notes
    fleet.by(then)
    assert (fleet.user("run", "notes").returncode == 0) == (outcome == "stands")


def test_where_only_root_would_approve_answers_of_users_are_told_to_be_refused_and_roots_to_stand(fleet):  # noqa: F811
    fleet.profile()
    fleet.by("ask", signatures=False)
    fleet.user("approve", "--digest", fleet.digest(), "notes", check=0)
    fleet.user("run", "notes", check=0)
    admin, new = {"consent": {"by": "admin"}}, new_policy(fleet.person)
    told, notes = told_of(fleet.user, fleet.person, admin, "--against-log")
    approval, rule = told["approvals"][0], f'{new}:1 (consent.by "admin")'
    assert (approval["outcome"], approval["rule"]) == ("refused", rule) and "only who manages it approves servers" in approval["why"], told
    assert changes(notes) == {"nobody is asked, and who manages this machine has not approved it": ("worse", rule)}, notes
    assert [(r["kind"], r["rule"]) for r in told["log"]["denied"]] == [("launch", rule)], told["log"]
    put(f"{fleet.etc}/approvals/{fleet.digest()}.json", {"stockade": 1, "digest": fleet.digest(), "who": "it", "when": "2026-10-01T00:00:00Z"})
    told, notes = told_of(fleet.user, fleet.person, admin, "--against-log")
    assert not told["worse"] and [a["outcome"] for a in told["approvals"]] == ["stands"] and notes["answers"] == "admin", told
    fleet.by("admin", signatures=False)
    fleet.user("run", "notes", check=0)
    # Observing gives each plan another digest, which root has not approved.
    told, notes = told_of(fleet.user, fleet.person, {**admin, **observing()})
    assert told["worse"] and (notes["answers_now"], notes["answers"]) == ("admin", "refused"), told
    assert any("another digest, which root has to approve anew" in n for n in told["notes"]), told["notes"]
    fleet.by("admin", signatures=False, **observing())
    assert fleet.user("run", "notes").returncode == 125


def test_an_approval_with_parameters_is_judged_by_whose_word_counts(fleet):  # noqa: F811
    work = f"{fleet.person.work}/one"
    os.mkdir(work, 0o755)
    fleet.profile("release", parameters={"dir": {"type": "directory"}}, filesystem={"read": ["${dir}"]})
    words = ("--set", f"dir={work}", "notes")
    fleet.by("granted")
    fleet.user("run", *words, check=0)

    def outcome(by):
        return [a["outcome"] for a in told_of(fleet.user, fleet.person, {"consent": {"by": by}, **SIGNED})[0]["approvals"]]
    assert [outcome(by) for by in ("granted", "admin", "ask")] == [["stands"], ["stands"], ["asks"]]
    fleet.by("ask")
    fleet.user("approve", "--digest", fleet.digest(*words), *words, check=0)
    assert [outcome(by) for by in ("granted", "admin", "ask")] == [["stands"], ["refused"], ["stands"]]
