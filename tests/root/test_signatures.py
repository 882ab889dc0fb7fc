# SPDX-License-Identifier: Apache-2.0
"""What signatures mean at a launch: so many of the policy's keys, over the very bytes that are used, or nothing starts.

Keys and signatures are minisign's own. The machine's /etc/stockade is the test's (test_policy.py).
"""
import glob
import json
import os
import shutil
import subprocess
import time

import pytest
from integration.harness import STOCKADE
from root.test_policy import machine  # noqa: F401  pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

COMMAND = ["/usr/bin/true"]
TWO = {"need": 2, "of": ["release", "security", "spare"]}


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    os.chmod(path, mode)
    return path


class Signers:
    """Keys by name, and what they sign."""

    def __init__(self, base):
        self.base = f"{base}/secret"
        os.mkdir(self.base, 0o700)

    def new(self, name):
        subprocess.run(["minisign", "-G", "-W", "-f", "-p", f"{self.base}/{name}.pub", "-s", f"{self.base}/{name}.key"],
                       check=True, stdout=subprocess.DEVNULL)

    def install(self, etc, *names):
        os.makedirs(f"{etc}/keys", mode=0o755, exist_ok=True)
        for name in names:
            if not os.path.exists(f"{self.base}/{name}.pub"):
                self.new(name)
            shutil.copy(f"{self.base}/{name}.pub", f"{etc}/keys/{name}.pub")
            os.chmod(f"{etc}/keys/{name}.pub", 0o644)

    def id(self, name):
        with open(f"{self.base}/{name}.pub", encoding="ascii") as f:
            return f.readline().split()[-1].zfill(16)  # minisign leaves zeros out

    def sign(self, path, *names, when=None):
        """The file's signatures are those of these keys and no others."""
        for old in glob.glob(f"{glob.escape(path)}*.minisig"):
            os.remove(old)
        for name in names:
            if not os.path.exists(f"{self.base}/{name}.key"):
                self.new(name)
            subprocess.run(["minisign", "-S", "-W", "-s", f"{self.base}/{name}.key", "-m", path, "-x", f"{path}.{name}.minisig",
                            "-t", f"timestamp:{int(when or time.time())}\tfile:{os.path.basename(path)}"],
                           check=True, stdout=subprocess.DEVNULL)
        return path


class World:
    def __init__(self, machine):  # pylint: disable=redefined-outer-name
        self.machine, self.person, self.etc = machine, machine.person, machine.etc
        self.signers = Signers(machine.person.base)
        self.signers.install(self.etc, "release", "security", "spare")

    def profile(self, *signed_by, name="notes", when=None, **more):
        path = put(f"{self.etc}/profiles/{name}.json", {"stockade": 1, "name": name, "owner": "team@example.com", "command": COMMAND, **more})
        return self.signers.sign(path, *signed_by, when=when)

    def policy(self, **signatures):
        self.machine.policy({"signatures": {**TWO, **signatures}})

    def passes(self, *words):
        return self.machine.stockade("check", *(words or ["notes"]), check=0).stdout

    def denied(self, *words):
        """What each command that would start it says."""
        words = words or ("notes",)
        for command in (("run", *words), ("check", *words), ("approve", "--print-digest", *words)):
            r = self.machine.stockade(*command)
            assert r.returncode == 125, f"{command}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r.stderr


@pytest.fixture
def world(machine):  # noqa: F811  pylint: disable=redefined-outer-name
    return World(machine)


def test_enough_signers_start_a_profile_and_check_names_them(world):
    world.policy()
    world.profile("release", "security", version=3)
    told = world.passes()
    assert "signed by release (key " + world.signers.id("release") in told and "security (key " in told and "2 needed" in told, told
    assert "/etc/stockade/policy.json:1 (signatures)" in told, told
    digest = world.machine.stockade("approve", "--print-digest", "notes", check=0)
    assert "signed by release" in digest.stderr, digest.stderr
    world.machine.stockade("approve", "--digest", digest.stdout.strip(), "notes", check=0)
    assert world.machine.stockade("run", "notes").returncode == 0
    opened = [r for r in world.person.records() if r["event"] == "session.open"][-1]
    assert opened["version"] == "3" and [(s["key"], s["id"], s["counts"]) for s in opened["detail"]["signers"]] == \
        [(n, world.signers.id(n), True) for n in ("release", "security")], opened


