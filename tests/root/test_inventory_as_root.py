# SPDX-License-Identifier: Apache-2.0
"""Of all users: each one's files are read with that user's rights and with no others."""
import ctypes
import json
import os
import pwd
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

import pytest
from integration.harness import STAGE, STOCKADE, until

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

ENTRY = '{"mcpServers": {"%s": {"command": "/opt/x"}}}'
OVER = 'mount --bind "$0" /etc/passwd && exec "$@"'
# Somebody who took over what reads his files, before it is confined, is as good as one who wrote it.
TAKEN = 'mount --bind "$READER" "$PROGRAM" && ' + OVER


@pytest.fixture
def users(person):
    """Two users with homes of their own, in a passwd of the test's own."""
    base = tempfile.mkdtemp(dir="/tmp")
    os.chmod(base, 0o755)
    lines = [f"root:x:0:0::{person.home}:/bin/sh"]
    for name, uid in (("ann", 40001), ("bob", 40002)):
        os.makedirs(f"{base}/{name}/.cursor")
        lines.append(f"{name}:x:{uid}:{uid}::{base}/{name}:/bin/sh")
        for path in (f"{base}/{name}", f"{base}/{name}/.cursor"):
            os.chown(path, uid, uid)
            os.chmod(path, 0o700)
    with open(f"{base}/passwd", "w", encoding="ascii") as f:
        f.write("\n".join([*lines, "low:x:999:999::/tmp:/bin/sh", ""]))
    yield base
    shutil.rmtree(base)


def put(base, name, text, uid):
    path = f"{base}/{name}/.cursor/mcp.json"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chown(path, uid, uid)
    os.chmod(path, 0o600)
    return path


def inventory(person, base, status=0, reader=None):
    env = {**person.env, "READER": reader or "", "PROGRAM": f"{STAGE}/prefix/libexec/stockade/stockade-inventory"}
    r = subprocess.run(["unshare", "-m", "sh", "-c", TAKEN if reader else OVER, f"{base}/passwd", STOCKADE, "inventory", "--all-users", "--json"], env=env,
                       cwd=person.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=100, check=False)
    assert r.returncode == status, r.stderr
    return json.loads(r.stdout)


def taken_over(base, ann):
    """A reader that does the same for root and bob as it does for ann, but for the words of hers."""
    path = f"{base}/reader"
    with open(path, "w", encoding="ascii") as f:
        f.write(f'''#!/bin/sh
case " $* " in *"{base}/ann "*) {ann};; esac
printf 'E c\\nF /f\\nN n\\n.\\n'
''')
    os.chmod(path, 0o755)
    return path


def test_every_users_files_are_found_with_whose_they_are(person, users):
    put(users, "ann", ENTRY % "a", 40001)
    put(users, "bob", ENTRY % "b", 40002)
    os.makedirs(f"{person.home}/.cursor")
    with open(f"{person.home}/.cursor/mcp.json", "w", encoding="ascii") as f:
        f.write(ENTRY % "r")
    assert [(e["user"], e["name"]) for e in inventory(person, users)["entries"]] == [("root", "r"), ("ann", "a"), ("bob", "b")]


def test_a_link_leads_no_further_than_its_owner_may_read(person, users):
    secret = put(users, "ann", ENTRY % "private", 40001)
    link = f"{users}/bob/.cursor/mcp.json"
    os.symlink(secret, link)
    entries = {(e["user"], e["name"]): e["why"] for e in inventory(person, users)["entries"]}
    assert entries == {("ann", "private"): None, ("bob", None): "Permission denied"}, entries
    os.unlink(link)
    with open(f"{person.base}/roots", "w", encoding="ascii") as f:
        f.write(ENTRY % "roots")
    os.chmod(f"{person.base}/roots", 0o600)
    os.symlink(f"{person.base}/roots", link)
    assert "roots" not in json.dumps([e["name"] for e in inventory(person, users)["entries"]])
    assert [e["why"] for e in inventory(person, users)["entries"] if e["user"] == "bob"] == ["Permission denied"]


