# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and closes are signed: whoever has only the public key finds what was done by who has not the secret one."""
import json
import os
import re
import shutil
import subprocess

import pytest
from integration import log_verifier
from integration.harness import HERE, ODD

STATE = ".local/state/stockade"


def audit_dir(person):
    return f"{person.home}/{STATE}/audit"


def one_session(person, mark):
    person.approve("--", *ODD, mark)
    w = person.start("--", *ODD, mark)
    w.initialize()
    w.call("echo", {"text": "recorded"})
    assert w.end() == 0


def keep_key(person):
    return person.write("log.pub", person.stockade("audit", "key", check=0).stdout)


def both(person, directory, key):
    """What `verify --key` says of a copy, and what the other verifier says."""
    r = person.stockade("audit", "verify", "--json", "--dir", directory, "--key", key)
    verdict = json.loads(r.stdout.splitlines()[-1])
    with open(key, encoding="ascii") as f:
        wrong, covered, total = log_verifier.judge(directory, f.read())
    assert (r.returncode == 0) == (not wrong), (r.stdout, wrong)
    if not wrong:
        assert (verdict["covered"], verdict["records"]) == (covered, total), (verdict, covered, total)
    return verdict, wrong


def copy(person, name):
    to = f"{person.work}/{name}"
    shutil.copytree(audit_dir(person), to)
    return to


def put(path, data):
    """A closed session's file is sealed, and stays so."""
    os.chmod(path, 0o600)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o600 if path.endswith("index.jsonl") else 0o400)


def test_two_verifiers_agree_that_a_signed_log_is_whole_and_covered_to_its_end(person):
    for mark in ("signed-1", "signed-2"):
        one_session(person, mark)
    verdict, wrong = both(person, audit_dir(person), keep_key(person))
    assert wrong == [] and verdict["verdict"] == "whole"
    assert verdict["covered"] == verdict["records"] > 10 and verdict["signatures"] == 4, verdict
    said = person.stockade("audit", "verify", check=0).stdout
    assert "shows nothing against who can read the key" in said and f"by key {verdict['keys'][0]}" in said, said


def edits(lines):
    """Ways to alter a list of lines, with words for each."""
    for n in range(len(lines)):
        yield f"{n} deleted", lines[:n] + lines[n + 1 :]
        yield f"{n} twice", lines[: n + 1] + lines[n:]
        yield f"{n} with another digit", lines[:n] + [re.sub(rb'"ts":"2', b'"ts":"3', lines[n])] + lines[n + 1 :]
        yield f"cut behind {n}", lines[:n]


def test_two_verifiers_agree_about_everything_that_is_done_to_a_signed_log(person):
    one_session(person, "edited")
    key = keep_key(person)
    to = copy(person, "copy")
    for name in sorted(os.listdir(to)):
        with open(f"{to}/{name}", "rb") as f:
            lines = f.read().splitlines(keepends=True)
        for words, altered in edits(lines):
            put(f"{to}/{name}", b"".join(altered))
            verdict, wrong = both(person, to, key)
            assert wrong and verdict["verdict"] == "damaged", (name, words)
        put(f"{to}/{name}", b"".join(lines))
    assert both(person, to, key)[1] == []


def rechained(directory, change):
    """What who can write the files does: changes each line, and computes every hash anew."""
    heads = {}
    for name in sorted(os.listdir(directory), key=lambda n: n == "index.jsonl"):
        prev, out = "0" * 64, []
        with open(f"{directory}/{name}", "rb") as f:
            for line in f.read().splitlines():
                r = json.loads(line)
                line = re.sub(rb',"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"}$', b"", change(line))
                if name == "index.jsonl":
                    line = line.replace(r["head"].encode(), heads[r["head"]].encode())
                line += f',"prev":"{prev}"}}'.encode()
                prev = log_verifier.blake(line)
                heads[r["hash"]] = prev
                out.append(line[:-1] + f',"hash":"{prev}"}}\n'.encode())
        put(f"{directory}/{name}", b"".join(out))


def test_a_log_that_was_chained_anew_is_found_by_its_signatures_alone(person):
    one_session(person, "rechained")
    key = keep_key(person)
    to = copy(person, "forged")
    rechained(to, lambda line: line.replace(b'"tool":"echo"', b'"tool":"none"'))
    found = person.stockade("audit", "verify", "--dir", to, "--key", key, check=1).stdout
    assert "forged: its signature is not one by the key" in found and "missing" not in found, found
    assert both(person, to, key)[1]
    # Without any signature nothing is left but that there is none.
    to = copy(person, "stripped")
    rechained(to, lambda line: re.sub(rb'"key":"[0-9a-f]*"(,"sig":"[0-9a-f]*")?', rb'"key":"","sig":""', line))
    found = person.stockade("audit", "verify", "--dir", to, "--key", key, check=1).stdout
    assert "nothing in this log is signed by a key that was given" in found, found
    # An unsigned end behind signed records is none.
    one_session(person, "later")
    to = copy(person, "half")
    rechained(to, lambda line: re.sub(rb'"sig":"[0-9a-f]*"', rb'"sig":""', line) if b"checkpoint" not in line else line)
    assert "it has no signature" in person.stockade("audit", "verify", "--dir", to, "--key", key, check=1).stdout