@pytest.mark.parametrize("signers", [(), ("release",), ("stranger",), ("release", "stranger")])
def test_too_few_signers_start_nothing(world, signers):
    world.policy()
    world.profile(*signers)
    words = world.denied()
    assert "/etc/stockade/policy.json:1 (signatures)" in words, words


def test_one_signer_counts_once_however_often_and_under_whatever_name(world):
    world.policy()
    path = world.profile("release")
    shutil.copy(f"{path}.release.minisig", f"{path}.again.minisig")
    world.denied()
    shutil.copy(f"{world.etc}/keys/release.pub", f"{world.etc}/keys/security.pub")
    world.denied()


def test_a_signature_of_another_file_or_a_changed_file_denies(world):
    world.policy()
    other = world.profile("release", "security", name="other")
    path = world.profile("release", "security")
    world.passes()
    shutil.copy(f"{other}.release.minisig", f"{path}.release.minisig")
    world.denied()
    world.profile("release", "security")
    with open(path, "a", encoding="utf-8") as f:
        f.write(" ")
    world.denied()


def test_one_damaged_signature_denies_where_enough_others_are_there(world):
    world.policy()
    path = world.profile("release", "security", "spare")
    world.passes()
    with open(f"{path}.spare.minisig", "r+b") as f:
        data = bytearray(f.read())
        at = data.index(b"\n") + 40
        data[at] = ord("A") if data[at] != ord("A") else ord("B")
        f.seek(0)
        f.write(data)
    assert "spare.minisig" in world.denied()


def test_a_signed_file_under_another_name_starts_nothing(world):
    world.policy()
    path = world.profile("release", "security")
    for file in [path, *glob.glob(f"{path}.*")]:
        shutil.copy(file, file.replace("notes.json", "github.json"))
    assert 'calls itself "notes"' in world.denied("github")


def test_an_expired_key_counts_for_nothing_and_one_that_soon_does_is_told(world):
    world.profile("release", "security")
    world.policy(keys={"security": {"expires": "2020-01-01"}})
    words = world.denied()
    assert "'security' has expired" in words and "notes.json is not signed as it must be" in words, words
    soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
    world.policy(keys={"security": {"expires": soon}})
    assert f"too few from {soon}T00:00:00Z on" in " ".join(world.passes().split())


def test_a_key_counts_for_the_servers_of_its_scope_alone(world):
    world.policy(keys={"security": {"servers": ["db-*"]}})
    world.profile("release", "security")
    world.profile("release", "security", name="db-one")
    world.passes("db-one")
    assert "security" in world.denied()


def test_a_revoked_key_counts_for_nothing_and_a_revoked_version_starts_nothing(world):
    world.policy()
    world.profile("release", "security", version=3)
    world.passes()
    revoked = put(f"{world.etc}/revocations/one.json", {"stockade": 1, "revoke": [{"key": world.signers.id("security")}]})
    world.signers.sign(revoked, "security")  # by the very key that is lost
    assert "revoked" in world.denied()
    put(revoked, {"stockade": 1, "revoke": [{"profile": "no*", "versions": "..3", "why": "SEC-9"}]})
    world.signers.sign(revoked, "spare")
    words = world.denied()
    assert "version 3" in words and "SEC-9" in words and "one.json:1" in words, words
    world.profile("release", "security", version=4)
    world.passes()


@pytest.mark.parametrize("text,signed", [('{"stockade": 1, "revoke": [', True), ('{"stockade": 1}', True), ('{"stockade": 1, "revoke": [{}]}', True),
                                         ('{"stockade": 1, "revoke": [{"key": "x"}]}', True), ('{"stockade": 1, "revoke": []}', False),
                                         ('{"stockade": 1, "revoke": [{"profile": "x", "versions": "v3"}]}', True),
                                         ('{"stockade": 1, "revok": []}', True)])
