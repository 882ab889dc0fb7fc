# SPDX-License-Identifier: Apache-2.0
"""Each bad input gives one clear sentence, the right exit status, and loses nothing that was acknowledged."""
import json
import os
import resource
import signal
import subprocess

import pytest
from integration.harness import ODD, STAGE, STOCKADE, children, status_of

GOOD = {"stockade": 1, "name": "bad", "version": 1, "description": "for a test", "command": ["/usr/bin/python3", ODD[1], "bad"]}


def profile(**changes):
    return json.dumps({**GOOD, **changes})


def hosts(*allow):
    return profile(network={"allow": list(allow)})


def tools(*allow):
    return profile(tools={"allow": list(allow)})


# words of the message, the profile's text
BAD_PROFILES = {
    "not JSON": (["bad.json:1"], '{"stockade": 1,'),
    "an unknown key": (["toolz", "tools"], profile(toolz={})),
    "a duplicate key": (["name"], '{"stockade":1,"name":"bad","name":"bad","version":1,"description":"d","command":["/bin/true"]}'),
    "a wrong type": (["command"], profile(command="python3")),
    "a path that does not exist": (["/nonexistent-dir"], profile(filesystem={"read": ["/nonexistent-dir"]})),
    "a relative path": (["some/dir"], profile(filesystem={"read": ["some/dir"]})),
    "a .. path": ([".."], profile(filesystem={"read": ["/usr/../etc"]})),
    "a host in another script": (["network.allow", "xn--"], hosts("bücher.example:443")),
    "a host with port 0": (["network.allow", "0 is nobody's"], hosts("example.com:0")),
    "a host with a port above 65535": (["network.allow", "65536 is no port"], hosts("example.com:65536")),
    "a host with a name for a port": (["network.allow", "than port numbers"], hosts("example.com:https")),
    "a host with a port twice": (["network.allow", "named twice"], hosts("example.com:443,443")),
    "a wildcard below a public suffix": (["network.allow", "*.co.uk", "anybody can register"], hosts("*.co.uk:443")),
    "a wildcard below a top-level domain": (["network.allow", "*.com", "top-level domain"], hosts("*.com:443")),
    "a wildcard of nothing": (["network.allow", "whole first label"], hosts("*.:443")),
    "a wildcard within a label": (["network.allow", "whole first label"], hosts("api*.example.com")),
    "a wildcard at the end": (["network.allow", "whole first label"], hosts("example.*")),
    "a URL for a host": (["network.allow", "is a URL"], hosts("https://example.com/")),
    "a host with a variable": (["network.allow", "nothing is expanded"], hosts("${HOST}:443")),
    "an address in octal": (["network.allow", "different ways"], hosts("010.0.0.1:443")),
    "an address as one number": (["network.allow", "different ways"], hosts("2130706433:80")),
    "a network with bits behind its prefix": (["network.allow", "bits set"], hosts("10.2.3.4/16:443")),
    "a network with a prefix that is too long": (["network.allow", "prefix length"], hosts("10.0.0.0/33:443")),
    "a name with a prefix": (["network.allow", "no address before it"], hosts("example.com/16:443")),
    "an IPv6 address without brackets": (["network.allow", "in brackets"], hosts("2001:db8::1:443")),
    "a name of the loopback": (["network.allow", "localhost:PORT"], hosts("db.localhost:80")),
    "no address at all": (["network.allow", "nobody is ever connected"], hosts("0.0.0.0:80")),
    "multicast": (["network.allow", "a multicast address"], hosts("224.0.0.0/8:80")),
    "a NAT64": (["network.allow", "address of a NAT64"], hosts("[64:ff9b::a00:1]:80")),
    "an address with an interface": (["network.allow", "names an interface"], hosts("[fe80::1%eth0]:80")),
    "the loopback as an address": (["network.allow", "localhost:PORT"], hosts("127.0.0.1:80")),
    "a label that is too long": (["network.allow", "no host name"], hosts("a" * 64 + ".example:443")),
    "a host twice": (["network.allow", "keep one"], hosts("example.com:443", "EXAMPLE.com.:443")),
    "a host twice with lists that overlap": (["network.allow", "keep one"], hosts("example.com:80,443", "example.com:443")),
    "a host of an unknown form": (["network.allow", "prot"], profile(network={"allow": [{"host": "example.com", "prot": [443]}]})),
    "a host without ports": (["network.allow", "is empty"], profile(network={"allow": [{"host": "example.com", "ports": []}]})),
    "a switch for names beside an address": (["network.allow", "sni", "leave it out"],
                                             profile(network={"allow": [{"host": "10.2.0.0/16", "ports": [443], "sni": False}]})),
    "a switch for names beside localhost": (["network.allow", "private", "leave it out"],
                                            profile(network={"allow": [{"host": "localhost", "ports": [443], "private": True}]})),
    "a published port of the system": (["network.publish", "1024"], profile(network={"publish": [80]})),
    "a published port twice": (["network.publish", "twice"], profile(network={"publish": [8080, 8080]})),
    "addresses of another range": (["network.addresses", "198.18.0.0/15"], profile(network={"addresses": "10.0.0.0/8"})),
    "a limit of none": (["network.limits.connections", "between 1 and 8192"], profile(network={"limits": {"connections": 0}})),
    "arguments that are no schema": (["bad.json:1: tools.allow.arguments", "an object"], tools({"name": "a", "arguments": ["path"]})),
    "a misspelt keyword of arguments": (['tools.allow "a"', "schema.propertes is no keyword"], tools({"name": "a", "arguments": {"propertes": {}}})),
    "a keyword of arguments that nothing checks": (["schema.properties.u.format"],
                                                   tools({"name": "a", "arguments": {"properties": {"u": {"format": "uri"}}}})),
    "a pattern of arguments that is none": (["schema.properties.u.pattern"], tools({"name": "a", "arguments": {"properties": {"u": {"pattern": "("}}}})),
    "arguments that refer elsewhere": (["schema.$ref", "nothing is fetched"], tools({"name": "a", "arguments": {"$ref": "https://example.com/a"}})),
    "arguments in an older dialect": (["schema.$schema", "2020-12 and draft-07"],
                                      tools({"name": "a", "arguments": {"$schema": "http://json-schema.org/draft-04/schema#"}})),
    "strict as a word": (["tools.strict", "true or false"], profile(tools={"strict": "yes"})),
    "a wrong version": (["stockade"], profile(stockade=2)),
}


