# SPDX-License-Identifier: Apache-2.0
"""docs/managed.md does what it says: its files are written and its commands typed as they stand there, by root, on a machine of the test's own.

/etc/stockade and the directory of the server are the test's, in a mount namespace; passphrases are typed at a terminal.
"""
import json
import os
import re
import select
import shutil
import subprocess

import pytest
from integration.harness import STAGE, STOCKADE, Wire
from integration.pty_person import Terminal
from root.test_observe import moment
from root.test_policy import machine  # noqa: F401  pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "managed.md")
COMMAND_DIR = "/opt/example.com"
OVER = f'mount --bind "$0" /etc/stockade && mount --bind "$1" {COMMAND_DIR} && shift && exec "$@"'
SERVER = '''#!/usr/bin/python3 -I
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


FIRST = "From no keys to a signed fleet"
OPTIONS_OF_SYSTEMCTL = 'exec /usr/bin/systemctl --root="$TREE" "$1" "$3"'


def sections():
    with open(PAGE, encoding="utf-8") as f:
        parts = re.split(r"^## (.*)$", f.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def blocks(kind, section):
    return [text for k, text in re.findall(r"^```(\w*)\n(.*?)^```$", sections()[section], re.M | re.S) if k == kind]


def commands(section):
    return [line for block in blocks("sh", section) for line in block.splitlines() if line]


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
        profile, policy = blocks("json", FIRST)
        self.write("notes.json", profile)
        self.write("policy.json", policy)
        assert len(commands(FIRST)) == 10
        return self.type_all(commands(FIRST))

    def type_all(self, lines, statuses=()):
        """Each line in its turn; statuses: of those that are not 0."""
        shown = {}
        for line in lines:
            status, text = self.typed(line)
            assert status == dict(statuses).get(line, 0), f"{line}: {status}\n{text}"
            shown[line] = text
        return shown

    def policy_of(self, text, **members):
        """A policy of the page, with another day of this year in it where it has one."""
        return json.dumps({k: v for k, v in {**json.loads(text), **members}.items() if v is not None})

    def use(self, tool, allowed=True):
        wire = Wire(self.under(STOCKADE, "run", "notes"), env=self.env, cwd=self.desk)
        wire.initialize()
        answer = wire.request("tools/call", {"name": tool, "arguments": {}})
        wire.end()
        assert ("result" in answer and not answer["result"].get("isError")) == allowed, answer


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
        lost = f.readline().split()[-1].zfill(16)
    page = blocks("json", "Another key")[1]
    assert len(re.findall(r'"key": "[0-9A-F]{16}"', page)) == 1, page
    fleet.write("lost.json", re.sub(r'"key": "[0-9A-F]{16}"', f'"key": "{lost}"', page))
    fleet.type_all([line for line in commands("Another key") if "lost.json" in line])
    r = fleet.run(STOCKADE, "check", "notes")
    assert r.returncode == 125 and "revoked" in r.stderr, (r.stdout, r.stderr)


def test_a_key_is_replaced_without_a_moment_in_which_too_few_have_signed(fleet):
    fleet.follow()
    fleet.write("rotated.json", fleet.policy_of(blocks("json", FIRST)[1], signatures={"need": 2, "of": ["release-2027", "security"]}))
    lines = [line for line in commands("Another key") if "lost.json" not in line]
    assert len(lines) == 6
    for line in lines:
        fleet.type_all([line])
        fleet.run(STOCKADE, "check", "notes", check=0)
    told = fleet.run(STOCKADE, "check", "notes", check=0).stdout
    assert re.search(r"signed by [^;]*\brelease-2027 \(key ", told) and "2 needed" in told, told
    assert not os.path.exists(f"{fleet.etc}/keys/release.pub")


def test_the_policy_that_gives_a_key_an_end_and_a_scope_is_one(fleet):
    fleet.follow()
    for name in ("release", "security"):
        os.rename(f"{fleet.etc}/keys/{name}.pub", f"{fleet.etc}/keys/{'databases' if name == 'security' else name}.pub")
    fleet.machine.policy(blocks("json", "Another key")[0])
    told = fleet.run(STOCKADE, "check", "notes", check=0).stdout
    assert re.search(r"signed by [^;]*\brelease \(key [^)]*Z\)", told), told
    assert re.search(r"\bdatabases \(key [^)]*: it does not count, since it is not for this server\)", told), told
    os.remove(f"{fleet.etc}/profiles/notes.json.minisig")
    r = fleet.run(STOCKADE, "check", "notes")
    assert r.returncode == 125 and "'databases' is not for this server" in r.stderr, r.stderr


def test_the_emergency_stop_of_the_page_stops(fleet):
    fleet.follow()
    fleet.type_all(commands("Emergency stop"))
    entry = blocks("", "Emergency stop")[0]
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


def test_every_command_of_the_page_is_typed_by_a_test(fleet):
    with open(__file__, encoding="utf-8") as f:
        tests = f.read()
    assert FIRST in sections()
    for section in sections():
        for text in blocks("sh", section):
            assert section == FIRST or f'commands("{section}")' in tests, f"{section}:\n{text}"
        assert not [text for text in blocks("", section) if text.startswith("stockade ")], section


def test_a_policy_is_looked_at_before_it_changes(fleet):
    fleet.follow()
    shown = fleet.type_all(commands("Before a policy changes"))
    assert "Nothing that is allowed now would be denied." in "".join(shown.values()) and 'profiles.user "deny"' in "".join(shown.values()), shown


def test_a_roll_out_looks_first_then_tests_against_the_log_and_enforces(fleet):
    fleet.follow()
    observe = blocks("json", "A roll-out in stages: look, test, enforce")[0]
    fleet.write("observe.json", fleet.policy_of(observe, observe_until=moment(7)))
    fleet.write("enforce.json", fleet.policy_of(observe, mode=None, observe_until=None))
    lines = commands("A roll-out in stages: look, test, enforce")
    assert len(lines) == 5
    fleet.type_all(lines[:2])
    fleet.use("delete_note")
    test = "stockade policy test --against-log enforce.json"
    shown = fleet.type_all(lines[2:4], {test: 1}.items())
    assert all("delete_note" in text for text in shown.values()), shown
    # What it needs goes into the profile, and then nothing holds the roll-out up.
    profile = json.loads(blocks("json", FIRST)[0])
    fleet.write("notes.json", json.dumps({**profile, "version": 2, "tools": {"allow": ["search_*", "read_*", "delete_*"]}}))
    fleet.type_all([*commands(FIRST)[2:4], commands(FIRST)[6]])
    assert "nothing of it would be denied" in fleet.type_all([test])[test]
    fleet.type_all(lines[4:])
    assert "observes" not in fleet.run(STOCKADE, "check", "notes", check=0).stdout
    fleet.use("delete_note")


def test_root_approves_the_plan_of_a_user_by_its_digest(fleet):
    """As it stands, but for the name of the user, and for where this stockade is installed."""
    fleet.follow()
    fleet.machine.policy(fleet.policy_of(blocks("json", FIRST)[1], consent={"by": "admin"}, signatures=None, profiles=None))
    # Nobody but root may change what it runs, and nobody has approved it.
    home = fleet.run("sh", "-c", "getent passwd stockade-test | cut -d: -f6", check=0).stdout.strip()
    # What is kept there is another test's.
    empty = f"mount -t tmpfs -o mode=755,uid=$(id -u stockade-test) none {home}"
    start = f"{empty} && exec runuser -l stockade-test -c 'exec {STOCKADE} run notes'"
    r = fleet.run("sh", "-c", start)
    assert r.returncode == 125 and "only who manages it approves servers" in r.stderr, r.stderr
    line = "; ".join(commands("Consent by policy: without a question"))
    assert line.count("alice") == 1
    script = f"{empty} && " + line.replace("alice", "stockade-test").replace("'stockade ", f"'{STOCKADE} ")
    assert "approved on this machine" in fleet.type_all([script])[script]
    r = fleet.run("sh", "-c", start)
    assert r.returncode == 0, r.stderr


def test_a_bundle_holds_what_its_directory_was_laid_out_with(fleet):
    fleet.follow()
    os.makedirs(f"{fleet.desk}/fleet/profiles")
    profile = json.loads(blocks("json", FIRST)[0])
    fleet.write("fleet/profiles/more.json", json.dumps({**profile, "name": "more"}))
    lines = commands("One file for all of it")
    shown = fleet.type_all(lines)
    assert "more" in shown["stockade bundle show bundle.json"], shown
    told = fleet.run(STOCKADE, "check", "more", check=0).stdout
    assert 'from the profile /etc/stockade/bundle.json (profiles "more")' in told, told


def test_the_units_of_the_page_are_there_to_be_switched_on(fleet):
    """There is no systemd to start them here: what enables them is systemctl itself, in a tree with the units that were installed."""
    tree = f"{fleet.person.base}/tree"
    shutil.copytree(f"{STAGE}/prefix/lib/systemd/system", f"{tree}/usr/lib/systemd/system")
    os.mkdir(f"{tree}/bin")
    with open(f"{tree}/bin/systemctl", "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\n{OPTIONS_OF_SYSTEMCTL}\n")
    os.chmod(f"{tree}/bin/systemctl", 0o755)
    fleet.env.update(TREE=tree, PATH=f"{tree}/bin:{fleet.env['PATH']}")
    fleet.type_all([*commands("The log, out of users' hands"), *re.findall(r"`(systemctl [^`]*)`", sections()["One file for all of it"])])
    wanted = {f for _, _, files in os.walk(f"{tree}/etc/systemd/system") for f in files}
    assert wanted == {"stockade-collector.socket", "stockade-audit-prune.timer", "stockade-sync.timer"}, wanted


def test_the_inventory_finds_what_goes_past(fleet):
    os.makedirs(f"{fleet.person.home}/.cursor")
    with open(f"{fleet.person.home}/.cursor/mcp.json", "w", encoding="ascii") as f:
        f.write('{"mcpServers": {"past": {"command": "/opt/past"}}}')
    passwd = f"{fleet.person.base}/passwd"
    with open(passwd, "w", encoding="ascii") as f:
        f.write(f"root:x:0:0::{fleet.person.home}:/bin/sh\n")
    lines = commands("Who goes past it")
    assert lines[-1].endswith("--fail-raw")
    shown = fleet.type_all([f'mount --bind {passwd} /etc/passwd && {line}' for line in lines],
                           {f'mount --bind {passwd} /etc/passwd && {lines[-1]}': 1}.items())
    assert "past" in list(shown.values())[0]
    with open(f"{fleet.desk}/inventory.json", encoding="utf-8") as f:
        assert [e["state"] for e in json.load(f)["entries"] if e["name"] == "past"] == ["raw"]


def test_an_auditor_is_given_what_the_page_says(fleet):
    fleet.follow()
    fleet.machine.policy(fleet.policy_of(blocks("json", FIRST)[1], consent={"by": "granted"}))
    fleet.use("read_note")
    fleet.use("delete_note", allowed=False)
    shown = fleet.type_all(commands("What to give an auditor"))
    text = "".join(shown.values())
    assert "delete_note" in text and "Signature and comment signature verified" in text, shown
    with open(f"{fleet.desk}/records.jsonl", encoding="utf-8") as f:
        assert {json.loads(line).get("tool") for line in f} >= {"read_note", "delete_note"}
    with open(f"{fleet.desk}/notes.check.json", encoding="utf-8") as f:
        assert json.load(f)["lines"]
