# SPDX-License-Identifier: Apache-2.0
"""Between check and use: whatever of root's files is swapped under a launch, what is shown and what starts was signed as the policy asks.

Each file is exchanged all the time for one that would let more happen if it were believed, and for a link to it, while a user looks and starts.
"""
import json
import os
import re
import shutil
import subprocess

import pytest
from integration.harness import STOCKADE
from root.test_consent_by import AS, Fleet
from root.test_policy import machine  # noqa: F401  pylint: disable=unused-import
from root.test_signatures import put

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

# A word of its command names a tool, and a variable says what it writes: "evil" stands in no text that is shown of a good one.
SERVER = """
import json, os, sys
names = ["get"] + ["e" + word for word in sys.argv[1:]]
sys.stderr.write(os.environ.get("MODE", ""))
for line in sys.stdin:
    m = json.loads(line)
    answer = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "n", "version": "1"}},
              "tools/list": {"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in names]}}.get(m.get("method"))
    if answer:
        print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": answer}), flush=True)
"""
COMMAND = ["/usr/bin/python3", "-I", "-c", SERVER]
EVIL = {"env": {"set": {"MODE": "evil"}}}
LONG_AGO, SHOWN_AS = 946684800, "2000-01-01"
LINES = "".join(json.dumps({"jsonrpc": "2.0", **m}) + "\n" for m in (
    {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}},
    {"method": "notifications/initialized"}, {"id": 2, "method": "tools/list"}))
MET, TRIES = 15, 400

# GOOD BAD PATH: the one, the other, a link to the other. Now and then the good one stays for a while, or hardly a launch would meet it alone.
SWAP = """
import os, random, shutil, sys, time
good, bad, path = sys.argv[1:]
new = path + ".new"
while True:
    for how in (good, bad, good, None):
        if how:
            shutil.copy(how, new)
        else:
            os.symlink(bad, new)
        os.rename(new, path)
        if how == good and random.random() < .05:
            time.sleep(random.random() * .06)
"""


class Raced(Fleet):
    """Files of root's under which notes may start, and worse never."""

    def __init__(self, machine):  # noqa: F811  pylint: disable=redefined-outer-name
        super().__init__(machine)
        self.signers.install(self.etc, "release", "security", "stranger")
        self.policies("release", "security", need=2)

    def policies(self, *of, need, path=None, mode=0o644):
        text = {"stockade": 1, "consent": {"by": "granted"}, "signatures": {"need": need, "of": of}}
        return put(path or f"{self.etc}/policy.json", text, mode)

    def written(self, *signed_by, name="notes", words=(), **more):
        return self.profile(*signed_by, name=name, **{"command": [*COMMAND, *words], **more})

    # Each returns the path of what is swapped, and of what it is swapped for.

    def race_profile(self):
        good = self.written("release", "security")
        return good, put(f"{self.etc}/bad", {"stockade": 1, "name": "notes", "command": COMMAND, **EVIL})

    def race_minisig(self):
        """The moment in it is the one word of a signature that is shown, and what it is worth hangs on it."""
        path = f"{self.written('release', 'security')}.release.minisig"
        with open(path, encoding="ascii") as f:
            bad = re.sub(r"timestamp:\d+", f"timestamp:{LONG_AGO}", f.read())
        return path, put(f"{self.etc}/bad", bad)

    def race_pins(self):
        self.written("release", "security", words=["vil"])
        pins = f"{self.etc}/profiles/notes.pins"
        digest = self.user("pin", "--print-digest", "notes", check=0).stdout.strip()
        self.user("pin", "--digest", digest, "-o", f"{self.home}/all.pins", "notes", check=0)
        bad = shutil.copy(f"{self.home}/all.pins", f"{self.etc}/bad")
        os.chown(bad, 0, 0)
        os.chmod(bad, 0o644)
        self.written("release", "security", words=["vil"], pins="notes.pins")
        empty = subprocess.run(["b2sum", "-l", "256"], input=b"", stdout=subprocess.PIPE, check=True).stdout.split()[0].decode()
        put(pins, json.dumps({"stockade_pins": 1, "server": "profile:notes", "texts": empty, "pins": []}, separators=(",", ":")) + "\n")
        self.signers.sign(pins, "release", "security")
        return pins, bad

    def race_key(self):
        """The key of a stranger's, in a file that anybody could have written."""
        self.written("release", "security")
        self.written("release", "stranger", name="worse", **EVIL)
        bad = shutil.copy(f"{self.etc}/keys/stranger.pub", f"{self.etc}/bad")
        os.chmod(bad, 0o666)
        return f"{self.etc}/keys/security.pub", bad

    def race_policy(self):
        """A policy that believes a stranger, and that anybody could have written."""
        self.written("release", "security")
        self.written("stranger", name="worse", **EVIL)
        return f"{self.etc}/policy.json", self.policies("stranger", need=1, path=f"{self.etc}/bad", mode=0o666)