def one_sentence(r, status, *words):
    lines = [ln for ln in r.stderr.splitlines() if ln.strip()]
    assert r.returncode == status, f"{r.returncode}: {r.stderr}"
    assert 1 <= len(lines) <= 4, r.stderr
    assert lines[0].startswith("stockade: "), r.stderr
    for word in words:
        assert word in r.stderr, r.stderr
    assert r.stdout == ""


@pytest.mark.parametrize("what", BAD_PROFILES)
def test_a_bad_profile_is_refused_in_one_sentence(person, what):
    words, text = BAD_PROFILES[what]
    person.profile("bad", text)
    one_sentence(person.stockade("run", "bad"), 125, *words)


# those of the rows above whose hosts a command line could name as well
BAD_HOSTS = {name: (said, allow) for name, (said, text) in BAD_PROFILES.items() if said[0] == "network.allow"
             for allow in [json.loads(text)["network"]["allow"]] if isinstance(allow[0], str)}


@pytest.mark.parametrize("what", BAD_HOSTS)
def test_a_bad_host_on_the_command_line_is_refused_in_the_same_words(person, what):
    words, named = BAD_HOSTS[what]
    r = person.stockade("run", *(w for h in named for w in ("--host", h)), "--", *ODD, "bad")
    one_sentence(r, 2, "--host", *words[1:])


@pytest.mark.root
def test_a_limit_of_open_files_that_is_too_low_is_said_with_what_to_do(person):
    person.approve("--", *ODD, "few")
    r = person.stockade("run", "--", *ODD, "few", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30)))
    assert r.returncode == 125
    assert "may open only 30 files here and needs 64" in r.stderr and "ulimit -n 64" in r.stderr


