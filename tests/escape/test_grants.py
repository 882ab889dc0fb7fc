# SPDX-License-Identifier: Apache-2.0
"""Grants that would open the sandbox from outside: on stockade's own files, on a client's, and paths that change."""
import ctypes
import json
import os
import pwd
import random
import signal
import subprocess
import time

import pytest
from escape.world import LIBC, SECRET, World
from integration.harness import STAGE, command_name, processes, until

OWN = {
    "stockade's state": "{home}/.local/state/stockade",
    "a directory in stockade's state": "{home}/.local/state/stockade/approvals",
    "the audit log": "{home}/.local/state/stockade/audit",
    "what contains stockade's state": "{home}/.local",
    "stockade's configuration": "{home}/.config/stockade",
    "what contains stockade's configuration": "{home}/.config",
    "the home": "{home}",
    "the root": "/",
    "stockade's programs": STAGE + "/prefix/libexec/stockade",
    "stockade itself": STAGE + "/prefix/bin/stockade",
    "stockade's profiles": STAGE + "/prefix/share/stockade",
    "Claude Code's configuration": "{home}/.claude.json",
    "Claude Code's directory": "{home}/.claude",
    "Cursor's configuration": "{home}/.cursor",
    "VS Code's configuration": "{home}/.config/Code/User",
    "Codex's configuration": "{home}/.codex",
    "a client's configuration of a project": "{proj}/.mcp.json",
    "an editor's configuration of a project": "{proj}/.vscode",
    "the runtime directory": "{base}/runtime",
    "a socket in the runtime directory": "{base}/runtime/stockade",
    "a link to stockade's state": "{base}/work/link-to-state",
    "stockade's state through /proc": "/proc/self/root{home}/.local/state/stockade",
    "stockade's state with dots": "{home}/.local/state/../state/stockade",
}


@pytest.fixture
def world():
    w = World()
    for d in (".local/state/stockade/approvals", ".local/state/stockade/audit", ".config/stockade", ".config/Code/User",
              ".claude", ".cursor", ".codex"):
        os.makedirs(f"{w.home}/{d}", mode=0o700)
    os.mkdir(f"{w.work}/proj/zz")
    for d in (".local/state/stockade", ".config/stockade"):
        os.chmod(f"{w.home}/{d}", 0o700)
    with open(f"{w.home}/.claude.json", "w", encoding="ascii") as f:
        f.write("{}")
    os.makedirs(f"{w.base}/runtime/stockade", mode=0o700)
    os.chmod(f"{w.base}/runtime", 0o700)
    w.env["XDG_RUNTIME_DIR"] = f"{w.base}/runtime"
    os.symlink(f"{w.home}/.local/state/stockade", f"{w.work}/link-to-state")
    yield w
    w.done()


@pytest.mark.parametrize("grant", ["--ro", "--rw"])
@pytest.mark.parametrize("what", OWN)
def test_it_cannot_be_granted_on_the_command_line(world, what, grant):
    path = OWN[what].format(**world.names(True))
    assert os.path.exists(path)
    for command in (["run"], ["approve", "--print-digest"]):
        r = world.stockade(*command, grant, path, "--", world.bin, "--mark", world.mark)
        assert r.returncode == (2 if ".." in path else 125), f"{r.returncode}: {r.stderr}"
        assert r.stderr.startswith("stockade: ") and ("holds no '..'" if ".." in path else "cannot be granted") in r.stderr, r.stderr
    assert processes(world.mark) == [world.sleeper.pid], "nothing was started"


@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize("what", ["stockade's state", "what contains stockade's state", "the home", "Claude Code's configuration"])
def test_it_cannot_be_granted_by_a_profile(world, what, kind):
    path = OWN[what].format(**world.names(True))
    world.profile("greedy", {"stockade": 1, "name": "greedy", "version": 1, "description": "asks too much",
                             "command": [world.bin, "--mark", world.mark], "filesystem": {kind: [path]}})
    r = world.stockade("run", "greedy")
    assert r.returncode == 125 and "cannot be granted" in r.stderr, f"{r.returncode}: {r.stderr}"


def test_a_file_in_stockades_state_cannot_be_the_server(world):
    own = f"{world.home}/.local/state/stockade/server"
    os.link(world.bin, own)
    r = world.stockade("run", "--", own)
    assert r.returncode == 126 and "stockade's own" in r.stderr, r.stderr


def test_state_moved_by_the_environment_is_guarded_where_it_is(world):
    world.env["XDG_STATE_HOME"] = f"{world.work}/elsewhere"
    os.makedirs(f"{world.work}/elsewhere/stockade", mode=0o700)
    r = world.stockade("run", "--rw", f"{world.work}/elsewhere", "--", world.bin)
    assert r.returncode == 125 and "cannot be granted" in r.stderr, r.stderr