def test_a_log_of_another_key_is_damaged_and_without_a_key_it_is_said_that_nobody_looked(person):
    one_session(person, "other")
    other = f"{person.work}/other.pub"
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8032, 7.1, test 1
    with open(other, "w", encoding="ascii") as f:
        f.write(f"# another's\n\nstockade-audit-key 1 {log_verifier.blake(public)[:16]} {public.hex()} of somebody\n")
    verdict, wrong = both(person, audit_dir(person), other)
    assert verdict["verdict"] == "damaged" and wrong
    said = person.stockade("audit", "verify", "--dir", audit_dir(person), check=0).stdout
    assert "not checked: 2 signatures, since no key was given" in said, said


@pytest.mark.parametrize("text, words", [
    ("stockade-audit-key 1 0123456789abcdef " + "00" * 32 + "\n", "1: this is no public key"),
    ("# nothing\n", "holds no public key"),
    ("stockade-audit-key 2 0123456789abcdef " + "00" * 32 + "\n", "1: this is no public key"),
])
def test_a_file_that_holds_no_key_checks_nothing(person, text, words):
    path = person.write("bad.pub", text)
    r = person.stockade("audit", "verify", "--key", path, check=125)
    assert words in r.stderr and r.stdout == "", r


def test_a_changed_key_is_told_of_by_the_one_before_and_both_check_the_log(person):
    one_session(person, "before")
    first = keep_key(person)
    with open(first, encoding="ascii") as f:
        old = f.read()
    listed = person.stockade("audit", "key", "--new", check=0).stdout.splitlines()
    one_session(person, "after")
    assert len(listed) == 2 and listed[1] == old.strip() + " before"
    told = next(r for r in person.records() if r["event"] == "log.key")
    assert told["detail"]["public"] == listed[0]
    # Who has only the old key can follow its word to the new one.
    assert "unknown key" in person.stockade("audit", "verify", "--read-only", "--key", first, check=1).stdout
    keys = f"{person.work}/keys"
    os.mkdir(keys)
    for n, line in enumerate(listed):
        with open(f"{keys}/{n}.pub", "w", encoding="ascii") as f:
            f.write(line + "\n")
    r = person.stockade("audit", "verify", "--key", keys, check=0)
    assert all(line.split()[2] in r.stdout for line in listed), r.stdout
    assert both(person, audit_dir(person), person.write("all.pub", "\n".join(listed) + "\n"))[1] == []


@pytest.mark.parametrize("deed, words", [
    (lambda path: os.chmod(path, 0o644), "can be reached by others"),
    (lambda path: os.truncate(path, 20), "holds no key"),
    (lambda path: (os.unlink(path), os.symlink("/dev/null", path)), "is a symbolic link"),
])
def test_without_a_usable_key_nothing_runs(person, deed, words):
    one_session(person, "key")
    deed(f"{person.home}/{STATE}/audit-key")
    r = person.stockade("run", "--", *ODD, "key")
    assert r.returncode == 125 and words in r.stderr and "nothing runs unrecorded" in r.stderr and r.stdout == "", r


def test_the_session_that_was_killed_gets_a_signed_end(person):
    person.approve("--", *ODD, "killed")
    w = person.start("--", *ODD, "killed")
    w.initialize()
    w.call("echo", {"text": "recorded"})
    key = keep_key(person)
    before = person.stockade("audit", "verify", "--read-only", check=0).stdout
    assert "unsigned tail: no signature covers this record and what follows" not in before  # nothing is signed yet
    w.p.kill()
    w.p.wait()
    person.stockade("audit", "verify", check=0)
    verdict, wrong = both(person, audit_dir(person), key)
    assert wrong == [] and verdict["covered"] == verdict["records"], verdict


def test_the_page_checks_a_signature_by_hand(person):
    one_session(person, "hand")
    with open(f"{HERE}/../../docs/audit.md", encoding="utf-8") as f:
        commands = next(b for b in re.findall(r"```sh\n(.*?)```", f.read(), re.S) if "pkeyutl" in b)
    name = next(n for n in os.listdir(audit_dir(person)) if n != "index.jsonl")
    public = person.stockade("audit", "key", check=0).stdout.split()[3]
    script = commands.replace("FILE", f"{audit_dir(person)}/{name}").replace("PUBLIC", public)
    r = subprocess.run(["sh", "-ec", script], cwd=person.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert r.returncode == 0 and "Verified Successfully" in r.stdout, r