def test_a_revocation_that_is_damaged_or_unsigned_denies_every_launch(world, text, signed):
    world.policy()
    world.profile("release", "security")
    path = put(f"{world.etc}/revocations/one.json", text)
    world.signers.sign(path, *(["release"] if signed else []))
    assert "what is revoked on this machine cannot be read" in world.denied()
    assert "what is revoked on this machine cannot be read" in world.denied("--", *COMMAND)


def doctor(world, name):
    return next(c for c in json.loads(world.machine.stockade("doctor", "--json").stdout)["checks"] if c["name"] == name)


def test_doctor_tells_which_keys_are_good_and_whether_the_clock_can_be_right(world):
    world.policy(keys={"spare": {"expires": "2020-01-01"}})
    told = doctor(world, "signing keys")
    assert "need 2 signatures of 3 keys; spare has expired on 2020-01-01" in told["found"], told
    os.remove(f"{world.etc}/keys/security.pub")
    told = doctor(world, "signing keys")
    assert "1 of the policy's 3 keys can give one" in told["found"] and "security is not there" in told["found"], told
    assert "no earlier than anything" in doctor(world, "clock")["found"]
    os.utime(f"{world.etc}/policy.json", (time.time() + 3600, time.time() + 3600))
    assert "policy.json was written" in doctor(world, "clock")["found"]


def test_a_signature_of_the_future_denies_and_names_the_clock(world):
    world.policy()
    world.profile("release", "security", when=time.time() + 3600)
    words = world.denied()
    assert "clock cannot be right" in words and "minisig was made on" in words, words
    world.profile("release", "security", when=time.time() + 300)
    world.passes()


def test_the_pins_of_a_profile_need_the_same_signatures(world):
    world.machine.policy({})
    world.profile(pins="notes.pins")
    pins = f"{world.etc}/profiles/notes.pins"
    empty = subprocess.run(["b2sum", "-l", "256"], input=b"", stdout=subprocess.PIPE, check=True).stdout.split()[0].decode()
    put(pins, json.dumps({"stockade_pins": 1, "server": "profile:notes", "texts": empty, "pins": []}, separators=(",", ":")) + "\n")
    world.passes()
    world.policy()
    world.profile("release", "security", pins="notes.pins")
    assert "notes.pins" in world.denied()
    world.signers.sign(pins, "release", "security")
    told = world.passes()
    assert "its pins: signed by release" in " ".join(told.split()), told
    with open(pins, "a", encoding="utf-8") as f:
        f.write("\n")
    world.denied()


def test_nothing_that_a_user_can_write_vouches_for_anything_under_a_policy(world):
    world.policy()
    world.profile("release", "security", version=7)
    config = f"{world.person.base}/config"
    world.person.env["XDG_CONFIG_HOME"] = config
    world.signers.install(f"{config}/stockade", "mine", "release", "security")
    mine = {"stockade": 1, "name": "notes", "version": 8, "command": ["/bin/sh"]}
    own = world.signers.sign(put(f"{config}/stockade/profiles/notes.json", mine), "mine", "release")
    assert "/usr/bin/true" in world.passes()  # the managed one is the one of that name
    assert "managed profile of that name" in world.denied("--profile", own)
    other = world.signers.sign(put(f"{config}/stockade/profiles/mine.json", {**mine, "name": "mine"}), "mine", "release")
    world.denied("mine")
    world.denied("--profile", other)
    # nor does an old one come back by its path, however well it is signed and whatever was forgotten
    old = world.signers.sign(put(f"{world.person.base}/old/notes.json", {**mine, "version": 1}), "release", "security")
    world.person.env["XDG_STATE_HOME"] = f"{world.person.base}/elsewhere"
    assert "managed profile of that name" in world.denied("--profile", old)
    # nor what was left somewhere below root's own directory
    for place in ("profiles/old", "before"):
        left = world.signers.sign(put(f"{world.etc}/{place}/notes.json", {**mine, "version": 1}), "release", "security")
        assert "managed profile of that name" in world.denied("--profile", "/etc/stockade" + left[len(world.etc):])
    # and what no managed profile is called may come from anywhere, if it is signed
    world.passes("--profile", world.signers.sign(put(f"{world.person.base}/free.json", {**mine, "name": "free"}), "release", "security"))


