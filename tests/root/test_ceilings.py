# SPDX-License-Identifier: Apache-2.0
"""What a policy grants bounds every launch of its machine: files, hosts, variables, tools, and whose servers are whose.

Profiles of root's and the policy lie over /etc/stockade in a mount namespace of the test's own (test_policy.py).
"""
import json
import os

import pytest
from integration.harness import Wire
from root.test_policy import machine  # noqa: F401 pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

SERVER = """
import json, os, sys
for line in sys.stdin:
    m = json.loads(line)
    def seen(path):
        try:
            os.listdir(path)
        except OSError:
            return False
        return True
    answer = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "n", "version": "1"}},
              "tools/list": {"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in ("get_a", "put_a", "drop_a")]},
              "tools/call": {"content": [{"type": "text", "text": json.dumps({"token": bool(os.environ.get("API_TOKEN")),
                  "seen": [p for p in sys.argv[1:] if seen(p)], "written": [p for p in sys.argv[1:] if os.access(p, os.W_OK)]})}]}}.get(m.get("method"))
    if answer:
        print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": answer}), flush=True)
"""


def managed(machine, name="notes", **members):
    """A profile of root's, which may read one and two, write three, and have one variable."""
    os.makedirs(f"{machine.etc}/profiles", mode=0o755, exist_ok=True)
    work = machine.person.work
    dirs = [f"{work}/{d}" for d in ("one", "two", "three")]
    for d in dirs:
        os.makedirs(d, exist_ok=True)
        os.chmod(d, 0o777)
    profile = {"stockade": 1, "name": name, "version": 2, "command": ["/usr/bin/python3", "-c", SERVER, *dirs],
               "filesystem": {"read": dirs[:2], "write": dirs[2:]}, "env": {"pass": ["API_TOKEN"]},
               "network": {"allow": ["*.example.com:443"]}, "tools": {"allow": ["get_*", "put_*"]}, **members}
    path = f"{machine.etc}/profiles/{name}.json"
    with open(path, "w", encoding="utf-8") as f:
        json.dump(profile, f)
    os.chmod(path, 0o644)
    machine.person.env["API_TOKEN"] = "t0ken-of-a-test"
    return dirs


def look(machine, *words):
    """What the server finds, and which of its tools can be called."""
    wire = machine.start(*words)
    tools = {t["name"] for t in wire.request("tools/list", {})["result"]["tools"]}
    result = wire.request("tools/call", {"name": "get_a", "arguments": {}})
    refused = wire.request("tools/call", {"name": "put_a", "arguments": {}})
    wire.end()
    found = json.loads(result["result"]["content"][0]["text"]) if "result" in result and not result["result"].get("isError") else None
    return found, tools, "policy.json" in json.dumps(refused)


def cut(machine, *words):
    return {line["text"]: line["where"] for line in machine.told(*words)["lines"] if line["kind"] == "cut"}


def test_a_server_has_what_policy_and_profile_grant_and_a_line_for_what_they_do_not(machine):
    dirs = managed(machine)
    machine.policy({})
    found, tools, by_policy = look(machine, "notes")  # the control
    assert set(found["seen"]) == set(dirs) and found["written"] == dirs[2:] and found["token"]
    assert tools == {"get_a", "put_a"} and not by_policy
    assert not cut(machine, "notes")
    machine.policy({"filesystem": {"read": [dirs[0]], "write": []}, "env": {"pass": []}, "tools": {"deny": ["put_*"]},
                    "network": {"allow": ["api.example.com:443"]}})
    found, tools, by_policy = look(machine, "notes")
    assert found == {"token": False, "seen": [dirs[0]], "written": []}
    assert tools == {"get_a"} and by_policy
    lines = cut(machine, "notes")
    assert all("/etc/stockade/policy.json:1 (" in where for where in lines.values()), lines
    for words in (f"{dirs[1]} for reading", f"{dirs[2]} for writing", "API_TOKEN", "*.example.com:443"):
        assert any(words in text for text in lines), (words, lines)
    told = json.dumps(machine.told("notes")["lines"])
    assert "api.example.com:443" in told and "cut by /etc/stockade/policy.json:1 (network.allow" in told, told


def test_a_command_line_chooses_from_a_profile_of_roots_and_adds_nothing(machine):
    dirs = managed(machine)
    machine.policy({})
    found, _, _ = look(machine, "--profile", "/etc/stockade/profiles/notes.json", "--ro", dirs[2])
    assert found["seen"] == [dirs[2]] and not found["written"]
    for words, why in ((["--rw", dirs[0]], "grants no writing there"), (["--ro", "/srv"], "grants nothing there"),
                       (["--host", "evil.example:443"], "does not grant it"), (["--env", "HOME2"], "does not pass that variable"),
                       (["--setenv", "A=1"], "have its own values"), (["--cwd", dirs[0]], "is its own")):
        r = machine.stockade("check", "--profile", "/etc/stockade/profiles/notes.json", *words)
        assert r.returncode == 125 and why in r.stderr and "cannot widen it" in r.stderr, r.stderr


