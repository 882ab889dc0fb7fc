#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No C function is longer than MAX lines: its body opens with '{' in column 0 and closes with '}' in column 0."""
import argparse
import os
import re
import sys
from run import git_files

MAX = 70
MAX_TEST = 100  # a table of cases in its test
NAME = re.compile(r"(\w+)\s*\(")


def check(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        lines = f.read().splitlines()
    start = None
    for n, line in enumerate(lines):
        if line == "{":
            start = n
        elif line == "}" and start is not None:
            most = MAX_TEST if path.startswith("tests/") else MAX
            if n - start - 1 > most:
                head = next((m[1] for back in range(start, max(start - 4, -1), -1) if (m := NAME.search(lines[back]))), "?")
                yield f"{path}:{start + 1}: {head}() has {n - start - 1} lines, over {most}"
            start = None


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    wrong = [w for path in git_files(root, "*.c", "*.h") for w in check(root, path)]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
