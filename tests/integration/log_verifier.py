# SPDX-License-Identifier: Apache-2.0
"""A verifier of the log that was written from docs/audit.md alone: chains, heads and signatures, and what they cover.

Of stockade it uses nothing. judge(DIR, KEYS) returns what is wrong as sentences, and how many records signatures cover.
"""
import hashlib
import json
import os
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LINKS = re.compile(rb',"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"}$')
SIGNED = re.compile(rb',"key":"([0-9a-f]{16})","sig":"([0-9a-f]{128})"$')
NOTED = {"session.open": "index.open", "checkpoint": "index.checkpoint", "session.close": "index.close"}


def blake(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def read_keys(text):
    keys = {}
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        assert words[:2] == ["stockade-audit-key", "1"], line
        raw = bytes.fromhex(words[3])
        assert blake(raw)[:16] == words[2], line
        keys[words[2]] = Ed25519PublicKey.from_public_bytes(raw)
    return keys


def read_record(line, keys, wrong):
    """The record with its links and whether it is signed, or None."""
    links = LINKS.search(line)
    if not links:
        return None
    r = json.loads(line)
    prev, own = links.group(1).decode(), links.group(2).decode()
    if (r["prev"], r["hash"], r["v"]) != (prev, own, 1) or blake(line[: links.start(2) - 9] + b"}") != own:
        return None
    r["signed"] = False
    signed = SIGNED.search(line[: links.start()])
    if signed:
        name, sig = signed.group(1).decode(), bytes.fromhex(signed.group(2).decode())
        unsigned = line[: signed.start(2)] + b'"' + line[links.start() : links.start(2) - 9] + b"}"
        try:
            keys[name].verify(sig, b"stockade-audit-1 " + blake(unsigned).encode())
            r["signed"] = True
        except (InvalidSignature, KeyError) as e:
            wrong.append(f"signature by {name}: {type(e).__name__}")
    return r


def read_file(path, keys, wrong):
    """Good records in the order of the file. A line that is no record has to be told of by the one after it."""
    records, bad = [], None
    with open(path, "rb") as f:
        data = f.read()
    lines = data.split(b"\n")
    if lines.pop():
        wrong.append(f"{path}: a line without its end")
    for n, line in enumerate(lines, 1):
        r = read_record(line, keys, wrong)
        told = r and r.get("torn_bytes") == len(bad or b"") and r.get("torn_hash") == blake(bad or b"")
        if bad is not None and not told:
            wrong.append(f"{path}:{n - 1}: no record")
        bad = line if r is None else None
        if r is not None:
            records.append(r)
    if bad is not None:
        wrong.append(f"{path}:{len(lines)}: no record")
    return records


def covered_by(index):
    """The positions in the index that signatures cover."""
    at, covered = {r["hash"]: i for i, r in enumerate(index)}, set()
    for i in reversed(range(len(index))):
        if index[i]["signed"] or i in covered:
            covered.add(i)
            covered |= {at[h] for h in [index[i]["prev"], *index[i].get("merges", [])] if h in at}
    return covered


def judge(directory, key_text):
    wrong, keys = [], read_keys(key_text)
    index = read_file(f"{directory}/index.jsonl", keys, wrong)
    hashes = ["0" * 64]
    for r in index:
        if r["prev"] not in hashes or (r["prev"] != hashes[-1] and not any(x.get("unlocked") for x in index)):
            wrong.append(f"index: {r['seq']} follows what is not there")
        hashes.append(r["hash"])
    safe, covered, total = covered_by(index), 0, 0
    files = {r["file"] for r in index} | {n for n in os.listdir(directory) if n.endswith(".jsonl")} - {"index.jsonl"}
    for name in sorted(files):
        if not os.path.exists(f"{directory}/{name}"):
            wrong.append(f"{name}: gone")
            continue
        records = read_file(f"{directory}/{name}", keys, wrong)
        for i, r in enumerate(records):
            if r["seq"] != i + 1 or r["prev"] != (records[i - 1]["hash"] if i else "0" * 64):
                wrong.append(f"{name}: {r['seq']} is not what follows {i}")
        known = [(i, x) for i, x in enumerate(index) if x["file"] == name]
        heads = {(x["event"], x["records"], x["head"]) for _, x in known}
        if heads != {(NOTED[r["event"]], r["seq"], r["hash"]) for r in records if r["event"] in NOTED}:
            wrong.append(f"{name}: not what the index says")
        to = max([r["seq"] for r in records if r["signed"]] + [x["records"] for i, x in known if i in safe] + [0])
        covered += sum(r["seq"] <= to for r in records)
        total += len(records)
    return wrong, covered, total
