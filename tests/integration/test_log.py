# SPDX-License-Identifier: Apache-2.0
"""Nothing goes on unrecorded: a session whose log fails ends at once, in one sentence, and loses nothing that was acknowledged."""
import json
import os
import shutil
import subprocess

import pytest
from integration.harness import ODD, STOCKADE, gone, until

NEVER = {"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "never"}}


def audit_dir(person):
    return f"{person.home}/.local/state/stockade/audit"


def session_file(person):
    return next(f"{audit_dir(person)}/{n}" for n in os.listdir(audit_dir(person)) if n != "index.jsonl")


def unlinked(person):
    os.unlink(session_file(person))


def replaced(person):
    path = session_file(person)
    shutil.copy(path, path + ".copy")
    os.rename(path + ".copy", path)


def directory_moved(person):
    os.rename(audit_dir(person), audit_dir(person) + ".gone")


def directory_replaced(person):
    directory_moved(person)
    os.mkdir(audit_dir(person), 0o700)


def own_lines(err):
    return [ln for ln in err.decode("utf-8", "replace").splitlines() if ln.startswith("stockade:")]


@pytest.mark.parametrize("deed", [unlinked, replaced, directory_moved, directory_replaced])
def test_a_session_whose_log_is_taken_away_ends_with_words(person, deed):
    person.approve("--", *ODD, "mark-log-" + deed.__name__)
    w = person.start("--", *ODD, "mark-log-" + deed.__name__)
    w.initialize()
    w.send(NEVER)
    w.call("echo", {"text": "recorded"})
    deed(person)

    def ended():
        # Each call makes a record, and a record a second later than the last look finds out.
        try:
            w.send({"jsonrpc": "2.0", "id": "again", "method": "ping"})
        except BrokenPipeError:
            pass
        return w.p.poll() is not None

    until(ended)
    assert w.wait() == 125
    lines = own_lines(w.err)
    assert len(lines) == 1 and "audit log" in lines[0] and "session ends" in lines[0], w.err
    assert "error" in w.answer("slow")
    assert not gone("mark-log-" + deed.__name__)


def test_verify_says_what_is_missing_and_calls_nothing_whole(person):
    r = person.stockade("audit", "verify", check=0)
    assert r.stdout.startswith("empty:") and "whole" not in r.stdout
    person.approve("--", *ODD, "missing")
    for _ in range(2):
        w = person.start("--", *ODD, "missing")
        w.initialize()
        assert w.end() == 0
    assert person.verified().stdout.startswith("whole: 2 sessions")
    for name in os.listdir(audit_dir(person)):
        if name != "index.jsonl":
            os.unlink(f"{audit_dir(person)}/{name}")
    r = person.stockade("audit", "verify", check=1)
    assert r.stdout.count("missing file") == 2 and "damaged: 2 findings" in r.stdout
    os.unlink(f"{audit_dir(person)}/index.jsonl")
    assert json.loads(person.stockade("audit", "verify", "--json", check=0).stdout)["verdict"] == "empty"


def test_directories_in_the_places_of_logs_are_said_so(person):
    person.approve("--", *ODD, "directories")
    os.makedirs(f"{audit_dir(person)}/index.jsonl")
    os.chmod(audit_dir(person), 0o700)
    r = person.stockade("run", "--", *ODD, "directories")
    assert r.returncode == 125 and r.stdout == ""
    assert len(own_lines(r.stderr.encode())) == 1 and "directory" in r.stderr and "index.jsonl" in r.stderr
    assert os.listdir(audit_dir(person)) == ["index.jsonl"]
    os.rmdir(f"{audit_dir(person)}/index.jsonl")
    os.mkdir(f"{audit_dir(person)}/20260101T000000Z-{'0' * 32}.jsonl")
    w = person.start("--", *ODD, "directories")
    w.initialize()
    assert w.end() == 0
    r = person.stockade("audit", "verify", check=1)
    assert "20260101T000000Z" in r.stdout


# The log on a small tmpfs, in a mount namespace of the test's own; $FILL: somebody else takes the rest of it in mid-session. Where root is not
# mapped, nobody can tell whose /etc/stockade is, so it is not there: an overlay with a whiteout (overlayfs, "whiteouts and opaque directories").
SMALL_DISK = ('if [ -d /etc/stockade ] && [ "$(id -u)" != 0 ]; then mount -t tmpfs none "$AUDIT" && mkdir "$AUDIT/up" "$AUDIT/work" && '
              'mknod "$AUDIT/up/stockade" c 0 0 && mount -t overlay -o userxattr,lowerdir=/etc,upperdir="$AUDIT/up",workdir="$AUDIT/work" none /etc; '
              'fi && mount -t tmpfs -o size="$SIZE",mode=0700 none "$AUDIT" && exec "$@"')
DRIVER = r'''
import json, os, subprocess, sys
stockade, audit, fill, command = sys.argv[1], os.environ["AUDIT"], os.environ["FILL"], sys.argv[2:]
# In here what is root's is nobody's, so the plan is another one: it is approved here.
digest = subprocess.run([stockade, "approve", "--print-digest", *command], stdout=subprocess.PIPE).stdout.decode().strip()
subprocess.run([stockade, "approve", "--digest", digest, *command], check=True, stdout=sys.stderr)
p = subprocess.Popen([stockade, "run", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
answered, told = [], {}

def send(ident, name, arguments):
    p.stdin.write(json.dumps({"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": name, "arguments": arguments}}).encode() + b"\n")
    p.stdin.flush()

def take(until):
    for line in p.stdout:
        m = json.loads(line)
        if "error" in m or m["result"].get("isError"):
            told[m["id"]] = json.dumps(m)
        else:
            answered.append(m["id"])
        if m["id"] == until:
            return m["id"] in answered
    return False

try:
    send("slow", "never", {})
    for i in range(100000):
        send(i, "echo", {"text": "x", "k" * 400: 1})
        if not take(i):
            break
        if fill and i == 20:
            filler = os.open(audit + "/filler", os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                while os.write(filler, b"x" * 4096):
                    pass
            except OSError:
                os.close(filler)
except BrokenPipeError:
    pass
take(None)
err = p.stderr.read().decode("utf-8", "replace")
status = p.wait(60)
if os.path.exists(audit + "/filler"):
    os.unlink(audit + "/filler")
show = subprocess.run([stockade, "audit", "show", "--json"], stdout=subprocess.PIPE).stdout.decode()
records = [json.loads(line) for line in show.splitlines()]
verify = subprocess.run([stockade, "audit", "verify"], stdout=subprocess.PIPE)
print(json.dumps({"status": status, "answered": len(answered), "told": told, "err": err,
                  "calls": sum(r["event"] == "tool.call" for r in records), "events": [r["event"] for r in records if r["source"] == "supervisor"],
                  "verify": verify.returncode, "verdict": verify.stdout.decode()}))
'''


@pytest.mark.parametrize("size,fill", [("400k", ""), ("2m", "yes"), ("40k", "")])
def test_a_disk_that_fills_in_mid_session_ends_it_and_loses_nothing_acknowledged(person, size, fill):
    person.verified()  # makes the directories
    script = person.write("full.py", DRIVER)
    # By its file: in there the directories of the profiles are nobody's.
    profile = person.profile("full", {"stockade": 1, "name": "full", "command": [*ODD, "full"], "tools": {"rate": "1000000/s"}})
    r = subprocess.run(["unshare", "--user", "--map-root-user" if os.geteuid() == 0 else "--map-current-user", "--mount",
                        "--keep-caps", "/bin/sh", "-c", SMALL_DISK, "sh", "/usr/bin/python3", script, STOCKADE, "--profile", profile],
                       env={**person.env, "AUDIT": audit_dir(person), "SIZE": size, "FILL": fill}, cwd=person.work,
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    seen = json.loads(r.stdout.splitlines()[-1])
    assert seen["status"] == 125, seen
    lines = own_lines(seen["err"].encode())
    assert len(lines) == 1 and "disk" in lines[0] and "full" in lines[0], seen
    assert seen["verify"] == 0, seen
    if size == "40k":  # too small for a session at all: nothing was started
        assert seen["answered"] == 0 and seen["calls"] == 0, seen
        return
    assert seen["answered"] > 20 and seen["calls"] >= seen["answered"], seen
    assert "slow" in seen["told"] and "full" in seen["told"]["slow"], seen
    assert "log.full" in seen["events"] and seen["events"][-1] == "session.close", seen


def test_a_used_up_budget_ends_that_session_only(person):
    """64 MiB a session (docs/audit.md); whole arguments use it up fastest."""
    name = "mark-budget"
    person.profile(name, {"stockade": 1, "name": name, "version": 1, "description": "d", "command": [*ODD, name],
                          "tools": {"rate": "1000000/s"}, "audit": {"arguments": "full"}})
    person.approve(name)
    w = person.start(name)
    w.initialize()
    other = person.start(name)
    other.initialize()
    w.send(NEVER)
    block = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "tools/call", "params": {
        "name": "echo", "arguments": {"text": "", "filler": "x" * 16000}}}).encode()
    answered = 0
    try:
        for i in range(1, 6000):
            w.send_raw(block.replace(b'"id": 0', b'"id": %d' % i, 1) + b"\n")
            if i % 50 == 0:
                if "error" in w.answer(i):
                    break
                answered = i
    except (BrokenPipeError, EOFError):
        pass
    assert w.wait() == 125
    lines = own_lines(w.err)
    assert len(lines) == 1 and "budget" in lines[0], w.err
    assert "error" in w.answer("slow")
    assert other.call("echo", {"text": "still here"})["result"]["content"][0]["text"] == "still here"
    assert other.end() == 0
    assert answered > 3000
    assert "log.budget" in person.events()
    person.verified()


