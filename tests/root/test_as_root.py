# SPDX-License-Identifier: Apache-2.0
"""What only root meets: who the server is, whose the files are that it leaves, and what others see of root's sessions."""
import json
import os
import pwd
import stat
import subprocess
import time

import pytest
from integration.harness import ODD, STOCKADE, executable, processes, status_of, until

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]
SERVER = pwd.getpwnam("_stockade")
OTHER = pwd.getpwnam("stockade-test")


def servers(mark):
    """Pids whose program is the server's interpreter, whatever they are called."""
    return [p for p in processes(mark) if os.path.basename(executable(p)).startswith("python3")]


def started(person, mark, *grants, **kw):
    command = [*grants, "--", *ODD, mark]
    person.approve(*command)
    wire = person.start(*command, **kw)
    wire.initialize()
    return wire


def test_seen_from_outside_neither_the_server_nor_its_children_have_an_id_or_a_right_of_root(person):
    mark = "ids-" + os.path.basename(person.base)
    wire = started(person, mark, extra_groups=[0, 4, 6])  # root, adm, disk
    wire.call("spawn", {"n": 3})
    pids = until(lambda: len(found := servers(mark)) >= 4 and found)
    for s in map(status_of, pids):
        assert s["Uid"].split() == [str(SERVER.pw_uid)] * 4, s
        assert s["Gid"].split() == [str(SERVER.pw_gid)] * 4 and s["Groups"].strip() in ("", str(SERVER.pw_gid))
        assert {s[k].strip("0") for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
        assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
    wire.end()


def test_what_a_server_writes_belongs_to_the_servers_user(person):
    wire = started(person, "owner", "--rw", person.work)
    path = f"{person.work}/new.txt"
    assert "written" in json.dumps(wire.call("write", {"path": path, "text": "x"}))
    wire.end()
    st = os.stat(path)
    assert (st.st_uid, st.st_gid) == (SERVER.pw_uid, SERVER.pw_gid) and not st.st_mode & (stat.S_ISUID | stat.S_ISGID)


def test_a_file_of_roots_in_a_granted_directory_stays_as_it_is(person):
    path = person.write("roots.txt", "mine", 0o644)
    wire = started(person, "roots", "--rw", person.work)
    assert "errno 13" in json.dumps(wire.call("write", {"path": path, "text": "x"}))
    wire.end()
    with open(path, encoding="ascii") as f:
        assert f.read() == "mine"


def test_a_grant_that_the_servers_user_may_not_use_is_refused_before_the_launch(person):
    secret = f"{person.base}/roots-own"
    os.mkdir(secret, 0o700)
    r = person.stockade("run", "--rw", secret, "--", *ODD, "x")
    assert r.returncode == 125 and secret in r.stderr and "_stockade" in r.stderr, r.stderr


def test_a_private_home_keeps_what_was_put_there_and_is_the_servers_users_alone(person):
    person.profile("keeper", {"stockade": 1, "name": "keeper", "version": 1, "command": [*ODD, "keeper"],
                              "filesystem": {"home": "private"}})
    person.approve("keeper")
    note = f"{person.home}/note.txt"
    for call, arguments, part in (("write", {"path": note, "text": "kept"}, "written"), ("read", {"path": note}, "kept")):
        wire = person.start("keeper")
        wire.initialize()
        assert part in json.dumps(wire.call(call, arguments))
        wire.end()
    assert not os.path.exists(note)
    homes = f"{person.home}/.local/state/stockade/homes"
    for path, mode, uid in ((homes, 0o40700, 0), (f"{homes}/keeper", 0o40700, SERVER.pw_uid)):
        st = os.stat(path)
        assert (st.st_mode, st.st_uid) == (mode, uid), path
    assert os.stat(f"{homes}/keeper/note.txt").st_uid == SERVER.pw_uid


def test_the_log_and_what_was_approved_stay_roots_alone(person):
    started(person, "log").end()
    person.verified()
    state = f"{person.home}/.local/state/stockade"
    seen = [os.path.join(d, n) for d, ds, fs in os.walk(state) for n in ds + fs]
    assert any(p.endswith(".jsonl") for p in seen)
    for path in [state, *seen]:
        st = os.lstat(path)
        assert st.st_uid == 0 and not st.st_mode & 0o077, path


def test_another_user_neither_lists_nor_stops_a_session_of_roots(person):
    wire = started(person, "stranger")
    [session] = json.loads(person.stockade("ps", "--json", check=0).stdout)
    as_other = ["setpriv", f"--reuid={OTHER.pw_uid}", f"--regid={OTHER.pw_gid}", "--clear-groups", "env",
                f"HOME={OTHER.pw_dir}", STOCKADE]
    r = subprocess.run([*as_other, "ps", "--json"], env=person.env, cwd="/", capture_output=True, text=True, check=False)
    assert session["session"] not in r.stdout, r.stdout
    r = subprocess.run([*as_other, "stop", session["session"]], env=person.env, cwd="/", capture_output=True, text=True, check=False)
    assert r.returncode != 0
    time.sleep(0.3)
    assert "here" in json.dumps(wire.call("echo", {"text": "here"}))
    person.stockade("stop", session["session"], check=0)
    wire.wait()


def test_without_the_servers_user_nothing_starts_and_the_mend_is_named(person):
    with open("/etc/passwd", encoding="utf-8") as f:
        passwd = person.write("passwd", "".join(ln for ln in f if not ln.startswith("_stockade:")))
    r = subprocess.run(["unshare", "--mount", "/bin/sh", "-c", 'mount --bind "$1" /etc/passwd && shift && exec "$@"', "sh", passwd,
                        STOCKADE, "run", "--", *ODD, "nobody"],
                       env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 125 and "useradd --system" in r.stderr, r.stderr


def test_an_entry_or_a_count_of_another_user_is_not_believed(person):
    wire = started(person, "counts")
    listed = json.loads(person.stockade("ps", "--json", check=0).stdout)
    assert len(listed) == 1 and listed[0]["rate"] is not None
    places = [d for base in (person.home, f"/run/user/{os.geteuid()}") for d, _, files in os.walk(base) if f"{listed[0]['session']}.stat" in files]
    with open(f"{places[0]}/{listed[0]['session']}.json", encoding="utf-8") as f:
        entry = json.load(f)
    forged = f"{places[0]}/{'f' * 32}.json"
    with open(forged, "w", encoding="utf-8") as f:
        json.dump({**entry, "session": "f" * 32}, f)
    os.chmod(forged, 0o600)
    assert len(json.loads(person.stockade("ps", "--json", check=0).stdout)) == 2  # root's own would be believed
    os.chown(forged, OTHER.pw_uid, -1)
    os.chown(f"{places[0]}/{listed[0]['session']}.stat", OTHER.pw_uid, -1)
    listed = json.loads(person.stockade("ps", "--json", check=0).stdout)
    assert len(listed) == 1 and listed[0]["rate"] is None and listed[0]["calls"] == 0
    os.unlink(forged)
    wire.end()


FULL = """mount -t tmpfs -o size=1m,mode=700 none "$XDG_RUNTIME_DIR" && "$@" && dd if=/dev/zero of="$XDG_RUNTIME_DIR/fill" bs=4096 2>/dev/null
for pages in 0 1 2 3 4 5; do "$@"; echo "$?"; truncate -s -4096 "$XDG_RUNTIME_DIR/fill"; done"""


def test_a_runtime_directory_that_is_full_ends_no_session_by_a_signal(person):
    """A page that is only needed once something is counted would be a SIGBUS then."""
    command = ["--", "/usr/bin/cat"]
    os.mkdir(f"{person.base}/runtime", 0o700)
    person.env["XDG_RUNTIME_DIR"] = f"{person.base}/runtime"
    person.approve(*command)
    r = subprocess.run(["unshare", "-m", "sh", "-c", FULL, "sh", STOCKADE, "run", *command], env=person.env, cwd=person.work, stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=100, check=False)
    said = [line for line in r.stdout.split() if line.isdigit()]
    assert set(said) == {"0", "125"} and len(said) == 6, f"{r.stdout} {r.stderr}"
    assert "cannot make the session's counters: No space left on device" in r.stderr, r.stderr
