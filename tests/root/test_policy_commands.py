# SPDX-License-Identifier: Apache-2.0
"""What `stockade policy test` tells of a policy is what the machine does once that policy is in force."""
import json
import os

import pytest
from integration.policy_told import new_policy, told_of
from root.test_ceilings import managed
from root.test_policy import machine  # noqa: F401 pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]


def test_show_prints_each_rule_of_the_policy_in_force_with_its_line(machine):
    machine.policy('{"stockade": 1,\n "tools": {"deny": ["a",\n   "b"]},\n "filesystem": {"write": []}}')
    out = machine.stockade("policy", "show", check=0).stdout
    policy = "/etc/stockade/policy.json"
    assert out.splitlines() == [f"{policy}:1  stockade 1", f'{policy}:2  tools.deny "a"', f'{policy}:3  tools.deny "b"', f"{policy}:4  filesystem.write []"]
    assert json.loads(machine.stockade("policy", "show", "--json", check=0).stdout)["file"] == policy
    machine.policy("{")
    assert "nothing is started" in machine.stockade("policy", "show", check=125).stderr


def test_a_policy_is_held_against_the_one_in_force_in_both_directions(machine):
    dirs = managed(machine)
    machine.policy({"filesystem": {"read": dirs[:1], "write": dirs[2:]}, "env": {"pass": []}, "tools": {"deny": ["put_*"]}, "limits": {"processes": 40}})
    told, notes = told_of(machine.stockade, machine.person, {"filesystem": {"read": dirs, "write": dirs[:1]}, "limits": {"processes": 50}})
    changes = {(c["worse"], c["what"]) for c in notes["changes"]}
    assert {(True, f"writing {dirs[2]}: no more"), (False, f"reading {dirs[1]}"), (False, "passing the variable API_TOKEN"),
            (False, "the tool put_*"), (False, "40 processes and threads: 50")} <= changes, changes
    assert told["policy"] == "/etc/stockade/policy.json"
    told, notes = told_of(machine.stockade, machine.person, {})
    assert not told["worse"] and notes["changes"] and not any(c["worse"] for c in notes["changes"]), told


@pytest.mark.parametrize("policy", [
    {"tools": {"deny": ["put_*"]}}, {"env": {"pass": []}}, {"network": {"allow": []}}, {"servers": {"deny": ["notes"]}},
    {"servers": {"allow": [{"name": "notes", "versions": "3.."}]}}, {"groups": {"root": {"servers": ["notes"], "tools": ["get_*"]}}}, {"limits": {"files": 4096}}])
def test_what_was_told_is_what_happens_when_it_is_in_force(machine, policy):
    managed(machine)
    machine.policy({})
    machine.approve("notes")
    told, notes = told_of(machine.stockade, machine.person, policy)
    approval = told["approvals"][0]
    machine.policy(policy)
    r = machine.stockade("check", "--json", "notes")
    assert (r.returncode != 0) == bool(notes["refused"]) == (approval["outcome"] == "refused"), f"{r.stderr}\n{told}"
    if r.returncode == 0:
        assert (json.loads(r.stdout)["approval"] is not None) == (approval["outcome"] == "stands"), told
    # The same file, in force: nothing changes any more.
    told, notes = told_of(machine.stockade, machine.person, policy)
    assert not told["worse"] and notes["changes"] == []


def test_no_variable_of_a_user_names_another_policy_to_a_launch(machine):
    managed(machine)
    machine.policy({"servers": {"deny": ["notes"]}})
    other = new_policy(machine.person)
    with open(other, "w", encoding="utf-8") as f:
        f.write('{"stockade": 1}')
    for name in ("STOCKADE_POLICY", "STOCKADE_POLICY_FILE", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME"):
        machine.person.env[name] = other if name.startswith("STOCKADE") else os.path.dirname(other)
    assert "policy denies this server" in machine.stockade("check", "notes", check=125).stderr