@pytest.mark.parametrize("policy, words, why", [
    ({"profiles": {"unprofiled": "deny"}}, ["--", "/usr/bin/true"], "(profiles.unprofiled)"),
    ({"profiles": {"user": "deny"}}, ["mine"], "(profiles.user)"),
    ({"servers": {"deny": ["notes"]}}, ["notes"], "servers.deny"),
    ({"servers": {"allow": [{"name": "notes", "versions": "3.."}]}}, ["notes"], "its profile is version 2"),
    ({"packages": {"allow": ["npm:*"]}}, ["notes"], "(packages.allow)"),
    ({"groups": {"nogroup": {"servers": ["notes"]}}}, ["notes"], "you are in none of them"),
])
def test_a_server_that_the_policy_does_not_allow_is_not_started_and_the_words_name_the_rule(machine, policy, words, why):
    managed(machine)
    machine.person.profile("mine", {"stockade": 1, "name": "mine", "command": ["/usr/bin/true"]})
    machine.policy({})
    machine.stockade("check", *words, check=0)  # the control
    machine.policy(policy)
    for command in ("run", "check"):
        r = machine.stockade(command, *words)
        assert r.returncode == 125 and why in r.stderr and "/etc/stockade/policy.json:1 (" in r.stderr, r.stderr


def test_a_members_tools_are_those_of_the_group(machine):
    managed(machine)
    machine.policy({"groups": {"root": {"servers": ["notes"], "tools": ["get_*"]}, "nogroup": {"servers": ["notes"], "tools": ["*"]}}})
    found, tools, by_policy = look(machine, "notes")
    assert found and tools == {"get_a"} and by_policy


def test_check_names_the_profile_the_policy_the_group_or_the_default_for_each_line(machine):
    managed(machine, limits={"files": 99, "processes": 40}, filesystem={"home": "private", "read": [machine.person.work]}, cwd=machine.person.work)
    machine.policy({"filesystem": {"home": "empty"}, "limits": {"processes": 9}, "tools": {"deny": ["put_*"]},
                    "groups": {"root": {"servers": ["notes"], "tools": ["get_*"]}}})
    profile, policy = "/etc/stockade/profiles/notes.json:1", "/etc/stockade/policy.json:1"
    places = {(line["kind"], line["text"]): line.get("where") for line in machine.told("notes")["lines"]}
    assert all(places.values()), [line for line, where in places.items() if not where]
    assert {line: where for line, where in places.items() if line[0] in ("home", "tmp", "seccomp", "cwd", "audit", "prompts")} == {
        ("home", "empty, forgotten at the end"): f"{profile} (filesystem.home), cut by {policy} (filesystem.home)",
        ("tmp", "256 MiB of /tmp"): "the default (filesystem.tmp)", ("seccomp", "default"): "the default (seccomp)",
        ("cwd", machine.person.work): f"{profile} (cwd)", ("audit", "arguments of calls: names only"): "the default (audit.arguments)",
        ("prompts", "all that the server offers"): "the default (prompts.allow)"}
    assert places["limit", "9 processes and threads, 99 open files, 8 MiB a message"] == \
        f"{profile} (limits.processes), cut by {policy} (limits.processes); {profile} (limits.files); the default (limits.message)"
    assert places["tools", "policy: deny put_*"] == f'{policy} (tools.deny "put_*")'
    assert places["tools", "policy: allow get_*"] == f"{policy} (groups.root)"
    printed = machine.stockade("check", "notes", check=0).stdout
    page = " ".join(printed.split())
    for words in ("empty, forgotten at the end (line 1 (filesystem.home), cut by /etc/stockade/policy.json:1 (filesystem.home))",
                  "256 MiB of /tmp (the default: filesystem.tmp)", f"{machine.person.work} (line 1)", "policy: allow get_*",
                  f"({policy} (groups.root))", "arguments of calls: names only (the default: audit.arguments)",
                  "(line 1 (limits.processes), cut by /etc/stockade/policy.json:1 (limits.processes); line 1 (limits.files); the default (limits.message))"):
        assert words in page, (words, printed)
    asked = machine.stockade("approve", "--print-digest", "notes", check=0).stderr
    assert "256 MiB of /tmp\n" in asked and "(filesystem.home), cut by" not in asked, asked


def test_a_users_profile_of_the_same_name_and_another_home_change_nothing(machine):
    dirs = managed(machine, filesystem={"read": ["?~/of-a-test"]})
    os.mkdir(f"{machine.person.home}/of-a-test")

    def reads():
        return [line["text"] for line in machine.told("notes")["lines"] if line["kind"] == "read"]
    assert reads() == [f"{machine.person.home}/of-a-test"]  # the control: HOME says where it is, without a policy
    machine.policy({})
    assert reads() == []
    digest = machine.told("notes")["digest"]
    machine.person.profile("notes", {"stockade": 1, "name": "notes", "command": ["/usr/bin/true"], "filesystem": {"write": [dirs[0]]}})
    assert machine.told("notes")["digest"] == digest


def test_an_approval_through_a_channel_that_does_not_count_starts_nothing(machine):
    managed(machine)
    machine.policy({})
    look(machine, "notes")  # the control: approved, by its digest
    machine.policy({"consent": {"channels": ["terminal", "approve"]}})
    digest = machine.told("notes")["digest"]
    r = machine.stockade("approve", "--digest", digest, "notes")
    assert r.returncode == 125 and "(consent.channels)" in r.stderr and 'through "digest" does not count' in r.stderr, r.stderr
    wire = Wire(machine.under("run", "notes"), env=machine.person.env, cwd=machine.person.work)
    wire.initialize()
    assert wire.request("tools/list", {})["result"]["tools"] == []  # it waits, though the same plan was approved
    wire.end()
    told = machine.told("notes")
    assert told["approval"] is None and "only when it came through terminal or approve" in json.dumps(told["lines"])


def test_a_layer_that_this_kernel_lacks_keeps_everything_from_being_started(machine):
    machine.policy({"layers": ["landlock:1", "seccomp"]})
    machine.stockade("check", "--", "/usr/bin/true", check=0)  # the control
