# SPDX-License-Identifier: Apache-2.0
"""docs/managed.md does what it says: its files are written and its commands typed as they stand there, by root, on a machine of the test's own.

/etc/stockade and the directory of the server are the test's, in a mount namespace; passphrases are typed at a terminal.
"""
import json
import os
import re
import select
import subprocess

import pytest
from integration.harness import STOCKADE
from integration.pty_person import Terminal
from root.test_policy import machine  # noqa: F401  pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "managed.md")
COMMAND_DIR = "/opt/example.com"
OVER = f'mount --bind "$0" /etc/stockade && mount --bind "$1" {COMMAND_DIR} && shift && exec "$@"'
SERVER = '''#!/usr/bin/python3
import json, sys
TOOLS = [{"name": n, "inputSchema": {"type": "object"}} for n in ("search_notes", "read_note", "delete_note")]
for line in sys.stdin:
    m = json.loads(line)
    answers = {"initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "notes", "version": "1"}},
               "tools/list": {"tools": TOOLS}, "tools/call": {"content": [{"type": "text", "text": "found"}]}}
    if "id" in m:
        print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": answers[m["method"]]}), flush=True)
'''
PASSPHRASES = {"release": "quiet harbour", "security": "second opinion"}


def blocks(kind):
    with open(PAGE, encoding="utf-8") as f:
        return [text for k, text in re.findall(r"^```(\w*)\n(.*?)^```$", f.read(), re.M | re.S) if k == kind]


