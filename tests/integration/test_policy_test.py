# SPDX-License-Identifier: Apache-2.0
"""`stockade policy test`: what a policy would change is told before it is installed, and told by the code of a launch.

Nothing here is in force: each test looks at a file of its own. That a machine's policy then does what was told is
tests/root/test_policy_commands.py.
"""
import json
import os
import pty
import resource
import shutil
import subprocess

import pytest
from harness import STOCKADE, Wire
from integration.policy_told import SERVER, changes_of, connection, log_of, new_policy, record, tell

pytestmark = pytest.mark.root

COMMAND = ["/usr/bin/python3", "-c", SERVER]


class Looked:
    """What is told of one policy, by server."""

    def __init__(self, person, policy, *words, check=None):
        self.told = tell(person.stockade, person, policy, *words)
        assert check is None or self.told["worse"] == bool(check), self.told
        self.path = new_policy(person)

    def changes(self, server):
        return [(c["worse"], c["what"]) for c in changes_of(self.told, server)]

    def rules(self, server):
        return {c["what"]: c["rule"] for c in changes_of(self.told, server)}

    def outcomes(self):
        return {a["server"]: a["outcome"] for a in self.told["approvals"]}

    def denied(self):
        return {(d["kind"], d["what"]): d["count"] for d in self.told["log"]["denied"]}


def run(person, *words, calls=("get_a", "put_a", "put_a")):
    w = Wire([STOCKADE, "run", *words], env=person.env, cwd=person.work)
    w.initialize()
    for tool in calls:
        assert "result" in w.request("tools/call", {"name": tool, "arguments": {}})
    assert w.end() == 0


@pytest.fixture
def used(person):
    """Three servers that were approved and used: a profile, one with a parameter, and a command without one."""
    for d in ("docs", "notes"):
        os.mkdir(f"{person.work}/{d}")
        os.chmod(f"{person.work}/{d}", 0o755)
    person.profile("fixed", {"stockade": 1, "name": "fixed", "version": 1, "command": COMMAND, "tools": {"allow": ["get_*", "put_a"]},
                             "filesystem": {"read": [f"{person.work}/docs"]}, "network": {"allow": ["*.example.com:443,8443"]}})
    person.profile("chosen", {"stockade": 1, "name": "chosen", "version": 1, "command": COMMAND, "filesystem": {"read": ["${dir}"]},
                              "parameters": {"dir": {"type": "directory"}}})
    person.bare = ["--ro", f"{person.work}/notes", "--", *COMMAND]
    for words in (["fixed"], ["--set", f"dir={person.work}/notes", "chosen"], person.bare):
        person.approve(*words)
        run(person, *words)
    return person


def test_a_policy_that_takes_nothing_away_changes_nothing(used):
    looked = Looked(used, {"description": "bounds nothing", "limits": {"files": 1048576}}, "--against-log", check=0)
    assert set(looked.outcomes().values()) == {"stands"} and len(looked.outcomes()) == 3, looked.told
    assert all(not s["changes"] and s["refused"] is None for s in looked.told["servers"] if s["refused_now"] is None)
    assert looked.denied() == {} and looked.told["log"]["asked"] == 12 and looked.told["log"]["sessions"] == 3


def bare_name(looked):
    return next(a["server"] for a in looked.told["approvals"] if a["server"] not in ("fixed", "chosen"))


def test_each_server_is_told_what_it_loses_and_by_which_rule(used):
    looked = Looked(used, {"filesystem": {"read": [f"{used.work}/notes"]}, "network": {"allow": ["*.example.com:443"]}, "tools": {"deny": ["put_a"]}})
    assert looked.changes("fixed") == [(True, f"reading {used.work}/docs: no more"),
                                       (True, "connecting to *.example.com:443,8443: only *.example.com:443"), (True, "the tool put_a: no more")]
    assert list(looked.rules("fixed").values()) == [
        f"{looked.path}:1 (filesystem.read)", f"{looked.path}:1 (network.allow)", f'{looked.path}:1 (tools.deny "put_a")']
    assert (True, "the tool put_a: no more") in looked.changes("chosen")
    assert set(looked.outcomes().values()) == {"asks"}


def test_what_a_switch_of_the_policy_takes_is_told_with_its_rule(used):
    os.chmod(f"{used.work}/docs", 0o777)  # servers that root starts are somebody else's
    used.profile("fixed", {"stockade": 1, "name": "fixed", "version": 1, "command": COMMAND, "tools": {"text": "pass"},
                           "filesystem": {"write": [f"{used.work}/docs"], "protect": "none"},
                           "network": {"allow": [{"host": "api.example.com", "ports": [443], "sni": False}]}})
    looked = Looked(used, {"filesystem": {"protect": "default"}, "network": {"sni": True}, "tools": {"text": "neutralise"}})
    assert looked.rules("fixed") == {
        "another name in TLS than api.example.com:443: no more": f"{looked.path}:1 (network.sni)",
        "writing what the user's own tools execute: no more": f"{looked.path}:1 (filesystem.protect)",
        "escape sequences and invisible characters in what it says: no more": f"{looked.path}:1 (tools.text)"}


