# SPDX-License-Identifier: Apache-2.0
"""Keys and signatures, beside Debian's minisign: either program verifies what the other signed, and a changed byte is seen by both."""
import fcntl
import hashlib
import json
import os
import pty
import signal
import subprocess
import termios
import time

import pytest
from integration.harness import STOCKADE

PROFILE = {"stockade": 1, "name": "notes", "command": ["/usr/bin/true"]}
PASSPHRASE = "a passphrase"


def embedded(name, text):
    return {"name": name, "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest(), "text": text}


def bundle(**more):
    return json.dumps({"stockade": 1, "bundle": "acme", "version": 1, "issued": "2026-01-01T00:00:00Z", "expires": "2036-01-01T00:00:00Z", **more})


class Signers:
    """Keys and a profile in one directory of the person's own."""

    def __init__(self, person):
        self.person = person
        self.dir = f"{person.home}/signing"
        os.mkdir(self.dir, 0o755)
        self.put("notes.json", json.dumps(PROFILE) + "\n")

    def path(self, name):
        return f"{self.dir}/{name}"

    def put(self, name, text, mode=0o644):
        with open(self.path(name), "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def get(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def stockade(self, *words, check=None, secrets=()):
        """secrets: what the descriptors from 3 up give."""
        pipes = []
        for text in secrets:
            r, w = os.pipe()
            os.write(w, text.encode() if isinstance(text, str) else text)
            os.close(w)
            pipes.append(r)
        words = [w.format(*pipes) for w in words]
        r = subprocess.run([STOCKADE, *words], env=self.person.env, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=120, check=False, pass_fds=pipes)
        for fd in pipes:
            os.close(fd)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def minisign(self, *words, check=0, said=""):
        r = subprocess.run(["minisign", *words], cwd=self.dir, env=self.person.env, input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=120, check=False)
        if check is not None:
            assert r.returncode == check, r.stdout
        return r

    def key(self, name, *options):
        return self.stockade("key", "new", "--passphrase-fd", "{0}", *options, name, secrets=[PASSPHRASE + "\n"], check=0).stdout

    def bare_key(self, name):
        """One of minisign's without a passphrase: quick."""
        self.minisign("-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.key")
        os.chmod(self.path(f"{name}.pub"), 0o644)

    def sign(self, key, *options, file="notes.json", check=0):
        return self.stockade("profile", "sign", "--key", f"{key}.key", "--passphrase-fd", "{0}", *options, file, secrets=[PASSPHRASE], check=check)

    def verify(self, *words, file="notes.json", check=0):
        return self.stockade("profile", "verify", *words, file, check=check)


@pytest.fixture
def signers(person):
    return Signers(person)


def test_minisign_verifies_what_stockade_signed_and_sees_each_change(signers):
    signers.key("release")
    signers.sign("release", "--comment", "reviewed in SEC-12")
    said = signers.minisign("-V", "-H", "-p", "release.pub", "-m", "notes.json", "-x", "notes.json.minisig").stdout
    assert "file:notes.json\thashed\treviewed in SEC-12" in said
    text = signers.get("notes.json.minisig").decode()
    signers.put("notes.json.minisig", text.replace("SEC-12", "SEC-13"))
    signers.minisign("-V", "-p", "release.pub", "-m", "notes.json", check=1)
    assert "trusted comment is not the one" in signers.verify("--pub", "release.pub", check=1).stderr
    signers.put("notes.json.minisig", text)
    signers.put("notes.json", json.dumps(PROFILE) + " \n")
    signers.minisign("-V", "-p", "release.pub", "-m", "notes.json", check=1)
    assert "does not fit these bytes" in signers.verify("--pub", "release.pub", check=1).stderr


@pytest.mark.parametrize("form", [[], ["-l"]], ids=["prehashed", "legacy"])
def test_stockade_verifies_what_minisign_signed(signers, form):
    signers.bare_key("theirs")
    signers.minisign("-S", "-W", *form, "-s", "theirs.key", "-m", "notes.json", "-t", "timestamp:1700000000\tfrom minisign")
    os.chmod(signers.path("notes.json.minisig"), 0o644)
    found = json.loads(signers.verify("--pub", "theirs.pub", "--json").stdout)
    assert [x["key"] for x in found["signers"] if x["counts"]] == ["theirs"], found
    assert found["verified"] and found["counted"] == 1
    signer = found["signers"][0]
    assert signer["prehashed"] == (form == []) and signer["when"] == "2023-11-14T22:13:20Z" and signer["comment"].endswith("from minisign")
    # minisign leaves zeros at its beginning out
    assert signers.get("theirs.pub").decode().splitlines()[0].split()[-1].zfill(16) == signer["id"]


def test_a_signature_that_was_made_later_than_the_clock_says_is_not_enough(signers):
    signers.bare_key("theirs")
    for when, enough in ((time.time() + 300, True), (time.time() + 3600, False)):
        signers.minisign("-S", "-W", "-s", "theirs.key", "-m", "notes.json", "-t", f"timestamp:{int(when)}")
        os.chmod(signers.path("notes.json.minisig"), 0o644)
        said = signers.stockade("profile", "verify", "--pub", "theirs.pub", "notes.json", check=0 if enough else 1).stdout
        assert ("clock cannot be right" in said) != enough, said


def test_a_key_of_minisigns_with_a_passphrase_signs_here_and_one_made_here_signs_there(signers):
    signers.minisign("-G", "-p", "theirs.pub", "-s", "theirs.key", said=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    os.chmod(signers.path("theirs.pub"), 0o644)
    signers.sign("theirs")
    signers.minisign("-V", "-p", "theirs.pub", "-m", "notes.json")
    os.unlink(signers.path("notes.json.minisig"))
    signers.key("ours", "--format", "minisign")
    signers.minisign("-S", "-s", "ours.key", "-m", "notes.json", said=f"{PASSPHRASE}\n")
    os.chmod(signers.path("notes.json.minisig"), 0o644)
    signers.verify("--pub", "ours.pub")


def test_minisign_refuses_our_own_form_of_a_secret_key_in_words(signers):
    signers.key("ours")
    said = signers.minisign("-S", "-s", "ours.key", "-m", "notes.json", said=f"{PASSPHRASE}\n", check=None)
    assert said.returncode != 0 and "key derivation" in said.stdout.lower(), said.stdout


def test_a_key_is_private_its_public_half_is_not_and_neither_is_overwritten(signers):
    said = signers.key("release")
    assert os.stat(signers.path("release.key")).st_mode & 0o7777 == 0o600
    assert os.stat(signers.path("release.pub")).st_mode & 0o7777 == 0o644
    assert signers.get("release.pub").decode().splitlines()[0].split()[-1] in said
    before = signers.get("release.key")
    r = signers.stockade("key", "new", "--passphrase-fd", "{0}", "release", secrets=["x"], check=125)
    assert "never overwritten" in r.stderr and signers.get("release.key") == before
    os.unlink(signers.path("release.key"))
    assert "never overwritten" in signers.stockade("key", "new", "--passphrase-fd", "{0}", "release", secrets=["x"], check=125).stderr
    assert not os.path.exists(signers.path("release.key"))


@pytest.mark.parametrize("name", ["a.b", "a b", "-", "", "ä", "x" * 65])
def test_a_key_has_a_plain_name(signers, name):
    if name == "-":
        name = "a/"
        os.mkdir(signers.path("a"), 0o755)
    assert "letters, digits" in signers.stockade("key", "new", "--passphrase-fd", "{0}", name, secrets=["x"], check=125).stderr


def test_no_key_is_made_with_an_empty_passphrase_or_one_that_is_too_long(signers):
    for secret in ("", "\n", "x" * 1024 + "\n", b"a\0b\n"):
        signers.stockade("key", "new", "--passphrase-fd", "{0}", "x", secrets=[secret], check=125)
    assert not os.path.exists(signers.path("x.key"))
    assert "--passphrase-fd" in signers.stockade("key", "new", "x", check=125).stderr
    assert "no descriptor that is open" in signers.stockade("key", "new", "--passphrase-fd", "77", "x", check=2).stderr


def test_only_the_right_passphrase_signs(signers):
    signers.key("release")
    r = signers.stockade("profile", "sign", "--key", "release.key", "--passphrase-fd", "{0}", "notes.json", secrets=["another"], check=125)
    assert "does not open it" in r.stderr and not os.path.exists(signers.path("notes.json.minisig"))


def test_a_build_service_hands_the_key_over_by_a_descriptor(signers):
    signers.key("release")
    key = signers.get("release.key")
    os.unlink(signers.path("release.key"))
    signers.stockade("profile", "sign", "--key-fd", "{0}", "--passphrase-fd", "{1}", "notes.json", secrets=[key, PASSPHRASE], check=0)
    signers.verify("--pub", "release.pub")
    signers.bare_key("bare")
    signers.stockade("profile", "sign", "--key-fd={0}", "notes.json", secrets=[signers.get("bare.key")], check=0)
    found = json.loads(signers.verify("--keys", ".", "--need", "2", "--json").stdout)
    assert [s["key"] for s in found["signers"]] == ["bare", "release"]


def test_a_secret_key_that_others_can_read_signs_nothing(signers):
    signers.bare_key("bare")
    os.chmod(signers.path("bare.key"), 0o640)
    r = signers.stockade("profile", "sign", "--key", "bare.key", "notes.json", check=125)
    assert "can be read by others" in r.stderr
    os.chmod(signers.path("bare.key"), 0o600)
    os.symlink("bare.key", signers.path("link.key"))
    assert "symbolic link" in signers.stockade("profile", "sign", "--key", "link.key", "notes.json", check=125).stderr


def test_each_of_several_signers_has_a_file_and_one_who_signs_again_has_one_still(signers):
    for name in ("one", "two"):
        signers.bare_key(name)
    signers.stockade("profile", "sign", "--key", "one.key", "notes.json", check=0)
    assert "1 of the 2" in signers.verify("--keys", ".", "--need", "2", check=1).stdout
    for _ in range(2):
        for name in ("two", "one"):
            signers.stockade("profile", "sign", "--key", f"{name}.key", "notes.json", check=0)
    ids = {name: signers.get(f"{name}.pub").decode().splitlines()[0].split()[-1].zfill(16) for name in ("one", "two")}
    assert sorted(f for f in os.listdir(signers.dir) if f.endswith(".minisig")) == [f"notes.json.{ids['two']}.minisig", "notes.json.minisig"]
    signers.verify("--keys", ".", "--need", "2")
    # the same signature under another name makes no third
    signers.put("notes.json.third.minisig", signers.get("notes.json.minisig"))
    assert "2 of the 3" in signers.verify("--keys", ".", "--need", "3", check=1).stdout


def test_signing_a_changed_file_warns_of_the_signatures_that_no_longer_fit(signers):
    for name in ("one", "two"):
        signers.bare_key(name)
        signers.stockade("profile", "sign", "--key", f"{name}.key", "notes.json", check=0)
    keys = f"{signers.person.home}/.config/stockade/keys"
    os.makedirs(keys, 0o755)
    for name in ("one", "two"):
        with open(f"{keys}/{name}.pub", "wb") as f:
            f.write(signers.get(f"{name}.pub"))
        os.chmod(f"{keys}/{name}.pub", 0o644)
    signers.put("notes.json", json.dumps({**PROFILE, "version": 2}))
    r = signers.stockade("profile", "sign", "--key", "one.key", "notes.json", check=0)
    assert "refused until this is mended" in r.stderr and "does not fit" in r.stderr
    r = signers.stockade("profile", "sign", "--key", "two.key", "notes.json", check=0)
    assert r.stderr == ""
    signers.verify("--need", "2")


@pytest.mark.parametrize("name, text, words", [
    ("notes.json", '{"stockade": 1, "name": "notes", "command": ["x"], "tool": {}}', "unknown key"),
    ("other.json", json.dumps(PROFILE), "calls itself"),
    ("notes.txt", json.dumps(PROFILE), "is a file NAME.json"),
    ("x.json", '{"a": 1}', "neither a profile"),
    ("x.json", "[]", "neither a profile"),
    ("x.json", "", "not JSON"),
    ("x.pins", "{}\n", "x.pins"),
    ("r.json", '{"stockade": 1, "revoke": {}}', "r.json:1: revoke must be a list"),
    ("r.json", '{"stockade": 1, "revoke": [{"key": "A8807"}]}', "r.json:1: revoke names no key"),
    ("b.json", '{"stockade": 1, "bundle": "acme"}', "a bundle needs"),
    ("b.json", bundle(profiles=[embedded("notes", '{"stockade": 1, "name": "notes", "command": ["x"], "tool": {}}')]), "unknown key 'tool'"),
    ("b.json", bundle(profiles=[embedded("other", json.dumps(PROFILE))]), "calls itself"),
    ("b.json", bundle(pins=[embedded("x.pins", "{}\n")]), "x.pins"),
])
def test_what_has_a_mistake_in_it_is_not_signed(signers, name, text, words):
    signers.bare_key("bare")
    signers.put(name, text)
    r = signers.stockade("profile", "sign", "--key", "bare.key", name, check=125)
    assert words in r.stderr, r.stderr
    assert not [f for f in os.listdir(signers.dir) if f.endswith(".minisig")]


def test_a_bundle_is_signed_as_a_whole(signers):
    signers.bare_key("bare")
    signers.put("bundle.json", bundle(profiles=[embedded("notes", json.dumps(PROFILE))]))
    assert "bundle bundle.json signed" in signers.stockade("profile", "sign", "--key", "bare.key", "bundle.json", check=0).stdout
    signers.verify("--pub", "bare.pub", file="bundle.json")
    signers.minisign("-V", "-p", "bare.pub", "-m", "bundle.json")


def test_a_link_or_what_others_can_write_is_neither_signed_nor_verified(signers):
    signers.bare_key("bare")
    signers.stockade("profile", "sign", "--key", "bare.key", "notes.json", check=0)
    os.mkdir(signers.path("d"), 0o755)
    os.symlink("../notes.json", signers.path("d/notes.json"))
    for words in (["sign", "--key", "bare.key"], ["verify", "--pub", "bare.pub"]):
        assert "symbolic link" in signers.stockade("profile", *words, "d/notes.json", check=125).stderr
    for name in ("notes.json", "."):
        mode = os.stat(signers.path(name)).st_mode & 0o7777
        os.chmod(signers.path(name), mode | 0o002)
        for words in (["sign", "--key", "bare.key"], ["verify", "--pub", "bare.pub"]):
            assert "others" in signers.stockade("profile", *words, "notes.json", check=125).stderr
        os.chmod(signers.path(name), mode)
    signers.verify("--pub", "bare.pub")


def test_one_damaged_signature_denies_whatever_the_others_say(signers):
    signers.bare_key("bare")
    signers.stockade("profile", "sign", "--key", "bare.key", "notes.json", check=0)
    signers.put("notes.json.more.minisig", "not a signature\n")
    r = signers.verify("--pub", "bare.pub", check=1)
    assert "notes.json.more.minisig, line 1" in r.stderr and r.stdout == ""


def test_a_signature_of_a_key_that_is_not_believed_counts_for_nothing(signers):
    for name in ("ours", "theirs"):
        signers.bare_key(name)
    signers.stockade("profile", "sign", "--key", "theirs.key", "notes.json", check=0)
    r = signers.verify("--pub", "ours.pub", check=1)
    assert "unknown" in r.stdout and "not verified" in r.stdout
    r = signers.verify(check=125)
    assert "there is no key to verify with" in r.stderr


def test_the_passphrase_is_asked_for_twice_on_a_terminal_and_not_shown(signers):
    def foreground():
        """What a terminal's shell gives a command; what runs in the background of a script has the interrupt ignored."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def dialog(*answers):
        master, slave = pty.openpty()
        p = subprocess.Popen([STOCKADE, "key", "new", "typed"], env=signers.person.env, cwd=signers.dir, stdin=slave, stdout=slave, stderr=slave,
                             start_new_session=True, preexec_fn=foreground)
        said = b""
        for prompt, answer in zip((b"not shown): ", b"once more: "), answers):
            while prompt not in said:
                said += os.read(master, 4096)
            assert not termios.tcgetattr(slave)[3] & termios.ECHO
            os.write(master, answer)
        p.wait(60)
        assert termios.tcgetattr(slave)[3] & termios.ECHO
        os.close(slave)
        try:
            while chunk := os.read(master, 4096):
                said += chunk
        except OSError:
            pass
        os.close(master)
        return p.returncode, said
    code, said = dialog(b"sesame\n", b"sesame2\n")
    assert code == 125 and b"not the same" in said and b"sesame" not in said and not os.path.exists(signers.path("typed.key"))
    code, said = dialog(b"\x03")
    assert code == -2 and not os.path.exists(signers.path("typed.key"))
    code, said = dialog(b"sesame\n", b"sesame\n")
    assert code == 0 and b"sesame" not in said
    signers.stockade("profile", "sign", "--key", "typed.key", "--passphrase-fd", "{0}", "notes.json", secrets=["sesame"], check=0)


def test_other_descriptors_are_closed_and_those_that_are_named_are_not(signers):
    signers.bare_key("bare")
    r, w = os.pipe()
    os.write(w, b"x")
    os.close(w)
    done = subprocess.run([STOCKADE, "profile", "sign", "--key-fd", str(r), "--", "notes.json"], env=signers.person.env, cwd=signers.dir,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, pass_fds=[r])
    assert done.returncode == 125 and "the key, line 1" in done.stderr, done.stderr
    done = subprocess.run([STOCKADE, "check", "--names", "--key-fd", str(r)], env=signers.person.env, cwd=signers.dir,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, pass_fds=[r])
    assert done.returncode == 2 and "unknown option" in done.stderr
    os.close(r)
