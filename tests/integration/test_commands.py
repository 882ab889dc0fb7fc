# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, versions, check, and that stdout belongs to JSON-RPC."""
import ctypes
import errno
import json
import os
import subprocess

import pytest
from integration.harness import ODD, STAGE, STOCKADE, npm_server

COMMANDS = ["run", "approve", "approvals", "approvals revoke", "check", "pin", "diff", "grant", "grants", "grants end", "ps", "stop",
            "kill", "restore", "kills", "key new", "profile new", "profile lint", "profile sign", "profile verify", "bundle new", "bundle show", "sync", "policy show", "policy lint", "policy test",
            "audit show", "audit verify", "audit key", "audit prune", "audit export", "inventory", "doctor"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(person, command):
    r = person.stockade(*command.split(), "--help", check=0)
    assert command in r.stdout and r.stderr == ""


def test_version_and_the_list_of_commands(person):
    assert person.stockade("--version", check=0).stdout.startswith("stockade 0.")
    listed = person.stockade("--help", check=0).stdout
    assert [line[2:22].rstrip() for line in listed.splitlines() if line.startswith("  ")] == COMMANDS


def test_audit_show_takes_a_server_a_client_and_yesterday(person):
    for name in ("one", "two"):
        person.profile(name, {"stockade": 1, "name": name, "command": [*ODD, name]})
        person.approve(name)
        w = person.start(name)
        w.initialize()
        assert w.end() == 0
    whole = person.records()
    only = [json.loads(x) for x in person.stockade("audit", "show", "--json", "one", check=0).stdout.splitlines()]
    assert only == [r for r in whole if r["server"] == "one"] and len(only) > 2
    assert person.stockade("audit", "show", "--json", "--since", "yesterday", check=0).stdout.count("\n") == len(whole)
    assert person.stockade("audit", "show", "--json", "--until", "yesterday", check=0).stdout == ""
    for client, n in (("python", len(whole)), ("*python*", len(whole)), ("no-such-client", 0), ("python*nothing", 0)):
        assert person.stockade("audit", "show", "--json", "--client", client, check=0).stdout.count("\n") == n, client
    assert "named twice" in person.stockade("audit", "show", "--server", "one", "one", check=2).stderr


def test_what_the_help_points_to_is_installed(person):
    words = person.stockade("audit", "show", "--help", check=0).stdout.split()
    page = next(w for w in words if w.endswith("/audit.md."))[:-1]
    with open(page, encoding="utf-8") as f:
        assert f.readline() == "# The audit log\n"


def test_the_apparmor_profile_that_doctor_names_is_installed_for_this_programs_path():
    with open(f"{STAGE}/prefix/share/stockade/apparmor/stockade-enter", encoding="utf-8") as f:
        text = f.read()
    assert f"profile stockade-enter {STAGE}/prefix/libexec/stockade/stockade-enter flags=" in text and "@" not in text
    assert "  userns,\n" in text and "  deny userns,\n" in text and "unconfined)" not in text.split("abi <")[1]


def test_check_without_a_name_lists_the_profiles_and_says_which_are_approved(person):
    mine = person.profile("mine", {"stockade": 1, "name": "mine", "version": 3, "description": "a \u202elist", "command": ODD})
    names = person.stockade("check", "--names", check=0).stdout.split()
    assert names == sorted(names) and {"mine", "server-filesystem", "mcp-server-git"} <= set(names)
    listed = {p["name"]: p for p in json.loads(person.stockade("check", "--json", check=0).stdout)}
    assert set(listed) == set(names)
    assert listed["mine"]["file"] == mine and listed["mine"]["version"] == 3 and listed["mine"]["approvals"] == []
    assert listed["server-filesystem"]["description"] and listed["mine"]["unusable"] is None
    digest = person.approve("mine")
    text = person.stockade("check", check=0).stdout
    assert any(line.split()[:3] == ["mine", "approved", mine] for line in text.splitlines()), text
    assert "server-memory" in text and "\u202e" not in text
    assert json.loads(person.stockade("check", "--json", check=0).stdout)[names.index("mine")]["approvals"] == [digest[:16]]
    person.profile("broken", "{")
    r = person.stockade("check", check=1)
    assert "cannot be used" in r.stdout and "this is not JSON" in r.stdout and "mine" in r.stdout


def test_check_of_a_profile_that_needs_a_parameter_says_what_it_grants(person):
    path = person.profile("needs", {"stockade": 1, "name": "needs", "command": ["cat", "${mode}", "${dirs}"], "description": "a need",
                                    "parameters": {"dirs": {"type": "directory", "many": True, "within": ["~/src"]},
                                                   "mode": {"type": "string", "choices": ["-n", "-e"], "default": "-n"}},
                                    "filesystem": {"write": ["${dirs}"]}, "tools": {"allow": ["get_*"]}})
    said = person.stockade("check", "needs", check=0).stdout
    for words in ("dirs: one or more of type directory, REQUIRED; must lie within ~/src", "mode: string, optional; one of -n, -e; default -n",
                  "${dirs}", "allow get_*", "a need", "--set dirs="):
        assert words in said, said
    j = json.loads(person.stockade("check", "--json", path, check=0).stdout)
    assert [p["name"] for p in j["parameters"] if p["required"]] == ["dirs"]
    assert j["where"]["filesystem"]["write"] == [f"{path}:1 (filesystem.write)"] and j["where"]["filesystem"]["tmp"] == "the default (filesystem.tmp)"
    assert f'{path}:1 (tools.allow "get_*")' in j["where"]["tools"] and len(j["where"]["tools"]) == len(j["tools"])
    assert "    WRITES       ${dirs}  (line 1)\n" in said and "    system calls default  (the default: seccomp)\n" in said
    assert j["filesystem"]["write"] == ["${dirs}"] and j["digest"] is None
    assert person.stockade("check", "--tool", "put_x", "needs", check=1).stdout.startswith("denied")
    assert "dirs" in person.stockade("check", "--set", "mode=-e", "needs", check=125).stderr
    assert "dirs" in person.stockade("run", "needs", check=125).stderr


@pytest.mark.root
def test_check_prints_every_mount_and_what_is_bound(person):
    r = person.stockade("check", "--ro", person.work, "--", *ODD, "check", check=0)
    for words in (person.work, "/usr", "/proc", "/dev", "network"):
        assert words in r.stdout
    json.loads(person.stockade("check", "--json", "--ro", person.work, "--", *ODD, "check", check=0).stdout)


def test_check_names_the_option_or_the_default_for_each_line_without_a_profile(person):
    words = ("--ro", person.work, "--cwd", person.work, "--", *ODD, "places")
    told = json.loads(person.stockade("check", "--json", *words, check=0).stdout)
    assert told["command_where"] == "the command line"
    assert all(line.get("where") for line in told["lines"]), told["lines"]
    places = {line["kind"]: line["where"] for line in told["lines"]}
    assert places["cwd"] == "--cwd" and places["read"] == "--ro" and places["network"] == "the default (network.allow)"
    text = person.stockade("check", *words, check=0).stdout
    assert "  256 MiB of /tmp  (the default: filesystem.tmp)\n" in text and "\n    (the command line)\n" in text, text
    assert "the default: filesystem.tmp" not in person.stockade("approve", "--print-digest", *words, check=0).stderr


def test_check_says_sizes_as_a_profile_does_and_that_an_approved_plan_changed(person):
    words = ("--ro", person.work, "--", *ODD, "changed")
    first = person.stockade("check", *words, check=0).stdout
    assert "256 MiB of /tmp" in first and "8 MiB a message" in first
    assert "Not approved: the first start asks." in first
    person.approve(*words)
    assert "starts without a question" in person.stockade("check", *words, check=0).stdout
    assert "has changed since" in person.stockade("check", *words, "more", check=0).stdout


def test_what_is_in_memory_has_the_size_that_check_says(person):
    words = ("--", "/bin/sh", "-c", "df --output=target,size -B1 /tmp /var/tmp /dev/shm >&2")
    mounts = json.loads(person.stockade("check", "--json", *words, check=0).stdout)["mounts"]
    said = {m["target"]: m["size"] for m in mounts if m["kind"] == "tmpfs"}
    person.approve(*words)
    seen = dict(line.split()[1:] for line in person.stockade("run", *words, check=0).stderr.splitlines()[1:])
    assert {t: int(n) for t, n in seen.items()} == {t: said[t] for t in ("/tmp", "/var/tmp", "/dev/shm")}


def test_a_profile_whose_program_is_not_in_path_says_where_to_put_the_directory(person):
    program = os.path.realpath(person.write("../home/.local/share/mcp/node_modules/.bin/nu-server", "#!/bin/sh\n", 0o755))
    path = person.profile("nu", {"stockade": 1, "name": "nu", "command": ["nu-server"]})
    r = person.stockade("check", "nu", check=127)
    for words in (program, path, '"env": {"PATH":', "profile of your own"):
        assert words in r.stderr
    assert "does not exist" not in r.stderr
    assert '"env"' not in person.stockade("check", "--", "nu-server", check=127).stderr


def test_what_is_typed_by_habit_is_answered_with_the_right_words(person):
    for words, answer in ((("run", "npx", "-y", "x"), 'after "--"'),
                          (("check", "mine.json"), "./mine.json"),
                          (("revoke",), "did you mean 'approvals revoke'"),
                          (("run", "--host", "https://example.com/", "--", "/usr/bin/true"), "is a URL")):
        r = person.stockade(*words)
        assert r.returncode != 0 and answer in r.stderr, r.stderr
    both = person.stockade("audit", "--help", check=0).stdout
    assert "stockade audit show" in both and "stockade audit verify" in both
    assert "revoke" in person.stockade("approvals", "--help", check=0).stdout
    silent = person.stockade("audit", "show", "--server", "nobody", check=0)
    assert silent.stdout == "" and "no record" in silent.stderr


@pytest.mark.parametrize("host, status, words", [
    ("api.example.com", 0, 'allowed: host \'api.example.com:443\' by '), ("API.example.com.:443", 0, '(network.allow "api.example.com")'),
    ("api.example.com:80", 1, "names the host, but not this port"), ("x.w.example:80", 0, '(network.allow "*.w.example:80")'),
    ("w.example:80", 1, "does not name it"), ("10.2.3.4:5432", 0, '(network.allow "10.2.0.0/16:5432")'), ("10.3.0.1:5432", 1, "does not name it"),
    ("localhost:5432", 0, '(network.allow "localhost:5432")'), ("localhost:80", 1, "not this port"), ("*.w.example:80", 2, "one host and one port"),
])
def test_check_says_whether_a_host_is_reached_and_by_which_rule(person, host, status, words):
    path = person.profile("net", {"stockade": 1, "name": "net", "command": ["/usr/bin/true"],
                                  "network": {"allow": ["api.example.com", "*.w.example:80", "10.2.0.0/16:5432", "localhost:5432"]}})
    r = person.stockade("check", "--reach", host, "net")
    assert r.returncode == status and words in r.stdout + r.stderr, (r.returncode, r.stdout, r.stderr)
    told = person.stockade("check", "--json", "--reach", host, "net")
    if status < 2:
        assert json.loads(told.stdout)["decision"] == ("deny" if status else "allow") and path in r.stdout + path
    assert "granted no network" in person.stockade("check", "--reach", host, "--", "/usr/bin/true").stdout or status > 1
    assert "nothing to start" in person.stockade("check", "--reach", host, check=2).stderr


@pytest.mark.root
@pytest.mark.parametrize("path", ["~/.ssh/id_ed25519", "/etc/shadow", "/root", "/home"])
def test_what_is_not_granted_is_absent(person, path):
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


@pytest.mark.root
@pytest.mark.parametrize("host,port", [("1.1.1.1", 443), ("169.254.169.254", 80), ("10.0.0.1", 22), ("2606:4700::1111", 443)])
def test_a_connection_has_no_route(person, host, port):
    person.approve("--", *ODD, "route")
    w = person.start("--", *ODD, "route")
    w.initialize()
    assert w.call("connect", {"host": host, "port": port})["result"]["content"][0]["text"].startswith("errno 101")
    w.end()


@pytest.mark.root
def test_only_stdio_is_open_in_the_server(person):
    person.approve("--", *ODD, "fds")
    w = person.start("--", *ODD, "fds")
    w.initialize()
    assert json.loads(w.call("fds")["result"]["content"][0]["text"]) in ([0, 1, 2], [0, 1, 2, 3])  # 3 is the listing itself
    w.end()


@pytest.mark.root
def test_the_environment_is_built_and_not_filtered(person):
    person.env.update({"SECRET_TOKEN": "s3cret", "NODE_OPTIONS": "--inspect", "LD_LIBRARY_PATH": "/tmp", "GRANTED": "yes",
                       "TZ": ":/tmp/zone"})
    person.approve("--env", "GRANTED", "--setenv", "MODE=test", "--", *ODD, "env")
    w = person.start("--env", "GRANTED", "--setenv", "MODE=test", "--", *ODD, "env")
    w.initialize()
    env = json.loads(w.call("env")["result"]["content"][0]["text"])
    assert env["GRANTED"] == "yes" and env["MODE"] == "test"
    assert not {"SECRET_TOKEN", "NODE_OPTIONS", "LD_LIBRARY_PATH", "TZ"} & set(env)
    w.end()
    assert "s3cret" not in json.dumps(person.records())


@pytest.mark.root
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


def running(person, *command):
    person.approve("--", *command)
    w = person.start("--", *command)
    w.initialize()
    return w


def test_what_a_name_holds_cannot_drive_the_terminal_of_ps_and_stop(person):
    path = person.write("evil\x1b[2J\u202e.py", open(ODD[1], encoding="utf-8").read())
    w = running(person, "/usr/bin/python3", path)
    listed = person.stockade("ps", "--json", check=0).stdout
    assert "\u202e" not in listed and "\x1b" not in listed
    assert "\x1b" not in person.stockade("ps", check=0).stdout
    r = person.stockade("stop", json.loads(listed)[0]["server"], check=0)
    assert "\x1b" not in r.stderr and "\u202e" not in r.stderr
    w.wait()


def test_ps_leaves_sessions_of_another_pid_namespace_alone(person):
    w = running(person, *ODD, "elsewhere")
    inside = ["unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc", STOCKADE]
    env = {"env": person.env, "cwd": person.work, "capture_output": True, "text": True, "check": False, "timeout": 120}
    listed = json.loads(subprocess.run([*inside, "ps", "--json"], **env).stdout)
    assert [(s["state"], s["memory"]) for s in listed] == [("unknown", None)]
    assert "may have ended" in subprocess.run([*inside, "ps"], **env).stdout
    r = subprocess.run([*inside, "stop", listed[0]["server"]], **env)
    assert r.returncode == 125 and "stop it there" in r.stderr, r.stderr
    ours = json.loads(person.stockade("ps", "--json", check=0).stdout)
    assert [s["session"] for s in ours] == [s["session"] for s in listed] and ours[0]["state"] == "running"
    assert ours[0]["memory"] > 1 << 20
    assert w.call("echo", {})["id"] and w.end() == 0
    assert person.stockade("ps", "--json", check=0).stdout.strip() == "[]"


def test_stop_without_a_word_in_it_stops_nothing(person):
    w = running(person, *ODD, "empty-word")
    assert "no session or server ''" in person.stockade("stop", "", check=1).stderr
    assert len(json.loads(person.stockade("ps", "--json", check=0).stdout)) == 1
    w.end()


def no_pidfds():
    """In a child: pidfd_open(2) fails, as in a container whose filter does not know it."""
    class Insn(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]

    class Prog(ctypes.Structure):
        _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.POINTER(Insn))]
    # load nr; pidfd_open is 434 everywhere; then ENOSYS, else allowed (seccomp(2))
    code = (Insn * 4)(Insn(0x20, 0, 0, 0), Insn(0x15, 0, 1, 434), Insn(0x06, 0, 0, 0x00050000 | errno.ENOSYS),
                      Insn(0x06, 0, 0, 0x7fff0000))
    libc = ctypes.CDLL(None, use_errno=True)
    prog = Prog(4, code)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(prog), 0, 0) == 0


def test_stop_does_not_say_stopped_of_what_it_could_not_reach(person):
    w = running(person, *ODD, "out-of-reach")
    session = json.loads(person.stockade("ps", "--json", check=0).stdout)[0]["session"]
    r = person.stockade("stop", session, preexec_fn=no_pidfds)
    assert r.returncode == 125 and "was not stopped" in r.stderr
    assert "stopped " + session[:12] not in r.stderr
    assert len(json.loads(person.stockade("ps", "--json", check=0).stdout)) == 1
    w.end()