def test_a_profile_that_was_withdrawn_to_another_directory_of_roots_is_no_managed_one(world):
    world.machine.policy({"signatures": TWO, "profiles": {"user": "deny"}})
    path = world.profile("release", "security")
    world.passes("--profile", "/etc/stockade/profiles/notes.json")
    os.mkdir(f"{world.etc}/withdrawn", 0o755)
    for name in glob.glob(f"{path}*"):
        shutil.move(name, f"{world.etc}/withdrawn")
    assert "profiles.user" in world.denied("--profile", "/etc/stockade/withdrawn/notes.json")


def test_a_signature_in_a_directory_that_others_can_write_or_that_is_a_link_denies(world):
    world.policy()
    path = world.profile("release", "security")
    os.rename(f"{path}.release.minisig", f"{world.person.base}/aside")
    os.symlink(f"{world.person.base}/aside", f"{path}.release.minisig")
    assert "symbolic link" in world.denied()
    world.profile("release", "security")
    os.chmod(f"{path}.release.minisig", 0o666)
    assert "can be written by others" in world.denied()
    world.profile("release", "security")
    for directory in ("profiles", "keys"):
        os.chmod(f"{world.etc}/{directory}", 0o777)
        assert "others can write the directory" in world.denied()
        os.chmod(f"{world.etc}/{directory}", 0o755)
    os.chmod(f"{world.etc}/keys/release.pub", 0o646)
    world.denied()
    os.remove(f"{world.etc}/keys/release.pub")
    os.symlink(f"{world.signers.base}/release.pub", f"{world.etc}/keys/release.pub")
    world.denied()


def test_without_a_policy_the_users_own_keys_say_who_signed_and_demand_nothing(world):
    keys = f"{world.person.home}/.config/stockade"
    path = world.person.profile("notes", {"stockade": 1, "name": "notes", "command": COMMAND})
    assert "signed by" not in world.passes()
    world.signers.install(keys, "mine")
    world.signers.sign(path, "mine", "stranger")
    told = " ".join(world.passes().split())
    assert "signed by mine (key " + world.signers.id("mine") in told, told
    assert "an unknown key (" + world.signers.id("stranger") in told and "proves nothing" in told, told
    with open(path, "a", encoding="utf-8") as f:
        f.write(" ")
    assert "mine.minisig" in world.denied()


def test_what_is_shown_is_never_what_was_not_signed(world):
    """The file is swapped all the time between a signed one and one that asks for more; both have the good one's signatures beside them."""
    world.policy()
    path = world.profile("release", "security")
    bad = put(f"{world.etc}/bad", {"stockade": 1, "name": "notes", "command": ["/bin/sh", "-c", "evil"]})
    shutil.copy(path, f"{world.etc}/good")
    swap = ("import os, shutil, sys\n"
            "good, bad, path = sys.argv[1:]\n"
            "i = 0\n"
            "while True:\n"
            "    i += 1\n"
            "    shutil.copy(bad if i % 2 else good, path + '.new')\n"
            "    os.rename(path + '.new', path)\n")
    swapper = subprocess.Popen(["/usr/bin/python3", "-c", swap, f"{world.etc}/good", bad, path])
    loop = 'for i in $(seq 300); do "$0" check --json notes 2>/dev/null; echo "=$?"; done'
    try:
        out = subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/stockade && exec sh -c "$1" "$2"',
                              world.etc, loop, STOCKADE], env=world.person.env, cwd=world.person.work,
                             stdout=subprocess.PIPE, text=True, timeout=300, check=True).stdout
    finally:
        swapper.kill()
        swapper.wait()
    assert "evil" not in out
    assert out.count("=0\n") > 10 and out.count("=125\n") > 10, f"{out.count('=0')} {out.count('=125')}: the two were not met"
