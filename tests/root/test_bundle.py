# SPDX-License-Identifier: Apache-2.0
"""A bundle is fetched from any web server or put in place by anybody's tools; its signature alone is believed, and what is wrong changes nothing.

/etc/stockade and /var/lib/stockade of a test lie over the real ones in a mount namespace of its own.
"""
import contextlib
import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import time
import threading

import pytest
from integration.harness import STOCKADE

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

OVER = 'mount --bind "$0/etc" /etc/stockade && mount --bind "$0/lib" /var/lib/stockade && exec "$@"'
PROFILE = {"stockade": 1, "name": "notes", "command": ["/usr/bin/true"]}
DRIP = object()  # in the place of a body: bytes that never end, a few at a time
OPENSSL = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
           "-addext", "subjectAltName=DNS:localhost"]


class Web:
    """A web server on the loopback; what it has is a dict, what it was asked for a list."""

    def __init__(self, context=None):
        self.files, self.asked, self.look, self.over, web = {}, [], None, threading.Event(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked.append(self.path)
                if web.look:
                    web.look()
                body = web.files.get(self.path)
                if body is DRIP:
                    self.drip()
                    return
                if isinstance(body, str):
                    self.send_response(302)
                    self.send_header("Location", body)
                    self.end_headers()
                    return
                self.send_response(404 if body is None else 200)
                self.end_headers()
                if body:
                    self.wfile.write(body)

            def drip(self):
                """Fast enough for who only asks whether something comes."""
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    while not web.over.wait(0.005):
                        self.wfile.write(b"{")
                        self.wfile.flush()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class Fleet:
    def __init__(self, base):
        self.base, self.web = base, Web()
        for d in ("etc", "etc/keys", "home", "lib", "sign"):
            os.makedirs(f"{base}/{d}", 0o755)
        self.url = f"http://127.0.0.1:{self.web.port}/bundle.json"
        self.key("it")
        self.policy()

    def key(self, name, trusted=True):
        subprocess.run(["minisign", "-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.key"], cwd=f"{self.base}/sign", check=True, stdout=subprocess.DEVNULL)
        with open(f"{self.base}/sign/{name}.pub", "rb") as f:
            text = f.read()
        if trusted:
            self.put(f"etc/keys/{name}.pub", text)
        return text.decode().splitlines()[0].split()[-1].zfill(16)  # minisign leaves zeros out

    def put(self, path, text):
        with open(f"{self.base}/{path}", "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(f"{self.base}/{path}", 0o644)

    def policy(self, **more):
        self.put("etc/policy.json", json.dumps({"stockade": 1, "bundle": {"url": self.url}, **more}))

    def bundle(self, version, expires="2036-01-01T00:00:00Z", **more):
        text = json.dumps(PROFILE)
        return json.dumps({"stockade": 1, "bundle": "acme", "version": version, "issued": "2026-01-01T00:00:00Z", "expires": expires, "profiles": [
            {"name": "notes", "text": text, "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest()}], **more}).encode()

    def signature(self, text, key="it"):
        self.put("sign/bundle.json", text)
        subprocess.run(["minisign", "-S", "-W", "-s", f"{key}.key", "-m", "bundle.json", "-x", "out"], cwd=f"{self.base}/sign", check=True,
                       stdout=subprocess.DEVNULL)
        with open(f"{self.base}/sign/out", "rb") as f:
            return f.read()

    def serve(self, version, key="it", **more):
        text = self.bundle(version, **more)
        self.web.files = {"/bundle.json": text, "/bundle.json.minisig": self.signature(text, key)}
        return text

    def sync(self, *words, check=0, env=None):
        r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, self.base, STOCKADE, "sync", *words], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=120, check=False, env={"PATH": os.environ["PATH"], "HOME": "/root", **(env or {})})
        assert r.returncode == check, f"{r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def check(self, check=0):
        return self.stockade("check", "--", "/usr/bin/true", check=check)

    def stockade(self, *words, check=0):
        r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, self.base, STOCKADE, *words], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=120, check=False, env={"PATH": os.environ["PATH"], "HOME": f"{self.base}/home"})
        assert r.returncode == check, f"{r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def place(self, version, **more):
        text = self.bundle(version, **{"profiles": [], **more})
        self.put("etc/bundle.json", text)
        self.put("etc/bundle.json.minisig", self.signature(text))

    def kept(self):
        path = f"{self.base}/lib/bundle/current/bundle.json"
        if not os.path.exists(path):
            return None
        with open(path, "rb") as f:
            return json.load(f)["version"]


@pytest.fixture
def fleet(tmp_path):
    made = [d for d in ("/etc/stockade", "/var/lib/stockade") if not os.path.isdir(d)]
    for d in made:
        os.mkdir(d, 0o755)
    os.chmod(tmp_path, 0o755)
    f = Fleet(str(tmp_path))
    yield f
    f.web.close()
    for d in made:
        os.rmdir(d)


def test_a_bundle_is_fetched_verified_and_kept_with_its_signature(fleet):
    text = fleet.serve(3)
    said = fleet.sync().stdout
    assert "bundle 'acme' version 3" in said and "(before: none)" in said, said
    current = f"{fleet.base}/lib/bundle/current"
    assert sorted(os.listdir(current)) == ["bundle.json", "bundle.json.minisig"]
    with open(f"{current}/bundle.json", "rb") as f:
        assert f.read() == text
    subprocess.run(["minisign", "-V", "-p", f"{fleet.base}/sign/it.pub", "-m", f"{current}/bundle.json"], check=True, stdout=subprocess.DEVNULL)
    assert os.stat(current).st_uid == 0 and os.stat(f"{current}/bundle.json").st_mode & 0o7777 == 0o644
    assert os.path.exists(f"{fleet.base}/lib/bundle/confirmed")


def test_a_newer_one_takes_its_place_and_the_same_one_is_confirmed(fleet):
    fleet.serve(3)
    fleet.sync()
    fleet.serve(4)
    fleet.sync()
    assert fleet.kept() == 4
    os.utime(f"{fleet.base}/lib/bundle/confirmed", (0, 0))
    assert fleet.sync().stdout == ""
    assert os.stat(f"{fleet.base}/lib/bundle/confirmed").st_mtime > 1e9


def test_an_older_version_is_never_taken_nor_another_of_the_same(fleet):
    fleet.serve(4)
    fleet.sync()
    fleet.serve(3)
    assert "never goes back" in fleet.sync(check=1).stderr
    fleet.serve(4, kill=[{"stockade": 1, "server": "x"}])
    assert "another bundle" in fleet.sync(check=1).stderr
    assert fleet.kept() == 4


def test_an_older_version_is_not_taken_even_when_the_newer_has_expired(fleet):
    fleet.serve(4, expires="2026-01-02T00:00:00Z")
    assert "expired" in fleet.sync(check=1).stderr
    fleet.serve(5)
    fleet.sync()
    current = f"{fleet.base}/lib/bundle/current"
    text = fleet.bundle(6, expires="2026-01-02T00:00:00Z")
    for name, body in (("bundle.json", text), ("bundle.json.minisig", fleet.signature(text))):
        with open(f"{current}/{name}", "wb") as f:
            f.write(body)
    fleet.serve(5)
    assert "never goes back" in fleet.sync(check=1).stderr


@pytest.mark.parametrize("way", ["key-gone", "key-revoked", "cut", "gone", "an-old-copy"])
def test_an_older_version_is_not_taken_when_what_is_kept_cannot_be_used_any_more(fleet, way):
    revoked, current = fleet.key("old"), f"{fleet.base}/lib/bundle/current"
    if way == "an-old-copy":
        fleet.serve(4)
        fleet.sync()
        shutil.copytree(current, f"{fleet.base}/copy")
    fleet.serve(5, "old")
    fleet.sync()
    if way == "key-gone":
        os.unlink(f"{fleet.base}/etc/keys/old.pub")
    elif way == "key-revoked":
        os.mkdir(f"{fleet.base}/etc/revocations")
        text = json.dumps({"stockade": 1, "revoke": [{"key": revoked, "why": "lost"}]})
        fleet.put("etc/revocations/old.json", text)
        fleet.put("etc/revocations/old.json.minisig", fleet.signature(text))
    elif way == "cut":
        fleet.put("lib/bundle/current/bundle.json", fleet.bundle(5)[:50])
    else:
        shutil.rmtree(current)
    if way == "an-old-copy":
        os.rename(f"{fleet.base}/copy", current)
    fleet.serve(4)
    said = fleet.sync(check=1).stderr
    assert "version 5 of 'acme' was kept on this machine" in said, said
    assert fleet.check(125).stderr.count("a bundle never goes back") == 1
    fleet.place(4)
    assert "version 5 of 'acme' was kept on this machine" in fleet.sync(check=1).stderr
    assert "a bundle never goes back" in fleet.check(125).stderr
    assert "version 5 was kept: what that one killed besides is not known" in fleet.stockade("kills").stderr
    os.unlink(f"{fleet.base}/lib/bundle/highest")
    fleet.check()
    fleet.put("lib/bundle/highest", json.dumps({"stockade": 1, "bundle": "acme", "version": 5}))
    os.unlink(f"{fleet.base}/etc/bundle.json")
    for version in (5, 6):
        fleet.serve(version)
        fleet.sync()
        assert fleet.kept() == version
        fleet.check()


def test_a_damaged_memory_of_the_highest_version_is_told_and_takes_nothing(fleet):
    fleet.serve(5)
    fleet.sync()
    with open(f"{fleet.base}/lib/bundle/highest", encoding="utf-8") as f:
        assert json.load(f) == {"stockade": 1, "bundle": "acme", "version": 5}
    fleet.put("lib/bundle/highest", "{")
    fleet.serve(6)
    assert "highest, which remembers" in fleet.sync(check=125).stderr and fleet.kept() == 5
    assert "highest, which remembers" in fleet.check(125).stderr
    os.unlink(f"{fleet.base}/lib/bundle/highest")
    fleet.serve(4)
    assert "never goes back" in fleet.sync(check=1).stderr
    assert os.path.exists(f"{fleet.base}/lib/bundle/highest")


@pytest.mark.parametrize("damage", ["cut", "unsigned", "other-key", "other-signature", "flipped"])
def test_what_does_not_verify_changes_nothing(fleet, damage):
    fleet.serve(1)
    fleet.sync()
    fleet.key("stranger", trusted=False)
    text = fleet.serve(2, "stranger" if damage == "other-key" else "it")
    if damage == "cut":
        fleet.web.files["/bundle.json"] = text[:-20]
    elif damage == "unsigned":
        del fleet.web.files["/bundle.json.minisig"]
    elif damage == "other-signature":
        fleet.web.files["/bundle.json.minisig"] = fleet.signature(fleet.bundle(1))
    elif damage == "flipped":
        fleet.web.files["/bundle.json"] = text.replace(b"acme", b"acmf")
    fleet.sync(check=1)
    assert fleet.kept() == 1 and sorted(os.listdir(f"{fleet.base}/lib/bundle")) == ["confirmed", "current", "highest"]


def revoking(*ids):
    return [{"stockade": 1, "revoke": [{"key": i, "why": "the laptop was stolen"} for i in ids]}]


def test_a_key_that_the_kept_bundle_revokes_signs_no_newer_one(fleet):
    stolen = fleet.key("release")
    fleet.policy(signatures={"need": 1, "of": ["it", "release"]})
    fleet.serve(4, "release")
    fleet.sync()
    fleet.serve(5, revocations=revoking(stolen))
    fleet.sync()
    fleet.serve(6, "release")
    said = fleet.sync(check=1).stderr
    assert "by what the one that is kept revokes" in said and "'release' was revoked" in said, said
    assert fleet.kept() == 5
    text = fleet.bundle(6)
    fleet.put("etc/bundle.json", text)
    fleet.put("etc/bundle.json.minisig", fleet.signature(text, "release"))
    assert "'release' was revoked" in fleet.sync(check=1).stderr and fleet.kept() == 5
    fleet.put("etc/bundle.json", fleet.bundle(3))  # one that is older was signed when the key was good
    fleet.put("etc/bundle.json.minisig", fleet.signature(fleet.bundle(3), "release"))
    fleet.serve(6)
    fleet.sync()
    assert fleet.kept() == 6, "a key that is left lifts what it revoked"
    fleet.serve(7, "release")
    fleet.sync()
    assert fleet.kept() == 7


def test_what_a_kept_bundle_revokes_stays_revoked_when_its_own_signer_ends(fleet):
    stolen = fleet.key("release")
    fleet.key("third")
    fleet.policy(signatures={"need": 1, "of": ["it", "release", "third"]})
    fleet.serve(5, revocations=revoking(stolen))
    fleet.sync()
    fleet.policy(signatures={"need": 1, "of": ["it", "release", "third"], "keys": {"it": {"expires": "2026-01-02"}}})
    fleet.serve(6, "release")
    assert "'release' was revoked" in fleet.sync(check=1).stderr and fleet.kept() == 5
    fleet.serve(6, "third")
    fleet.sync()
    assert fleet.kept() == 6


def test_a_bundle_that_revokes_its_own_signer_stays_the_one_that_is_kept(fleet):
    own = fleet.key("release")
    fleet.policy(signatures={"need": 1, "of": ["it", "release"]})
    text = fleet.serve(5, "release", revocations=revoking(own))
    fleet.sync()
    fleet.put("etc/bundle.json", text)
    fleet.put("etc/bundle.json.minisig", fleet.signature(text, "release"))
    assert fleet.sync().stderr == "" and fleet.kept() == 5
    fleet.check()
    fleet.serve(6, "release")
    fleet.sync(check=1)
    assert fleet.kept() == 5


def test_the_signatures_of_keys_that_are_left_are_fetched_behind_that_of_a_revoked_one(fleet):
    stolen = fleet.key("release")
    fleet.policy(signatures={"need": 1, "of": ["it", "release"]})
    fleet.serve(5, revocations=revoking(stolen))
    fleet.sync()
    text = fleet.serve(6, "release")
    fleet.web.files["/bundle.json.it.minisig"] = fleet.signature(text)
    fleet.sync()
    assert fleet.kept() == 6


def test_a_bundle_whose_revocations_cannot_be_read_is_not_kept(fleet):
    fleet.serve(5)
    fleet.sync()
    fleet.serve(6, revocations=[{"stockade": 1, "revoke": [{"kee": "0123456789ABCDEF"}]}])
    assert "what is revoked" in fleet.sync(check=1).stderr and fleet.kept() == 5


def test_as_many_signers_as_policy_says_are_fetched_by_id_or_by_name(fleet):
    other = fleet.key("security")
    fleet.policy(signatures={"need": 2, "of": ["it", "security"]})
    text = fleet.serve(1)
    assert "1 of the 2" in fleet.sync(check=1).stderr
    for name in (other, "security"):
        fleet.web.files[f"/bundle.json.{name}.minisig"] = fleet.signature(text, "security")
        fleet.sync()
        assert sorted(os.listdir(f"{fleet.base}/lib/bundle/current")) == ["bundle.json", f"bundle.json.{other}.minisig", "bundle.json.minisig"]
        del fleet.web.files[f"/bundle.json.{name}.minisig"]
        text = fleet.serve(2)


def test_one_that_was_put_in_its_place_is_kept_and_a_half_copied_one_is_not(fleet):
    fleet.web.close()
    fleet.put("etc/policy.json", json.dumps({"stockade": 1, "bundle": {"stale": "72h"}}))
    text = fleet.bundle(7)
    fleet.put("etc/bundle.json", text)
    assert "it is not signed" in fleet.sync(check=1).stderr and fleet.kept() is None
    fleet.put("etc/bundle.json.minisig", fleet.signature(text))
    fleet.sync()
    assert fleet.kept() == 7
    fleet.put("etc/bundle.json", fleet.bundle(8)[:100])
    assert "does not fit these bytes" in fleet.sync(check=1).stderr
    assert fleet.kept() == 7


def test_a_disk_that_is_full_leaves_what_is_kept_and_the_next_goes_on(fleet):
    """However many pages are left, one after the other; the control is the last, which finds all of them."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "none", f"{fleet.base}/lib"], check=True)
    try:
        fleet.serve(1)
        fleet.sync()
        outcomes = []
        for pages in range(8):
            subprocess.run(["sh", "-c", f"cat /dev/zero >{fleet.base}/lib/fill; truncate -s -{4096 * pages} {fleet.base}/lib/fill"], check=True,
                           stderr=subprocess.DEVNULL)
            version = len(outcomes) + 2
            before = fleet.kept()
            fleet.serve(version)
            r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, fleet.base, STOCKADE, "sync"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=120, check=False, env={"PATH": os.environ["PATH"], "HOME": "/root"})
            outcomes.append((r.returncode, fleet.kept()))
            assert r.returncode == 0 or "No space left on device" in r.stderr, f"{pages}: {r.returncode} {r.stderr}"
            assert fleet.kept() in (before, version)
            fleet.check()
            os.unlink(f"{fleet.base}/lib/fill")
        assert {status for status, _ in outcomes} == {0, 1}, outcomes
        fleet.serve(99)
        fleet.sync()
        assert fleet.kept() == 99
    finally:
        subprocess.run(["umount", f"{fleet.base}/lib"], check=True)


def test_only_so_many_bytes_are_taken_and_a_redirection_leads_nowhere_else(fleet):
    fleet.web.files = {"/bundle.json": b" " * ((32 << 20) + 1)}
    assert "longer than the limit" in fleet.sync(check=1).stderr
    fleet.web.files = {"/bundle.json": "ftp://127.0.0.1/x"}
    assert "cannot fetch" in fleet.sync(check=1).stderr
    fleet.web.files = {"/bundle.json": "/bundle.json"}
    assert "redirect" in fleet.sync(check=1).stderr.lower()
    fleet.web.files = {}
    assert "has no" in fleet.sync(check=1).stderr
    assert fleet.kept() is None


@pytest.mark.parametrize("slow", ["/bundle.json", "/bundle.json.minisig", "/bundle.json.security.minisig"])
def test_a_server_that_drips_holds_it_no_longer_than_its_time_and_nothing_goes_on_behind_it(fleet, slow):
    fleet.serve(1)
    fleet.sync()
    fleet.key("security")
    fleet.policy(signatures={"need": 2, "of": ["it", "security"]})
    fleet.serve(2)
    fleet.web.files[slow] = DRIP
    begun = time.monotonic()
    said = fleet.sync("--timeout", "3", check=1).stderr
    assert "the time that there is for all of it is over" in said and slow in said, said
    assert time.monotonic() - begun < 60, "it was held for as long as a whole fetch may take"
    assert fleet.kept() == 1
    assert not [p for p in os.listdir("/proc") if p.isdigit() and command(p) == "stockade-fetch"]


def command(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            return f.read().strip()
    return None


def test_what_fetches_has_nothing_of_the_terminal_that_it_was_started_from(fleet):
    seen = []

    def look():
        for pid in (p for p in os.listdir("/proc") if p.isdigit()):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                    comm, rest = f.read().rsplit(")", 1)
                if comm.endswith("(stockade-fetch"):
                    seen.append((os.readlink(f"/proc/{pid}/fd/2"), rest.split()[3] == pid, rest.split()[4]))
            except (OSError, UnicodeDecodeError):
                continue
    fleet.web.look = look
    fleet.serve(1)
    fleet.sync()
    assert len(seen) >= 2 and set(seen) == {("/dev/null", True, "0")}, seen


def test_no_variable_leads_it_to_a_proxy(fleet):
    fleet.serve(1)
    fleet.sync(env={k: "http://127.0.0.1:9" for k in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")})
    assert fleet.kept() == 1


def test_tls_is_verified_with_the_authority_that_policy_provides(fleet, tmp_path):
    subprocess.run([*OPENSSL, "-keyout", f"{tmp_path}/tls.key", "-out", f"{tmp_path}/tls.pem"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{tmp_path}/tls.pem", f"{tmp_path}/tls.key")
    fleet.web.close()
    fleet.web = Web(context)
    fleet.url = f"https://localhost:{fleet.web.port}/bundle.json"
    fleet.policy()
    fleet.serve(1)
    assert "certificate" in fleet.sync(check=1).stderr.lower() and fleet.kept() is None
    with open(f"{tmp_path}/tls.pem", "rb") as f:
        fleet.put("etc/ca.pem", f.read())
    fleet.policy(provide={"ca": "/etc/stockade/ca.pem"})
    fleet.sync()
    assert fleet.kept() == 1


def test_the_timer_asks_only_when_it_is_due(fleet):
    fleet.policy(bundle={"url": fleet.url, "every": "1h"})
    fleet.serve(1)
    fleet.sync("--due")
    asked = len(fleet.web.asked)
    fleet.sync("--due")
    assert len(fleet.web.asked) == asked
    stamp = os.stat(f"{fleet.base}/lib/bundle/confirmed").st_mtime - 3601
    os.utime(f"{fleet.base}/lib/bundle/confirmed", (stamp, stamp))
    fleet.sync("--due")
    assert len(fleet.web.asked) > asked


def test_a_bundle_that_is_soon_too_old_or_half_there_is_said_and_one_that_is_denies(fleet):
    fleet.put("etc/policy.json", json.dumps({"stockade": 1, "bundle": {"stale": "72h"}}))
    assert "no bundle yet" in fleet.check(125).stderr
    fleet.place(1)
    assert "last confirmed" not in fleet.check().stdout
    now = time.time()
    os.utime(f"{fleet.base}/etc/bundle.json", (now - 40 * 3600,) * 2)
    assert "soon that is too old" in " ".join(fleet.check().stdout.split())
    os.utime(f"{fleet.base}/etc/bundle.json", (now - 73 * 3600,) * 2)
    assert "takes none that is so old" in fleet.check(125).stderr


def test_doctor_says_which_bundle_there_is_until_when_and_why_not(fleet):
    def told(name, check):
        said = json.loads(fleet.stockade("doctor", "--json", check=check).stdout)["checks"]
        return next((c["result"], c["found"]) for c in said if c["name"] == name)
    fleet.put("etc/policy.json", json.dumps({"stockade": 1, "bundle": {"stale": "72h"}}))
    result, found = told("bundle", 1)
    assert result == "no" and "no bundle yet" in found, found
    fleet.place(3)
    result, found = told("bundle", 0)
    assert result == "yes" and "'acme', version 3, signed by it, until 2036-01-01T00:00:00Z; confirmed on " in found and "too old from " in found, found
    os.utime(f"{fleet.base}/etc/bundle.json", (time.time() - 40 * 3600,) * 2)
    result, found = told("bundle", 0)
    assert result == "note" and "soon that is too old" in found, found
    fleet.put("etc/bundle.json", b"{")
    result, found = told("bundle", 1)
    assert result == "no" and "does not fit these bytes" in found, found
    for name in ("bundle.json", "bundle.json.minisig"):
        os.unlink(f"{fleet.base}/etc/{name}")
    fleet.policy()
    result, found = told("bundle", 0)
    assert result == "yes" and "has taken none yet" in found, found
    assert told("collector", 0) == ("yes", "no policy wants it: each user's records stay with that user")
    fleet.policy(audit={"to": "collector"})
    result, found = told("collector", 1)
    assert result == "no" and "collector" in found, found


def test_a_copy_of_an_old_bundle_is_as_old(fleet):
    fleet.put("etc/policy.json", json.dumps({"stockade": 1, "bundle": {"stale": "72h"}}))
    fleet.place(1)
    os.utime(f"{fleet.base}/etc/bundle.json", (time.time() - 73 * 3600,) * 2)
    fleet.sync()
    assert fleet.kept() == 1
    assert "takes none that is so old" in fleet.check(125).stderr


@pytest.mark.parametrize("url, words", [
    ("http://it.example.com/b.json", "loopback alone"), ("ftp://it.example.com/b", "must be https"), ("https://it.example.com", "path"),
    ("https://u:p@it.example.com/b", "user"), ("https://it.example.com/b?x", "'?'"), ("https://it.example.com:x/b", "port"), ("https:///b", "host"),
    ("http://127.0.0.1.example.com/b", "loopback alone"), ("https://it.example.com/b\n", "plain"),
])
def test_policy_names_an_address_of_https_or_of_the_loopback(fleet, url, words):
    fleet.url = url
    fleet.policy()
    assert words in fleet.sync(check=125).stderr


def test_nobody_but_root_syncs(person):
    r = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", STOCKADE, "sync"], env=person.env, stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60, check=False)
    assert r.returncode == 125 and "start it as root" in r.stderr