PLACES = {"the approvals of every usual launch": ".local/state/stockade/approvals", "the state of every usual launch": ".local/state",
          "the configuration of every usual launch": ".config/stockade", "data of every usual launch": ".local/share/stockade"}


@pytest.mark.parametrize("what", PLACES)
@pytest.mark.parametrize("moved", ["by XDG_* variables", "by HOME"])
def test_a_launch_that_has_its_state_elsewhere_cannot_be_granted(world, what, moved):
    path = f"{world.home if 'XDG' in moved else login_home()}/{PLACES[what]}"
    names = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME") if "XDG" in moved else ()
    os.makedirs(f"{world.work}/elsewhere", mode=0o700)
    made = [d for d in parents(path) if not os.path.exists(d)]
    os.makedirs(path, mode=0o700, exist_ok=True)
    try:
        for command in (["run"], ["approve", "--print-digest"]):
            world.env.update({n: f"{world.work}/elsewhere" for n in names})
            r = world.stockade(*command, "--rw", path, "--", world.bin, "--mark", world.mark)
            assert r.returncode == 125 and "cannot be granted" in r.stderr and "stockade's own" in r.stderr, r.stderr
    finally:
        for d in reversed(made):
            os.rmdir(d)


def test_a_file_in_the_state_of_every_usual_launch_cannot_be_the_server(world):
    own = f"{world.home}/.local/state/stockade/server"
    os.link(world.bin, own)
    world.env["XDG_STATE_HOME"] = f"{world.work}/elsewhere"
    r = world.stockade("run", "--", own)
    assert r.returncode == 126 and "stockade's own" in r.stderr, r.stderr


def login_home():
    return pwd.getpwuid(os.geteuid()).pw_dir


def parents(path):
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(2, len(parts) + 1)]


def test_a_granted_directory_that_became_a_link_is_another_plan(world):
    proj = f"{world.work}/proj"
    command = ["--rw", proj, "--", world.bin, "--mark", world.mark]
    approved = world.approve(*command)
    os.rename(proj, proj + ".old")
    os.symlink(f"{world.home}/.ssh", proj)
    r = world.stockade("approve", "--print-digest", *command)
    assert r.returncode != 0 or r.stdout.strip() != approved
    wire = world.start(*command)
    time.sleep(1)
    assert [p for p in processes(world.mark) if p != world.sleeper.pid and command_name(p) == "attempts"] == [], "nothing runs"
    wire.p.send_signal(signal.SIGTERM)
    wire.wait()


RENAME_EXCHANGE, AT_FDCWD, LAUNCHES = 2, -100, 24


def exchange_for_ever(a, b):
    """In a child: two names change places, at a pace at which a launch sees now one, now the other, now both."""
    pid = os.fork()
    if pid == 0:
        LIBC.prctl(1, signal.SIGKILL)
        rng = random.Random(20261121)
        while True:
            LIBC.renameat2(AT_FDCWD, ctypes.c_char_p(a.encode()), AT_FDCWD, ctypes.c_char_p(b.encode()), RENAME_EXCHANGE)
            time.sleep(rng.uniform(0.0005, 0.008))
    return pid


# What stockade itself answers while nobody has approved.
WAITS = "stockade is waiting for the user's approval of 'attempts'; the user can see it with stockade approve"


def launch_and_read(world, command, path):
    """What the server says of the path; None when it was not started: it is another plan now, and waits to be approved."""
    wire = world.start(*command)
    try:
        wire.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": "open-read", "arguments": {"args": [path]}}})
        until(lambda: not wire.lines.empty() or b"approval" in wire.err or wire.p.poll() is not None)
        text = None if wire.lines.empty() else wire.answer(1)["result"]["content"][0]["text"]
        return None if text == WAITS else text
    except (EOFError, BrokenPipeError, KeyError):
        return None
    finally:
        wire.kill()


def test_a_granted_directory_that_changes_place_with_a_link_never_leads_outside(world):
    """What a launch that comes up has mounted is what was approved: never ~/.ssh, to which the link leads."""
    proj, link = f"{world.work}/proj", f"{world.work}/swapped"
    os.symlink(f"{world.home}/.ssh", link)
    command = ["--rw", proj, "--", world.bin, "--mark", world.mark]
    world.approve(*command)
    racer = exchange_for_ever(proj, link)
    try:
        seen = [launch_and_read(world, command, f"{proj}/id_ed25519") for _ in range(LAUNCHES)]
        # How many win the race is the machine's pace; one must.
        until(lambda: "ABSENT ENOENT" in seen or seen.append(launch_and_read(world, command, f"{proj}/id_ed25519")))
        until(lambda: world.control("plain", ["open-read", "{proj}/id_ed25519"]) == "SUCCEEDED")  # outside, it does lead there
    finally:
        os.kill(racer, signal.SIGKILL)
        os.waitpid(racer, 0)
    assert set(seen) <= {"ABSENT ENOENT", None}, seen
    assert "ABSENT ENOENT" in seen, "at least one launch won the race and was safe all the same"


