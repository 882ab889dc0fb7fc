# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, versions, check, and that stdout belongs to JSON-RPC."""
import json

import pytest
from integration.harness import ODD, npm_server

COMMANDS = ["run", "approve", "approvals", "check", "ps", "stop", "audit show", "audit verify", "doctor"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(person, command):
    r = person.stockade(*command.split(), "--help", check=0)
    assert command in r.stdout and r.stderr == ""


def test_version_and_the_list_of_commands(person):
    assert person.stockade("--version", check=0).stdout.startswith("stockade 0.")
    listed = person.stockade("--help", check=0).stdout
    for command in COMMANDS:
        assert command in listed


def test_check_prints_every_mount_and_what_is_bound(person):
    r = person.stockade("check", "--ro", person.work, "--", *ODD, "check", check=0)
    for words in (person.work, "/usr", "/proc", "/dev", "network"):
        assert words in r.stdout
    json.loads(person.stockade("check", "--json", "--ro", person.work, "--", *ODD, "check", check=0).stdout)


@pytest.mark.parametrize("path", ["~/.ssh/id_ed25519", "/etc/shadow", "/root", "/home"])
def test_what_is_not_granted_is_absent(person, path):
    import os  # pylint: disable=import-outside-toplevel
    os.makedirs(f"{person.home}/.ssh")
    with open(f"{person.home}/.ssh/id_ed25519", "w", encoding="utf-8") as f:
        f.write("secret key")
    person.approve("--", *ODD, "absent")
    w = person.start("--", *ODD, "absent")
    w.initialize()
    full = path.replace("~", person.home)
    answer = w.call("list" if path in ("/root", "/home") else "read", {"path": full})["result"]["content"][0]["text"]
    assert answer.startswith("errno 2") or (path == "/home" and "stockade" not in answer), answer
    w.end()


@pytest.mark.parametrize("host,port", [("1.1.1.1", 443), ("169.254.169.254", 80), ("10.0.0.1", 22), ("2606:4700::1111", 443)])
def test_a_connection_has_no_route(person, host, port):
    person.approve("--", *ODD, "route")
    w = person.start("--", *ODD, "route")
    w.initialize()
    assert w.call("connect", {"host": host, "port": port})["result"]["content"][0]["text"].startswith("errno 101")
    w.end()


def test_only_stdio_is_open_in_the_server(person):
    person.approve("--", *ODD, "fds")
    w = person.start("--", *ODD, "fds")
    w.initialize()
    assert json.loads(w.call("fds")["result"]["content"][0]["text"]) in ([0, 1, 2], [0, 1, 2, 3])  # 3 is the listing itself
    w.end()


def test_the_environment_is_built_and_not_filtered(person):
    person.env.update({"SECRET_TOKEN": "s3cret", "NODE_OPTIONS": "--inspect", "LD_LIBRARY_PATH": "/tmp", "GRANTED": "yes"})
    person.approve("--env", "GRANTED", "--setenv", "MODE=test", "--", *ODD, "env")
    w = person.start("--env", "GRANTED", "--setenv", "MODE=test", "--", *ODD, "env")
    w.initialize()
    env = json.loads(w.call("env")["result"]["content"][0]["text"])
    assert env["GRANTED"] == "yes" and env["MODE"] == "test"
    assert not {"SECRET_TOKEN", "NODE_OPTIONS", "LD_LIBRARY_PATH"} & set(env)
    w.end()
    assert "s3cret" not in json.dumps(person.records())


def test_a_denied_tool_is_hidden_and_refused_with_the_rule(person):
    person.profile("fs", {"stockade": 1, "name": "fs", "version": 1, "description": "filesystem without writes",
                          "command": npm_server("filesystem", person.work), "filesystem": {"read": [person.work]},
                          "tools": {"allow": ["read_*", "list_*"], "deny": ["list_directory_*"]}})
    person.approve("fs")
    w = person.start("fs")
    w.initialize()
    names = [t["name"] for t in w.request("tools/list")["result"]["tools"]]
    assert "read_text_file" in names and "write_file" not in names and "list_directory_with_sizes" not in names
    for tool, rule in (("write_file", "tools.allow"), ("list_directory_with_sizes", "tools.deny")):
        answer = w.call(tool, {"path": f"{person.work}/x", "content": "x"})["result"]
        assert answer["isError"] and rule in answer["content"][0]["text"]
    assert w.call("list_directory", {"path": person.work})["result"].get("isError") is not True
    w.end()
    denied = [r for r in person.records() if r["event"] == "tool.call" and r.get("decision") == "deny"]
    assert {r["tool"] for r in denied} == {"write_file", "list_directory_with_sizes"}
    assert all("fs.json:" in r["rule"] for r in denied)
    person.verified()
