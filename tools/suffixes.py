#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""suffixes - turns the public suffix list (publicsuffix.org, Debian's package publicsuffix) into C arrays.

Usage: suffixes.py LIST OUTPUT.c
Two arrays: the registries' suffixes, and those that companies share out below a domain of their own. Each rule stands between
newlines, in the form that is asked of name servers: "\\ncom\\n*.ck\\n!www.ck\\n".
"""
import sys

PRIVATE = "===BEGIN PRIVATE DOMAINS==="


def rules(lines):
    for line in lines:
        rule = line.split("//")[0].strip()
        if not rule:
            continue
        mark = rule[:1] if rule[0] == "!" else rule[:2] if rule.startswith("*.") else ""
        try:
            yield mark + rule[len(mark):].encode("idna").decode("ascii")
        except UnicodeError:  # a name that IDNA 2003 does not know; it cannot be written in a grant either
            continue


def write(out, name, lines, least):
    blob = ("\n" + "\n".join(sorted(rules(lines))) + "\n").encode("ascii")
    if len(blob) < least:
        sys.exit("suffixes: the list is too short to be whole")
    out.write(f"const char {name}[] = {{\n")
    for i in range(0, len(blob), 24):
        out.write(",".join(str(b) for b in blob[i:i + 24]) + ",\n")
    out.write("0 };\n")


def main():
    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
    border = next(i for i, line in enumerate(lines) if PRIVATE in line)
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write('#include "supervisor/suffixes.h"\n')
        write(out, "suffix_registries", lines[:border], 50000)
        write(out, "suffix_shared", lines[border:], 10000)


main()