def test_what_the_users_tools_would_run_is_reported_when_it_appears(world):
    """What does not exist cannot be mounted read-only: its creation is written down."""
    wire = world.serve("--rw", "{proj}")
    for name in (".cursorrules", ".git/commondir", "opencode.json"):
        assert world.inside(wire, ["create", f"{{proj}}/{name}"]) == "SUCCEEDED"
    wire.end()
    said = json.dumps([r for r in world.records() if r["event"] == "file.planted"])
    for name in (".cursorrules", ".git/commondir", "opencode.json"):
        assert f"/{name}" in said, said
    world.verified()


def planted(world):
    return json.dumps([r for r in world.records() if r["event"] == "file.planted"])


HIDING = {
    "behind a path that is too deep": ["deep", "{proj}/a", "140"],
    "in a directory that cannot be listed": ["hide-directory", "{proj}/hidden"],
}


@pytest.mark.parametrize("how", HIDING)
def test_what_is_planted_cannot_be_kept_from_the_report(world, how):
    wire = world.serve("--rw", "{proj}")
    assert world.inside(wire, HIDING[how]) == "SUCCEEDED"
    assert world.inside(wire, ["create", "{proj}/zz/.cursorrules" if "deep" in how else "{proj}/hidden/.cursorrules"]) == "SUCCEEDED"
    wire.end()
    assert "could not be looked through" in planted(world) and b"could not be looked through" in wire.err


def test_a_planted_link_in_the_place_of_git_is_reported(world):
    wire = world.serve("--rw", "{proj}")
    assert world.inside(wire, ["symlink-read", "{proj}/vendor/.git", "{proj}/tree"]) == "SUCCEEDED"
    wire.end()
    assert "/proj/vendor/.git" in planted(world)


def test_a_directory_that_cannot_be_listed_does_not_lift_protection_at_the_next_launch(world):
    """The first session hides the names; the second would find none to protect."""
    wire = world.serve("--rw", "{proj}")
    assert world.inside(wire, ["hide-directory", "{proj}"]) == "SUCCEEDED"
    wire.end()
    r = world.stockade("run", "--rw", f"{world.work}/proj", "--", world.bin, "--mark", world.mark)
    assert r.returncode == 125 and "cannot look for protected names" in r.stderr, f"{r.returncode}: {r.stderr}"
    os.chmod(f"{world.work}/proj", 0o755)


PROOFS = {  # what says that a directory is another thing than a project: the repository below it, the file
    "a build directory": ("target/repo", "target/CACHEDIR.TAG"),
    "a virtual environment": ("venv/repo", "venv/pyvenv.cfg"),
    "git's own objects": ("objects/repo", "HEAD"),
}


@pytest.mark.parametrize("what", PROOFS)
def test_a_planted_file_does_not_lift_protection_at_the_next_launch(world, what):
    """The first session makes a directory look like one that holds nothing of the user's."""
    repo, proof = PROOFS[what]
    hooks = f"{world.work}/proj/{repo}/.git/hooks"
    os.makedirs(hooks)
    wire = world.serve("--rw", "{proj}")
    assert world.inside(wire, ["create", f"{{proj}}/{proof}"]) == "SUCCEEDED"
    wire.end()
    wire = world.serve("--rw", "{proj}")
    assert world.inside(wire, ["create", f"{hooks}/post-checkout"]) != "SUCCEEDED"
    wire.end()
    assert not os.listdir(hooks)
    assert world.control("plain", ["create", f"{hooks}/post-checkout"]) == "SUCCEEDED"


def every_file(top):
    for base, _, names in os.walk(top):
        for name in names:
            yield f"{base}/{name}"


def test_a_passed_secret_is_on_no_command_line_and_in_no_file(world):
    world.env["TOKEN"] = SECRET
    wire = world.serve("--env", "TOKEN")
    assert world.inside(wire, ["environment", "TOKEN"]) == "SUCCEEDED", "the server was given it"
    assert not processes(SECRET)
    wire.call("environment", {"args": ["TOKEN", SECRET]})
    wire.call("no-such", {"args": [], "token": SECRET})
    wire.end()
    for path in every_file(f"{world.home}/.local/state/stockade"):
        with open(path, "rb") as f:
            assert SECRET.encode() not in f.read(), path
    assert SECRET.encode() not in wire.err
    for command in (["approvals", "--json"], ["audit", "show", "--json"], ["check", "--json", "--env", "TOKEN", "--", world.bin]):
        r = world.stockade(*command)
        assert SECRET not in r.stdout + r.stderr, command


def test_outside_a_secret_on_a_command_line_is_seen_by_all(world):
    p = subprocess.Popen([world.bin, "--mark", SECRET], stdin=subprocess.PIPE)
    assert until(lambda: processes(SECRET) == [p.pid])
    p.communicate()