@pytest.fixture
def raced(machine):  # noqa: F811  pylint: disable=redefined-outer-name
    return Raced(machine)


# STOCKADE MET TRIES COMMAND...: tries until it was started and denied so often; what was said, and both counts.
DRIVE = """
import subprocess, sys
stockade, met, tries, *command = sys.argv[1:]
count = {0: 0, 125: 0}
for i in range(int(tries)):
    for name in ("notes", "worse"):
        r = subprocess.run([stockade, *command, name], input=LINES, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        sys.stdout.write(r.stdout)
        sys.stdout.write(r.stderr if command[0] == "run" else "")
        if name == "notes" and r.returncode in count:
            count[r.returncode] += 1
    if min(count.values()) >= int(met):
        break
print("\\nmet", count[0], count[125])
"""


def drive(raced, *command):
    words = ["unshare", "-m", "sh", "-c", AS, raced.etc, "/usr/bin/python3", "-c", f"LINES = {LINES!r}\n{DRIVE}", STOCKADE, str(MET), str(TRIES), *command]
    return subprocess.run(words, env=raced.env, cwd=raced.person.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=600, check=True).stdout


def signers(raced):
    """Who had signed what was started, as it was recorded."""
    return [r.get("detail", {}).get("signers") for r in raced.records() if r["event"] == "session.open"]


@pytest.mark.parametrize("command", [["check", "--json"], ["run"]], ids=["check", "run"])
@pytest.mark.parametrize("file", ["profile", "minisig", "pins", "key", "policy"])
def test_whatever_is_swapped_under_a_launch_nothing_is_shown_or_started_that_was_not_signed(raced, file, command):
    path, bad = getattr(raced, f"race_{file}")()
    good = shutil.copy(path, f"{raced.etc}/good")
    swapper = subprocess.Popen(["/usr/bin/python3", "-c", SWAP, good, bad, path])
    try:
        out = drive(raced, *command)
    finally:
        swapper.kill()
        swapper.wait()
    started, denied = map(int, out.split("\nmet ")[1].split())
    assert started >= MET and denied >= MET, f"{started} started, {denied} denied: the two were not met"
    shown = out.splitlines() + (list(map(json.dumps, signers(raced))) if command == ["run"] else [])
    met = [line for line in shown if "evil" in line or SHOWN_AS in line]
    assert not met, met[:5]


# What is swapped in would say it, if it were believed.
@pytest.mark.parametrize("file", ["profile", "minisig", "pins", "key", "policy"])
def test_each_of_them_would_start_what_was_not_signed_where_it_is_believed(raced, file):
    path, bad = getattr(raced, f"race_{file}")()
    os.chmod(bad, 0o644)
    shutil.copy(bad, path)
    if file in ("profile", "pins"):
        raced.signers.sign(path, "release", "security")
    if file == "minisig":
        raced.signers.sign(path.removesuffix(".release.minisig"), "release", "security", when=LONG_AGO)
    words = raced.words("run", "worse" if file in ("key", "policy") else "notes")
    r = subprocess.run(words, env=raced.env, cwd=raced.person.work, input=LINES, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert r.returncode == 0, r
    if file == "minisig":
        assert SHOWN_AS in raced.user("check", "--json", "notes", check=0).stdout and SHOWN_AS in json.dumps(signers(raced))
    else:
        assert "evil" in r.stdout + r.stderr, r
