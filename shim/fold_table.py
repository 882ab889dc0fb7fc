#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints shim/fold_table.h from the CaseFolding.txt of Debian's unicode-data (statuses C and S, beyond ASCII)."""
import re
import sys


def read(path):
    pairs = {}
    for line in open(path, encoding="utf-8"):
        m = re.match(r"([0-9A-F]+); ([CS]); ([0-9A-F]+);", line)
        if m and int(m[1], 16) >= 0x80:
            pairs[int(m[1], 16)] = int(m[3], 16)
    return pairs


def runs(pairs):
    """Runs of equal distance, one or two code points apart."""
    out = []
    for cp in sorted(pairs):
        delta = pairs[cp] - cp
        if out:
            first, last, step, d = out[-1]
            gap = cp - last
            if d == delta and gap in (1, 2) and (step in (0, gap)):
                out[-1] = (first, cp, gap, d)
                continue
        out.append((cp, cp, 0, delta))
    return [(f, l, s or 1, d) for f, l, s, d in out]


def main():
    path = sys.argv[1]
    version = re.search(r"CaseFolding-([0-9.]+)\.txt", open(path, encoding="utf-8").readline())[1]
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print(f"/* fold_table - simple case folding of Unicode {version} beyond ASCII; made by shim/fold_table.py, do not edit */")
    print("#pragma once\n#include <stdint.h>\n")
    print("/* first..last in steps of step fold to themselves plus delta. */")
    print("static const struct fold_run {\n\tuint32_t first, last;\n\tint32_t delta;\n\tuint32_t step;\n} fold_runs[] = {")
    for first, last, step, delta in runs(read(path)):
        print(f"\t{{ 0x{first:x}, 0x{last:x}, {delta}, {step} }},")
    print("};")


if __name__ == "__main__":
    main()