def test_an_approval_of_a_parameter_is_judged_by_the_directory_that_was_approved(used):
    assert Looked(used, {"filesystem": {"read": [f"{used.work}/notes", f"{used.work}/docs"]}}).outcomes()["chosen"] == "stands"
    looked = Looked(used, {"filesystem": {"read": [f"{used.work}/docs"]}})
    assert looked.outcomes() == {"fixed": "stands", "chosen": "asks", bare_name(looked): "asks"}
    why = {a["server"]: (a["why"], a["rule"]) for a in looked.told["approvals"]}
    assert why["chosen"] == (f"reading {used.work}/notes: no more", f"{looked.path}:1 (filesystem.read)")


@pytest.mark.parametrize("policy,refused", [
    ({"profiles": {"unprofiled": "deny"}}, {"bare"}), ({"profiles": {"user": "deny"}}, {"fixed", "chosen"}),
    ({"servers": {"deny": ["fixed"]}}, {"fixed"}), ({"servers": {"allow": ["fixed"]}}, {"fixed", "chosen", "bare"})])
def test_what_would_be_refused_is_told_of_profiles_approvals_and_launches(used, policy, refused):
    looked = Looked(used, policy, "--against-log", check=1)
    bare = bare_name(looked)
    assert {("bare" if s == bare else s) for s, o in looked.outcomes().items() if o == "refused"} == refused
    assert {s["server"] for s in looked.told["servers"] if s["refused"] and not s["refused_now"] and s["server"] in ("fixed", "chosen")} == refused - {"bare"}
    rows = looked.told["log"]["denied"]
    assert {("bare" if d["server"] == bare else d["server"]) for d in rows} == refused and {d["what"] for d in rows} == {"every launch"}
    assert all(d["rule"].startswith(f"{looked.path}:1 (") for d in rows), rows


def test_a_channel_that_counts_no_more_makes_approvals_ask_anew(used):
    looked = Looked(used, {"consent": {"channels": ["terminal"]}}, check=1)
    assert set(looked.outcomes().values()) == {"asks"}
    assert all(a["rule"] == f"{looked.path}:1 (consent.channels)" for a in looked.told["approvals"]), looked.told


def test_recorded_calls_that_would_be_denied_are_counted_with_the_rule_and_the_last_time(used):
    looked = Looked(used, {"tools": {"deny": ["put_*"]}}, "--against-log", check=1)
    rows = looked.told["log"]["denied"]
    assert [(d["kind"], d["what"], d["count"]) for d in rows] == [("call", "put_a", 2)] * 3
    assert {d["rule"] for d in rows} == {f'{looked.path}:1 (tools.deny "put_*")'}
    newest = max(r["ts"] for r in used.records() if r["event"] == "tool.call")
    assert max(d["last"] for d in rows)[:19] == newest[:19]


def test_a_client_that_may_start_nothing_is_known_from_its_recorded_launches(used):
    me = next(r["detail"]["client"] for r in used.records() if r["event"] == "session.open")
    looked = Looked(used, {"clients": {"deny": [{"path": me.get("script", me["path"])}]}}, "--against-log", check=1)
    assert len(looked.denied()) == 1 and [d["kind"] for d in looked.told["log"]["denied"]] == ["launch"] * 3, looked.told
    assert Looked(used, {"clients": {"deny": [{"path": "/nowhere/*"}]}}, "--against-log", check=0).denied() == {}


def test_what_is_already_asked_about_or_refused_is_no_change(used):
    used.profile("fixed", {"stockade": 1, "name": "fixed", "version": 2, "command": ["/nonexistent/program"]})
    os.rename(f"{used.work}/notes", f"{used.work}/gone")
    looked = Looked(used, {"servers": {"deny": ["fixed"]}, "profiles": {"unprofiled": "deny"}}, "--against-log")
    assert looked.outcomes()["fixed"] == "refused already" and looked.outcomes()[bare_name(looked)] == "refused already"
    assert "fixed" not in {d["server"] for d in looked.told["log"]["denied"]}


def copy_of_log(person):
    directory = f"{person.base}/copy"
    shutil.copytree(f"{person.home}/.local/state/stockade/audit", directory)
    return directory


def test_damaged_lines_are_counted_and_believed_by_nobody(used):
    directory = copy_of_log(used)
    policy = {"tools": {"deny": ["put_*"]}}
    assert sum(Looked(used, policy, "--against-log", "--dir", directory).denied().values()) > 0
    n = 0
    for name in os.listdir(directory):
        with open(f"{directory}/{name}", "rb") as f:
            lines = f.read().splitlines(keepends=True)
        for i, line in enumerate(lines):
            if b'"tool":"put_a"' in line:
                lines[i], n = line.replace(b'"seq":', b'"seq":1', 1), n + 1
        os.chmod(f"{directory}/{name}", 0o600)
        with open(f"{directory}/{name}", "wb") as f:
            f.writelines(lines)
    log = Looked(used, policy, "--against-log", "--dir", directory, check=None).told["log"]
    assert n >= 6 and log["damaged"] == n and log["denied"] == [] and ".jsonl:" in log["damaged_at"]