def test_another_users_profile_is_not_read_with_our_rights(person, users):
    person.profile("mine", {"stockade": 1, "name": "mine", "version": 1, "owner": "o", "command": ["/usr/bin/true"]})
    put(users, "ann", '{"mcpServers": {"a": {"command": "stockade", "args": ["run", "mine"]}}}', 40001)
    entry = [e for e in inventory(person, users)["entries"] if e["user"] == "ann"][0]
    assert entry["profile"] == "mine" and "owner" not in entry, entry


def test_only_root_may_ask_for_all_users():
    nobody = pwd.getpwnam("stockade-test")
    r = subprocess.run(["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", STOCKADE, "inventory", "--all-users"],
                       env={"HOME": nobody.pw_dir, "PATH": "/usr/bin:/bin"}, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert r.returncode == 125 and "root alone may" in r.stderr, r.stderr


def test_a_reader_that_somebody_took_over_has_no_terminal_of_roots(person, users):
    told = inventory(person, users, reader=taken_over(users, 'printf "E c\\nF /f\\nN %s %s\\n.\\n" "$(readlink /proc/$$/fd/2)"'
                                                             ' "$(test "$(cut -d" " -f6 /proc/$$/stat)" = $$ && echo own)"'))["entries"]
    assert [e["name"] for e in told if e["user"] == "ann"] == ["/dev/null own", "n"], told


@pytest.mark.parametrize("ann", ["exec >&- 2>&-; exec sleep 3600", "printf 'E c\\nF /f\\nN \\377\\n.\\n'", "exec cat /dev/zero"],
                         ids=["says no more and does not end", "says what is no text", "says too much"])
def test_a_reader_that_somebody_took_over_keeps_nobody_elses_servers_from_being_listed(person, users, ann):
    told = inventory(person, users, status=125, reader=taken_over(users, ann))
    assert {e["user"] for e in told["entries"]} >= {"root", "bob"}
    assert [w for w in told["failed"] if " ann " in w] == told["failed"] != []


class Silent:
    """A file system of ann's that takes every question but the first, and answers none of them (fuse(4))."""

    def __init__(self, path, more=""):
        self.path, self.fd = path, os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self.libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.fd},rootmode=40000,user_id=40001,group_id=40001{more}".encode()
        assert self.libc.mount(b"fuse", path.encode(), b"fuse", 0, options) == 0, ctypes.get_errno()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            unique = struct.unpack_from("=IIQ", os.read(self.fd, 1 << 20))[2]
            os.write(self.fd, struct.pack("=IiQ", 80, 0, unique) + struct.pack("=IIIIHHIIHHI28x", 7, 31, 1 << 17, 0, 12, 9, 1 << 17, 1, 32, 0, 0))
            while True:
                os.read(self.fd, 1 << 20)
        except OSError:
            return

    def end(self):
        self.libc.umount2(self.path.encode(), 1 | 2)  # MNT_FORCE aborts what waits, MNT_DETACH
        os.close(self.fd)


def test_a_file_system_that_answers_nothing_holds_up_one_user_for_a_while_and_not_the_command(person, users):
    put(users, "bob", ENTRY % "b", 40002)
    silent = Silent(f"{users}/ann/.cursor")
    try:
        told = inventory(person, users, status=125)
    finally:
        silent.end()
    assert [e["name"] for e in told["entries"]] == ["b"]
    assert len(told["failed"]) == 1 and "of ann could not be read within 30 s" in told["failed"][0], told["failed"]