def test_what_prune_removes_or_would_it_says_as_json_and_in_words(person):
    person.approve("--", *ODD, "old")
    for _ in range(2):
        w = person.start("--", *ODD, "old")
        w.initialize()
        assert w.end() == 0
    files = {n for n in os.listdir(audit_dir(person)) if n != "index.jsonl"}
    sizes = {n: os.stat(f"{audit_dir(person)}/{n}").st_size for n in files}
    last = {r["session"]: r["seq"] for r in person.records()}
    would = json.loads(person.stockade("audit", "prune", "--size", "1", "--dry-run", "--json", check=0).stdout)
    assert {p["file"]: (p["records"], p["bytes"]) for p in would["logs"]} == {n: (last[p["session"]], sizes[n]) for p in would["logs"] for n in [p["file"]]}
    assert {p["file"] for p in would["logs"]} == files and all(p["uid"] is None and p["why"] == "size: --size 1" for p in would["logs"])
    assert (would["dry_run"], would["sessions"], would["bytes"], would["failed"]) == (True, 2, sum(sizes.values()), None)
    assert files <= set(os.listdir(audit_dir(person)))
    one = person.stockade("audit", "prune", "--size", str(max(sizes.values())), check=0).stdout.splitlines()
    assert len(one) == 2 and one[0].startswith("removed ") and one[1].startswith("removed 1 session, "), one
    gone_now = json.loads(person.stockade("audit", "prune", "--size", "1", "--json", check=0).stdout)
    assert (gone_now["dry_run"], gone_now["sessions"]) == (False, 1) and not files & set(os.listdir(audit_dir(person)))
    assert json.loads(person.stockade("audit", "prune", "--json", check=0).stdout)["logs"] == []
    person.verified()


@pytest.mark.parametrize("words", [["prune", "--collector"], ["export", "--collector", "--format", "jsonl"], ["key", "--collector"]])
def test_where_no_collector_has_run_its_commands_say_so(person, words):
    # Another test's policy, where one lies there now, would be nobody's in this namespace.
    over = 'mount -t tmpfs none /var/lib && mount -t tmpfs none /var/log && { [ ! -d /etc/stockade ] || mount -t tmpfs -o mode=755 none /etc/stockade; } && exec "$@"'
    r = subprocess.run(["unshare", "-rm", "sh", "-c", over, "sh", STOCKADE, "audit", *words], env=person.env, stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, check=False)
    assert r.returncode == 125 and "is not there: no collector has run on this machine" in r.stderr, r


def test_what_does_not_go_with_denied_is_refused_with_all_that_does(person):
    told = person.stockade("audit", "show", "--denied", "-n", "1", check=2).stderr
    for option in ("since", "until", "session", "server", "client", "tool", "dir"):
        person.stockade("audit", "show", "--denied", f"--{option}", {"since": "today", "until": "today", "dir": audit_dir(person)}.get(option, "x"), check=0)
        assert f"--{option}" in told, told