def test_recorded_connections_are_held_against_the_hosts_and_networks_of_the_policy(used):
    directory = log_of(used, [connection(name="a.example.com", port=443, address="93.184.215.14"), connection(name="a.example.com", port=8443),
                              connection(name="b.example.com", port=8443, decision="deny"), connection(name="elsewhere.example", port=443),
                              connection(server="forgotten", name="a.example.com", port=8443)])
    looked = Looked(used, {"network": {"allow": ["*.example.com:443"]}}, "--against-log", "--dir", directory)
    assert looked.denied() == {("connection", "a.example.com:8443"): 1}
    assert looked.told["log"]["denied"][0]["rule"] == f"{looked.path}:1 (network.allow)" and looked.told["log"]["unjudged"] == 1


def test_a_server_that_only_the_log_knows_is_held_against_what_the_policy_says_of_any(used):
    directory = log_of(used, [record(event="session.open", source="supervisor", server="unknown"),
                              record(event="tool.call", source="shim", server="unknown", tool="drop", decision="allow")], times=3)
    assert Looked(used, {"tools": {"deny": ["drop"]}}, "--against-log", "--dir", directory).denied() == {("call", "drop"): 3}
    assert Looked(used, {"servers": {"deny": ["unk*"]}}, "--against-log", "--dir", directory).denied() == {("launch", "every launch"): 3}


def test_a_long_log_is_read_with_little_memory_and_says_how_far_it_has_come(used):
    line = record(event="tool.call", source="shim", server="fixed", version="1", tool="put_a", decision="allow", arg_keys="k" * 900)
    directory = log_of(used, [line], times=(96 << 20) // len(line))
    path = Looked(used, {"tools": {"deny": ["put_a"]}}).path
    master, slave = pty.openpty()
    limit = 72 << 20
    with subprocess.Popen([STOCKADE, "policy", "test", "--json", "--against-log", "--dir", directory, path], env=used.env, cwd=used.work,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))) as p:
        os.close(slave)
        told = json.loads(p.stdout.read())
        assert p.wait() == 1
    said = os.read(master, 4096).decode()
    os.close(master)
    assert told["log"]["denied"][0]["count"] == (96 << 20) // len(line)
    assert "reading the log: " in said and (" of 95 MiB" in said or " of 96 MiB" in said), said


def test_what_cannot_be_a_policy_is_refused_with_its_line_and_names_are_checked(used):
    path = new_policy(used)
    for text, words in (('{"stockade": 1,\n "tools": {"denny": []}}', "new.json:2: unknown key 'tools.denny', did you mean 'deny'?"),
                        ('{"stockade": 1,\n "kill": {}}', "new.json:2: kill is not enforced by this version"), ("[]", "a policy is a JSON object")):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        r = used.stockade("policy", "test", path, check=125)
        assert words in r.stderr and "nothing is started" not in r.stderr, r.stderr
        assert words in used.stockade("policy", "lint", path, check=1).stdout
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"stockade": 1, "groups": {"no-such-group-here": {"servers": ["x"]}}, "signatures": {"need": 1, "of": ["no-such-key"]}}, f)
    out = used.stockade("policy", "lint", path, check=1).stdout
    assert "no such group in /etc/group" in out and "/etc/stockade/keys/no-such-key.pub" in out
    os.chmod(path, 0o666)
    assert "can be written by others" in used.stockade("policy", "test", path, check=125).stderr
    used.stockade("policy", "test", f"{used.base}/nothing.json", check=125)
    assert "goes with --against-log" in used.stockade("policy", "test", "--dir", "/tmp", path, check=2).stderr


def test_the_table_names_server_change_and_rule(used):
    path = Looked(used, {"tools": {"deny": ["put_a"]}, "profiles": {"unprofiled": "deny"}}).path
    out = used.stockade("policy", "test", "--against-log", path, check=1).stdout
    row = next(line for line in out.splitlines() if line.startswith("  fixed") and "the tool put_a: no more" in line)
    assert row.endswith(f'{path}:1 (tools.deny "put_a")')
    assert "would ask anew: the tool put_a: no more" in out and "would be refused: " in out and "call put_a: 2 times, last 20" in out
    assert "need parameters and were looked at as they are written" in out and "Something that is allowed now would be denied" in out


def test_without_a_policy_show_says_so(used):
    if os.path.exists("/etc/stockade/policy.json"):
        pytest.fail("this machine has a policy: these tests are for one without")
    assert used.stockade("policy", "show", check=0).stdout.startswith("There is no policy: ")
    assert json.loads(used.stockade("policy", "show", "--json", check=0).stdout) == {"file": None, "rules": []}