class Fleet:
    """One machine that signs, and is managed by what was signed."""

    def __init__(self, machine, server_dir):  # pylint: disable=redefined-outer-name
        self.machine, self.person, self.etc = machine, machine.person, machine.etc
        self.server_dir = server_dir
        self.desk = f"{self.person.base}/desk"
        os.mkdir(self.desk, 0o700)
        self.env = {**self.person.env, "PATH": f"{os.path.dirname(STOCKADE)}:/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR": f"{self.person.base}/run"}
        os.mkdir(self.env["XDG_RUNTIME_DIR"], 0o700)

    def under(self, *words):
        return ["/usr/bin/unshare", "-m", "sh", "-c", OVER, self.etc, self.server_dir, *words]

    def typed(self, line):
        """A line of the page, typed; each passphrase that is asked for is typed as well. The status and what was shown."""
        terminal = Terminal(self.under("sh", "-c", line), self.env, self.desk)
        word = next((p for name, p in PASSPHRASES.items() if name in line), "")
        asked = 0
        while select.select([terminal.fd], [], [], 60)[0] and terminal._read(0):  # pylint: disable=protected-access
            now = len(re.findall(r"(?:Passphrase|The same once more)[^\n]*: ", terminal.text))
            if now > asked:
                asked = now
                terminal.type(word + "\n")
        return terminal.wait(), terminal.text

    def run(self, *words, check=None):
        r = subprocess.run(self.under(*words), env=self.env, cwd=self.desk, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        assert check is None or r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def write(self, name, text):
        with open(f"{self.desk}/{name}", "w", encoding="utf-8") as f:
            f.write(text)

    def follow(self):
        """The first part of the page, all ten commands."""
        profile, policy = blocks("json")[:2]
        self.write("notes.json", profile)
        self.write("policy.json", policy)
        lines = [line for block in blocks("sh") for line in block.splitlines() if line]
        assert len(lines) == 10, lines
        shown = {}
        for line in lines:
            status, text = self.typed(line)
            assert status == 0, f"{line}: {status}\n{text}"
            shown[line] = text
        return shown


@pytest.fixture
def fleet(machine, tmp_path):  # noqa: F811  pylint: disable=redefined-outer-name
    made = not os.path.isdir(COMMAND_DIR)
    if made:
        os.mkdir(COMMAND_DIR, 0o755)
    server_dir = f"{machine.person.base}/server"
    os.makedirs(f"{server_dir}/notes", 0o755)
    with open(f"{server_dir}/notes/server", "w", encoding="utf-8") as f:
        f.write(SERVER)
    os.chmod(f"{server_dir}/notes/server", 0o755)
    os.makedirs(f"{machine.person.home}/notes", 0o755)
    yield Fleet(machine, server_dir)
    if made:
        os.rmdir(COMMAND_DIR)


def test_ten_commands_lead_from_no_keys_to_a_signed_fleet(fleet):
    shown = fleet.follow()
    told = shown["stockade check notes"]
    assert all(re.search(rf"signed by [^;]*\b{name} \(key ", told) for name in ("release", "security")) and "2 needed" in told, told
    # and nothing else starts
    for words in (("run", "--", "/usr/bin/true"), ("check", "--", "/usr/bin/true")):
        r = fleet.run(STOCKADE, *words)
        assert r.returncode == 125 and "policy.json" in r.stderr, (words, r.stderr)


def test_a_user_gets_the_signed_server_and_the_tools_of_its_profile(fleet):
    fleet.follow()
    digest = fleet.run(STOCKADE, "approve", "--print-digest", "notes", check=0).stdout.strip()
    fleet.run(STOCKADE, "approve", "--digest", digest, "notes", check=0)
    asked = [{"jsonrpc": "2.0", "id": 1, "method": "initialize",
              "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}},
             {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]
    r = subprocess.run(fleet.under(STOCKADE, "run", "notes"), input="".join(json.dumps(m) + "\n" for m in asked), env=fleet.env, cwd=fleet.desk,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    answers = {m["id"]: m for m in map(json.loads, r.stdout.splitlines()) if "id" in m}
    assert [t["name"] for t in answers[2]["result"]["tools"]] == ["search_notes", "read_note"], (r.stdout, r.stderr)


def test_a_lost_key_counts_for_nothing_once_its_revocation_is_there(fleet):
    fleet.follow()
    with open(f"{fleet.desk}/security.pub", encoding="ascii") as f:
        lost = f.readline().split()[-1]
    page = blocks("json")[3]
    assert len(re.findall(r'"key": "[0-9A-F]{16}"', page)) == 1, page
    fleet.write("lost.json", re.sub(r'"key": "[0-9A-F]{16}"', f'"key": "{lost}"', page))
    install = "install -D -m 644 -t /etc/stockade/revocations lost.json lost.json.minisig"
    for line in ("stockade profile sign --key release.key lost.json", install):
        status, text = fleet.typed(line)
        assert status == 0, f"{line}: {text}"
    r = fleet.run(STOCKADE, "check", "notes")
    assert r.returncode == 125 and "revoked" in r.stderr, (r.stdout, r.stderr)


def test_the_policy_that_gives_a_key_an_end_and_a_scope_is_one(fleet):
    fleet.follow()
    for name in ("release", "security"):
        os.rename(f"{fleet.etc}/keys/{name}.pub", f"{fleet.etc}/keys/{'databases' if name == 'security' else name}.pub")
    fleet.machine.policy(blocks("json")[2])
    told = fleet.run(STOCKADE, "check", "notes", check=0).stdout
    assert re.search(r"signed by [^;]*\brelease \(key [^)]*Z\)", told), told
    assert re.search(r"\bdatabases \(key [^)]*: it does not count, since it is not for this server\)", told), told
    os.remove(f"{fleet.etc}/profiles/notes.json.minisig")
    r = fleet.run(STOCKADE, "check", "notes")
    assert r.returncode == 125 and "'databases' is not for this server" in r.stderr, r.stderr


def test_the_emergency_stop_of_the_page_stops(fleet):
    fleet.follow()
    typed, entry = [b for b in blocks("") if "kill" in b]
    for line in typed.splitlines():
        status, text = fleet.typed(line)
        assert status == 0, f"{line}: {text}"
    kills = json.loads(fleet.run(STOCKADE, "kills", "--json", check=0).stdout)
    assert {(k["server"], k.get("tool")) for k in kills} == {("notes", None), ("notes", "delete_note"), ("*", None)}, kills
    fleet.run(STOCKADE, "restore", "--all")
    path, text = entry.split("\n", 1)
    for name in os.listdir(f"{fleet.etc}/kill.d"):
        os.remove(f"{fleet.etc}/kill.d/{name}")
    with open(f"{fleet.etc}/kill.d/{os.path.basename(path)}", "w", encoding="utf-8") as f:
        f.write(text)
    r = fleet.run(STOCKADE, "run", "notes")
    assert r.returncode == 125 and "it@example.com" in r.stderr and "SEC-1234" in r.stderr, r.stderr


def test_doctor_says_which_policy_holds_and_that_one_cannot_be_followed(fleet):
    fleet.follow()
    told = {c["name"]: c for c in json.loads(fleet.run(STOCKADE, "doctor", "--json", check=0).stdout)["checks"]}
    assert told["policy"]["result"] == "yes" and "/etc/stockade/policy.json" in told["policy"]["found"], told["policy"]
    assert told["a whole sandbox"]["result"] == "yes", told["a whole sandbox"]
    fleet.machine.policy("{")
    told = {c["name"]: c for c in json.loads(fleet.run(STOCKADE, "doctor", "--json", check=1).stdout)["checks"]}
    assert told["policy"]["result"] == "no", told["policy"]