@pytest.mark.needs("fuse")
def test_a_program_on_a_file_system_that_answers_nothing_holds_up_no_inventory(person, users):
    """It runs from what a process of the user's serves, who has stopped that one; the control is who asks for the file itself."""
    put(users, "bob", ENTRY % "b", 40002)
    content, image, at = (f"{users}/ann/{n}" for n in ("content", "image", "at"))
    os.mkdir(content)
    os.mkdir(at)
    shutil.copy("/usr/bin/sleep", f"{content}/server")
    subprocess.run(["mksquashfs", content, image, "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    with subprocess.Popen(["squashfuse", "-f", "-o", "allow_other", image, at]) as server:
        assert until(lambda: os.path.ismount(at))
        with subprocess.Popen([f"{at}/server", "600"], stdin=subprocess.DEVNULL, cwd="/") as p:
            try:
                assert until(lambda: os.readlink(f"/proc/{p.pid}/exe") == f"{at}/server")
                server.send_signal(signal.SIGSTOP)
                time.sleep(3)  # the kernel believes what it was told for a second (attr_timeout, mount.fuse3(8))
                with subprocess.Popen(["stat", "-L", f"/proc/{p.pid}/exe"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as control:
                    told = inventory(person, users)
                    assert control.poll() is None, "nothing holds up who asks"
                    server.kill()
                    control.wait(60)
            finally:
                server.kill()
                p.kill()
                subprocess.run(["umount", "-l", at], check=False)
    assert [e["name"] for e in told["entries"]] == ["b"]


def test_users_with_numbers_beyond_sixteen_bits_are_users(person, users):
    with open(f"{users}/passwd", "a", encoding="ascii") as f:
        f.write(f"dir:x:1720400001:1720400001::{users}/dir:/bin/sh\n")
    os.makedirs(f"{users}/dir/.cursor")
    put(users, "dir", ENTRY % "d", 1720400001)
    for path in (f"{users}/dir", f"{users}/dir/.cursor"):
        os.chown(path, 1720400001, 1720400001)
    assert ("dir", "d") in [(e["user"], e["name"]) for e in inventory(person, users)["entries"]]


@pytest.mark.parametrize("shows", [True, False], ids=["that may be looked at", "that may not be dumped"])
def test_no_link_is_followed_with_roots_rights_that_a_users_process_names(person, users, shows):
    """Its script leads, by now, to where root alone may look; what is told is the word that the process was started with."""
    script, hidden = f"{users}/ann/tool.py", f"{person.base}/roots"
    os.mkdir(hidden, 0o700)
    for path in (f"{hidden}/behind.py", f"{users}/ann/real.py"):
        with open(path, "w", encoding="ascii") as f:
            f.write("import ctypes, sys, time\nctypes.CDLL(None).prctl(4, %d)\nprint('up', flush=True)\ntime.sleep(600)\n" % shows)
        os.chmod(path, 0o644)
    os.symlink(f"{users}/ann/real.py", script)
    put(users, "ann", json.dumps({"mcpServers": {"a": {"command": "python3", "args": [script]}}}), 40001)
    with subprocess.Popen(["setpriv", "--reuid=40001", "--regid=40001", "--clear-groups", "/usr/bin/python3", script],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}, cwd="/") as p:
        try:
            assert p.stdout.readline() == b"up\n"
            os.unlink(script)
            os.symlink(f"{hidden}/behind.py", script)
            assert os.path.realpath(script) == f"{hidden}/behind.py"  # the control: root can follow it
            found = [r for r in inventory(person, users)["running"] if r["pid"] == p.pid]
        finally:
            p.kill()
    assert [(r["how"], r["script"]) for r in found] == [("certain", script)], found


def test_the_script_of_roots_own_process_is_told_by_the_file_behind_its_link(person, users):
    with open(f"{person.base}/real.py", "w", encoding="ascii") as f:
        f.write("import time\nprint('up', flush=True)\ntime.sleep(600)\n")
    link = f"{person.base}/tool.py"
    os.symlink(f"{person.base}/real.py", link)
    os.makedirs(f"{person.home}/.cursor")
    with open(f"{person.home}/.cursor/mcp.json", "w", encoding="ascii") as f:
        json.dump({"mcpServers": {"a": {"command": "python3", "args": [link]}}}, f)
    with subprocess.Popen(["/usr/bin/python3", link], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}, cwd="/") as p:
        try:
            assert p.stdout.readline() == b"up\n"
            found = [r for r in inventory(person, users)["running"] if r["pid"] == p.pid]
        finally:
            p.kill()
    assert [r["script"] for r in found] == [f"{person.base}/real.py"], found
