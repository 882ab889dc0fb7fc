# SPDX-License-Identifier: Apache-2.0
"""The shim's JSON beside node's: what is taken means the same before and after, and what is refused has to be."""
import collections
import json
import os
import random
import subprocess

from integration.harness import HERE, NODE22, STAGE

CORPORA = [f"{os.path.dirname(HERE)}/fuzz/corpus/{name}" for name in ("json", "json_peer")]
CANON = f"{STAGE}/build/tests/unit/json_canon"
SEED = int(os.environ.get("STOCKADE_SEED", "20261121"))
ROUNDS = 6000
BLANKS = [b"", b"", b"", b"", b" ", b"  ", b"\t", b"\r"]
PIECES = [b"a", b"b", b"name", b"Z", b" ", b"/", b"\\/", b'\\"', b"\\\\", b"\\b", b"\\f", b"\\n", b"\\r", b"\\t", b"\\u0041", b"\\u00E9", b"\\u20ac",
          b"\\ud83d\\ude00", b"\\uD83D", b"\\udE00", b"\\u0000", b"\\u001f", b"\\u007f", b"\\u2028", b"\x7f", "é".encode(), "€".encode(), "😀".encode(),
          "\u2028".encode(), "\u0085".encode(), "\u00a0".encode(), "\ufeff".encode(), "ſ".encode(), "\u202e".encode(), b"x" * 15, b"y" * 31]
NUMBERS = [b"0", b"-0", b"1", b"-17", b"3.5", b"1e3", b"2E-2", b"-0.25e+1", b"9007199254740993", b"123456789012345678901234567890", b"1e400", b"-1E-400",
           b"0.1", b"100", b"1" * 16, b"1" * 17, b"-" + b"9" * 40]
ODD = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\x00", b"\t", b"\r", b"\x1f", b"\x7f", b"\x80", b"\xc0", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf",
       b"\xf4\x90\x80\x80", b"\xff", b"0", b"-", b"+", b".", b"e", b"E", b"u", b"\\u", b"\\x", b"NaN", b"//", b"/*", b"'", b" ", b"true", b"null", b"\\ud800"]


class Maker:
    """Documents that are JSON, and such as were."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def blank(self):
        # Seldom anything but none or a blank: what the shim refuses for its white space alone teaches nothing else.
        return self.r.choice(BLANKS if self.r.randrange(60) == 0 else BLANKS[:6])

    def string(self, tag=b""):
        many = self.r.choice(PIECES if self.r.randrange(3) == 0 else PIECES[:18])
        return b'"' + b"".join(self.r.choice([many, *PIECES[:18]]) for _ in range(self.r.randrange(5))) + tag + b'"'

    def key(self, i):
        # Now and then without its number: the same key twice, or in another spelling.
        return self.string(b"" if self.r.randrange(25) == 0 else b"%d" % i)

    def value(self, depth):
        kind = self.r.randrange(9 if depth else 5)
        if kind < 2:
            return self.string()
        if kind < 4:
            return self.r.choice(NUMBERS)
        if kind == 4:
            return self.r.choice([b"true", b"false", b"null"])
        return self.container(depth - 1, kind < 7)

    def container(self, depth, is_object=True):
        n = self.r.randrange(40) if self.r.randrange(30) == 0 else self.r.randrange(5)
        parts = []
        for i in range(n):
            name = self.blank() + self.key(i) + self.blank() + b":" if is_object else b""
            parts.append(name + self.blank() + self.value(depth) + self.blank())
        inside = b",".join(parts) or self.blank()
        return b"{" + inside + b"}" if is_object else b"[" + inside + b"]"

    def damage(self, text):
        at, to = sorted(self.r.randrange(len(text) + 1) for _ in range(2))
        kind = self.r.randrange(6)
        if kind == 0:
            return text[:at] + text[at + 1:]
        if kind == 1:
            return text[:at] + self.r.choice(ODD) + text[at + 1:]
        if kind == 2:
            return text[:at] + self.r.choice(ODD) + text[at:]
        if kind == 3:
            return text[:to] + text[at:to][:40] + text[to:]
        if kind == 4:
            return text[:at] + text[at:to][::-1][:6] + text[at + 6:]
        return text[:at]

    def document(self):
        text = self.container(self.r.randrange(1, 6))
        for _ in range(self.r.choice([0, 0, 0, 1, 1, 2])):
            text = self.damage(text)
        return text


def corpus():
    found = []
    for directory in CORPORA:
        for name in sorted(os.listdir(directory)):
            with open(f"{directory}/{name}", "rb") as f:
                found.append(f.read())
    return found


def test_what_the_shim_takes_means_the_same_to_node_and_what_it_refuses_has_to_be(tmp_path):
    print(f"seed {SEED}")
    maker = Maker(SEED)
    documents = [d.replace(b"\n", b" ") for d in corpus() + [maker.document() for _ in range(ROUNDS)]]
    given, answered = tmp_path / "input", tmp_path / "output"
    given.write_bytes(b"".join(d + b"\n" for d in documents))
    with open(given, "rb") as i, open(answered, "wb") as o:
        subprocess.run([CANON], stdin=i, stdout=o, check=True, timeout=120)
    r = subprocess.run([NODE22, f"{HERE}/clients/json_judge.mjs", given, answered], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=120)
    said = json.loads(r.stdout)
    assert said["wrong"] == [], f"seed {SEED}"
    assert said["lines"] == [len(documents)] * 2
    # Not a run in which everything was refused for one reason.
    reasons = collections.Counter(line.split(b" ", 1)[1] for line in answered.read_bytes().splitlines() if not line.startswith(b"0 "))
    assert said["taken"] > 2000 and said["refused"] > 1000, said
    assert len(reasons) == 13, reasons
