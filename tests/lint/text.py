#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a reader meets in every file: a licence line, a head that says what it is, bounded size, no left-over words,
nothing of the machine it was written on, and none of the calls that cannot be used safely."""
import argparse
import os
import re
import sys
from run import git_files

MAX_LINES = 800
MAX_TEST_LINES = 1000  # a table of cases may be long
SOURCE = (".c", ".h", ".py", ".sh", ".mjs", ".js", ".java")
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b")
BANNED_C = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|system|popen|atoi|atol|atoll|strtok|alloca|mktemp|tmpnam)\s*\(")
MACHINE = re.compile(r"(?<![\w/}])/(?:work|root)/(?!\.ssh)\w|registry\.npmjs|https?://(?:[\w.-]*)(?:artifactory|nexus|pypi\.org/simple)")
SKIP = re.compile(r"(^|/)(corpus|fixtures)/|-lock\.json$|^LICENSE$|^tests/lint/text\.py$")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", re.S)


def check(root, path):
    with open(os.path.join(root, path), "rb") as f:
        raw = f.read()
    if b"\0" in raw:
        return
    text = raw.decode("utf-8", "replace")
    lines = text.splitlines()
    if path.endswith(SOURCE) or path in ("dev", ".ci/run"):
        if not any("SPDX-License-Identifier: Apache-2.0" in ln for ln in lines[:3]):
            yield f"{path}:1: no SPDX line"
        most = MAX_TEST_LINES if path.startswith("tests/") else MAX_LINES
        if len(lines) > most:
            yield f"{path}: {len(lines)} lines, over {most}"
    if path.endswith(".h") and not path.endswith("role.h") and "#pragma once" not in text:
        yield f"{path}: no #pragma once"
    if path.endswith((".c", ".h")) and len(lines) > 1 and not lines[1].startswith("/*"):
        yield f"{path}:2: no head that says what the file is"
    if text and not text.endswith("\n"):
        yield f"{path}: does not end in a newline"
    for n, ln in enumerate(lines, 1):
        if ln != ln.rstrip() and not path.endswith(".md"):
            yield f"{path}:{n}: blanks at the end"
        if path.endswith(SOURCE) and LEFTOVER.search(ln):
            yield f"{path}:{n}: left-over: {ln.strip()}"
        if MACHINE.search(ln):
            yield f"{path}:{n}: names a place of one machine or registry: {ln.strip()}"
    if path.endswith((".c", ".h")):
        yield from banned(path, text)


def banned(path, text):
    code = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for n, ln in enumerate(code.splitlines(), 1):
        m = BANNED_C.search(ln)
        if m and not path.startswith("tests/"):
            yield f"{path}:{n}: {m[1]}() is not used here"


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    wrong = []
    for path in git_files(root):
        if not SKIP.search(path):
            wrong += check(root, path)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
