#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every program that is installed has its row in ARCHITECTURE.md's table, and one in symbols.sh; and no row is of a program that is none."""
import argparse
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def built(root):
    """name -> folder, of the top folders with a main."""
    found = {}
    for folder in sorted(os.listdir(root)):
        if os.path.isfile(os.path.join(root, folder, "main.c")):
            found |= {name: folder for name in re.findall(r"executable\('(stockade[a-z-]*)'", text_of(root, folder, "meson.build"))}
    return found


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    programs = built(root)
    rows = re.findall(r"^\| `(stockade[a-z-]*)` \|", text_of(root, "ARCHITECTURE.md"), re.M)
    checks = re.findall(r"^check (\S+) ", text_of(HERE, "symbols.sh"), re.M)
    wrong = [f"ARCHITECTURE.md: no row for {n}" for n in programs if n not in rows]
    wrong += [f"ARCHITECTURE.md: {n} is no program" for n in rows if n not in programs]
    wrong += [f"tests/lint/symbols.sh: no row for {n}" for n, folder in programs.items() if f"{folder}/{n}" not in checks]
    print("\n".join(wrong or ([] if programs else ["no program found"])))
    return 1 if wrong or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