@pytest.mark.parametrize("words", [("kill", "notes"), ("run", "--", "/usr/bin/true")], ids=lambda w: w[0])
def test_a_limit_on_the_size_of_files_is_told_in_words(person, words):
    command = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", STOCKADE, *words]
    r = subprocess.run(command, env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert r.returncode == 125 and "File too large" in r.stderr, f"{r.returncode} {r.stderr}"


def test_a_directory_in_the_place_of_an_approval_is_named_with_what_to_do(person):
    digest = person.approve("--", *ODD, "directory")
    path = f"{person.home}/.local/state/stockade/approvals/{digest}.json"
    os.unlink(path)
    os.mkdir(path)
    r = person.stockade("approvals", "revoke", digest[:12], check=125)
    assert path in r.stderr and "look through it and remove" in r.stderr


def test_a_profile_that_others_can_write_is_refused(person):
    os.chmod(person.profile("bad", profile()), 0o666)
    one_sentence(person.stockade("run", "bad"), 125, "bad.json", "writ")


def test_an_unknown_name_says_where_it_looked(person):
    one_sentence(person.stockade("run", "nosuch"), 125, "nosuch")


@pytest.mark.root
def test_a_missing_command_is_127_and_one_that_cannot_be_executed_126(person):
    one_sentence(person.stockade("run", "--", "no-such-command-anywhere"), 127, "no-such-command-anywhere")
    plain = person.write("plain.txt", "text\n")
    one_sentence(person.stockade("run", "--", plain), 126, "plain.txt")


def test_a_command_that_vanished_after_it_was_approved_is_127(person):
    script = person.write("gone.py", "#!/usr/bin/python3\n", 0o755)
    person.approve("--", script)
    os.unlink(script)
    one_sentence(person.stockade("run", "--", script), 127, "gone.py")


def test_bad_usage_is_2(person):
    for words in (["run"], ["nosuchcommand"], ["run", "--nosuch", "x"], ["stop"], ["audit", "nosuch"]):
        r = person.stockade(*words)
        assert r.returncode == 2, f"{words}: {r.returncode} {r.stderr}"
        assert r.stderr and r.stdout == ""


def test_a_word_that_no_command_takes_is_named(person):
    assert "'audit shov' is no command, it is: 'stockade audit show' or" in person.stockade("audit", "shov", check=2).stderr
    assert "parameters are a profile's" in person.stockade("check", "--set", "a=b", "--", *ODD, check=125).stderr
    assert "--setenv NAME=VALUE sets one" in person.stockade("check", "--env", "A=B", "--", *ODD, check=2).stderr


def test_no_message_about_a_path_drives_the_terminal(person):
    place = f"{person.home}/.claude/\x1b[2J\nstockade: all is well"
    os.makedirs(place)
    r = person.stockade("check", "--ro", place, "--", *ODD, check=125)
    assert "\\x1b[2J\\x0astockade" in r.stderr and "\x1b" not in r.stderr
    assert len(r.stderr.splitlines()) == 1
    person.env["XDG_STATE_HOME"] = place
    os.mkdir(f"{place}/stockade", 0o755)
    r = person.stockade("approvals", check=125)
    assert "chmod 700" in r.stderr and "\x1b" not in r.stderr
    assert len(r.stderr.splitlines()) == 1


def test_an_approval_that_is_no_trusted_file_says_how_to_be_rid_of_it(person):
    digest = person.approve("--", *ODD, "fifo")
    path = f"{person.home}/.local/state/stockade/approvals/{digest}.json"
    os.unlink(path)
    os.mkfifo(path)
    r = person.stockade("run", "--", *ODD, "fifo", check=125)
    assert "is not a regular file; remove it and the question is asked again" in r.stderr


def hiding(person, deny, **changes):
    text = {"stockade": 1, "name": "hides", "command": ["/usr/bin/true"], **changes}
    text.setdefault("filesystem", {})["deny"] = deny
    person.profile("hides", text)


def test_a_parameter_cannot_bring_back_what_the_profile_hides(person):
    person.write("secret/keys/one", "")
    hiding(person, [f"{person.work}/secret"], filesystem={"read": ["${dirs}"]},
           parameters={"dirs": {"type": "directory", "many": True, "within": [person.work]}})
    for place in ("secret", "secret/keys"):
        r = person.stockade("check", "--set", f"dirs={person.work}/{place}", "hides", check=125)
        assert "hides it, and deny comes first" in r.stderr
    person.stockade("check", "--set", f"dirs={person.work}", "hides", check=0)


def test_a_file_that_a_pattern_hides_cannot_be_granted_by_name(person):
    hiding(person, ["**/.env"], filesystem={"read": [person.write("a/.env", "SECRET=1")]})
    assert 'filesystem.deny "**/.env" hides it' in person.stockade("check", "hides", check=125).stderr


@pytest.mark.parametrize("below", ["/secret", "/*cret", ""])
def test_a_path_to_hide_that_goes_through_a_link_hides_what_it_leads_to(person, below):
    person.write("real/in/secret", "")
    os.symlink(f"{person.work}/real/in", f"{person.work}/link")
    hiding(person, [f"{person.work}/link{below}"], filesystem={"read": [person.work]})
    mounts = json.loads(person.stockade("check", "--json", "hides", check=0).stdout)["mounts"]
    masked = [m["target"] for m in mounts if m["kind"] == "mask"]
    assert f"{person.work}/real/in" + ("/secret" if below else "") in masked


def test_a_link_that_a_pattern_hides_hides_what_it_leads_to_and_the_server_starts(person):
    person.write("in/real", "hunter2")
    other = f"{person.base}/other"
    os.makedirs(other)
    os.symlink("in/real", f"{person.work}/.env")
    os.symlink(f"{person.work}/in/real", f"{other}/.env")
    person.write("look.sh", f"cat {person.work}/.env {person.work}/in/real {other}/.env >&2; echo looked >&2\n")
    for grants in ([person.work], [person.work, other], [other, person.work]):
        hiding(person, ["**/.env"], filesystem={"read": grants}, command=["/bin/sh", f"{person.work}/look.sh"])
        person.approve("hides")
        r = person.stockade("run", "hides")
        assert "looked" in r.stderr and "hunter2" not in r.stderr
    hiding(person, [], filesystem={"read": [person.work]}, command=["/bin/sh", f"{person.work}/look.sh"])
    person.approve("hides")
    assert "hunter2" in person.stockade("run", "hides").stderr  # the control
    os.symlink(".", f"{person.work}/in/.env")
    hiding(person, ["**/.env"], filesystem={"read": [f"{person.work}/in"]})
    assert "hidden as a whole" in person.stockade("check", "hides", check=125).stderr


def test_a_profile_that_stockade_brings_is_not_widened_by_a_command_line(person):
    shipped = f"{STAGE}/prefix/share/stockade/profiles/mcp-server-time.json"
    r = person.stockade("check", "--profile", shipped, "--rw", person.work, check=125)
    assert "grants no writing there (filesystem.write)" in r.stderr and "cannot widen it" in r.stderr


@pytest.mark.root
def test_a_grant_on_stockades_own_state_is_refused_by_name(person):
    person.stockade("audit", "verify")
    for path in (f"{person.home}/.local/state/stockade", f"{person.home}/.local", person.home + "/.config"):
        os.makedirs(path, exist_ok=True)
        one_sentence(person.stockade("run", "--rw", path, "--", *ODD, "own"), 125, path)


def odd_running(person, mark):
    person.approve("--", *ODD, mark)
    w = person.start("--", *ODD, mark)
    w.initialize()
    return w


# what a hostile or broken client sends, why it is refused, and whether there is an id to answer
BAD_LINES = {
    "a hundred thousand nested arrays": (b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":'
                                         + b"[" * 100000 + b"]" * 100000 + b"}}\n", "nested more than 60 deep", True),
    "invalid UTF-8": (b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"\xff\xfe"}}\n', "not valid UTF-8", True),
    "a batch": (b'[{"jsonrpc":"2.0","id":5,"method":"ping"}]\n', "batches are not accepted", False),
    "duplicate keys": (b'{"jsonrpc":"2.0","id":5,"method":"ping","method":"tools/call"}\n', "the same key twice", True),
    "a raw carriage return": (b'{"jsonrpc":"2.0","id":5,"method":"ping"}\r{"jsonrpc":"2.0","id":6,"method":"tools/call"}\n',
                              "a raw control character", True),
    "a NUL": (b'{"jsonrpc":"2.0","id":5,"method":"ping\x00"}\n', "a raw control character", True),
    "an empty line": (b"\n", "it is empty", False),
    "no JSON": (b"hello\n", "not valid JSON", False),
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_a_bad_line_from_the_client_is_refused_with_the_reason_and_the_session_goes_on(person, what):
    line, reason, has_id = BAD_LINES[what]
    w = odd_running(person, "line")
    w.send_raw(line)
    if has_id:
        assert reason in w.answer(5)["error"]["message"]
    assert w.call("echo", {"text": "still here"})["result"]["content"][0]["text"] == "still here"
    assert [m.get("id") for m in map(json.loads, w.seen)] == [1] + ([5] if has_id else []) + [2], "one answer each, none to what was hidden"
    assert json.loads(w.call("heard")["result"]["content"][0]["text"]) == ["initialize", "notifications/initialized", "tools/call", "tools/call"]
    assert w.end() == 0
    refused = [r for r in person.records() if r["event"] == "message.refused"]
    assert [r["side"] for r in refused] == ["client"] and reason in refused[0]["reason"]
    person.verified()


def test_a_line_of_a_gigabyte_neither_kills_nor_fills(person):
    w = odd_running(person, "gigabyte")
    block = b"x" * (1 << 20)
    for _ in range(1024):
        w.send_raw(block)
    w.send_raw(b"\n")
    assert w.call("echo", {"text": "still here"}, timeout=180)["result"]["content"][0]["text"] == "still here"
    assert 0 < rss_kib(w.p.pid) < 64 << 10
    assert w.end() == 0
    person.verified()


def rss_kib(pid):
    total = 0
    for s in map(status_of, [pid, *children(pid)]):
        if s.get("Name", "").startswith("stockade"):
            total += int(s.get("VmRSS", "0").split()[0])
    return total


def test_a_client_that_closes_stdout_ends_the_session(person):
    person.approve("--", *ODD, "closed")
    p = subprocess.Popen([STOCKADE, "run", "--", *ODD, "closed"], env=person.env, cwd=person.work, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()
    p.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n' * 10)
    p.stdin.flush()
    said = p.stderr.read().decode()
    assert p.wait(60) in (128 + signal.SIGTERM, 128 + signal.SIGKILL), "what came first is the server's own status"
    assert said.count("stockade:") == 1 and "nobody reads our standard output any more, so the server is stopped" in said
    closed = [r for r in person.records() if r["event"] == "session.close"]
    assert [r["status"] for r in closed] == ["client gone"]
    person.verified()


def test_a_full_disk_below_what_is_printed_is_one_sentence(person):
    hosts_named = [f"--host=h{i}.example.com" for i in range(64)]  # more than a stream keeps to itself
    for words in (["check", "--json", *hosts_named, "--", "true"], ["check", *hosts_named, "--", "true"], ["check", "--json"]):
        with open("/dev/full", "wb") as full:
            r = subprocess.run([STOCKADE, *words], env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, stdout=full,
                               stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert r.returncode == 125, words
        assert r.stderr == "stockade: cannot write to standard output: No space left on device\n", words


def test_a_directory_in_place_of_the_log_refuses_to_start(person):
    person.approve("--", *ODD, "log")
    state = f"{person.home}/.local/state/stockade"
    audit = f"{state}/audit"
    if os.path.isdir(audit):
        os.rename(audit, audit + ".old")
    with open(audit, "w", encoding="utf-8") as f:
        f.write("a file where the directory belongs\n")
    one_sentence(person.stockade("run", "--", *ODD, "log"), 125, "audit")


def test_a_log_directory_of_others_refuses_to_start(person):
    person.approve("--", *ODD, "logmode")
    audit = f"{person.home}/.local/state/stockade/audit"
    os.makedirs(audit, exist_ok=True)
    os.chmod(audit, 0o777)
    one_sentence(person.stockade("run", "--", *ODD, "logmode"), 125, "audit")


@pytest.mark.root
def test_an_altered_log_shows(person):
    w = odd_running(person, "alter")
    w.call("echo", {"text": "one"})
    w.end()
    person.verified()
    audit = f"{person.home}/.local/state/stockade/audit"
    path = next(p for p in sorted(f"{d}/{n}" for d, _, ns in os.walk(audit) for n in ns)
                if b"tool.call" in open(p, "rb").read())
    with open(path, "rb") as f:
        data = f.read()
    os.chmod(path, 0o600)  # a finished log is read-only, to its owner too
    with open(path, "wb") as f:
        f.write(data.replace(b'"echo"', b'"exec"', 1))
    r = person.stockade("audit", "verify")
    assert r.returncode == 1 and os.path.basename(path).split(".")[0][:8] in r.stdout + r.stderr


NO_NAMESPACES = r"""
heard() { "$@" 2>"$HOME/words" && return; echo "status $? of $*:" >&2; cat "$HOME/words" >&2; exit 98; }
echo 0 >/proc/sys/user/max_user_namespaces
unshare --user /bin/true 2>/dev/null && exit 99
digest=$(heard "$STOCKADE" approve --print-digest -- "$@") || exit 98
heard "$STOCKADE" approve --digest "$digest" -- "$@" >/dev/null
exec "$STOCKADE" run -- "$@"
"""


def test_no_user_namespaces_is_said_with_the_stage_and_the_mend(person):
    """In a user namespace whose own limit is 0; status 99 is the control: there a second one could be made; 98 is not about them."""
    how = "--map-root-user" if os.geteuid() == 0 else "--map-current-user"
    r = subprocess.run(["unshare", "--user", how, "--keep-caps", "/bin/sh", "-c", NO_NAMESPACES, "sh", *ODD, "nouserns"],
                       env={**person.env, "STOCKADE": STOCKADE}, cwd=person.work, stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, check=False)
    one_sentence(r, 125, "namespaces", "max_user_namespaces")


def test_a_server_that_is_not_mcp_at_all_harms_nobody(person):
    person.approve("--", "/usr/bin/seq", "100000")
    w = person.start("--", "/usr/bin/seq", "100000")
    w.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
    assert "error" in w.answer(1)
    assert w.wait() == 0
