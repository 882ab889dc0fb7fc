#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every schema that the recorded real servers list can be compiled: none of their tools would be withheld."""
import glob
import json
import os
import subprocess
import sys

judge, corpus = sys.argv[1:3]
rows = []
for path in sorted(glob.glob(os.path.join(corpus, "*.json"))):
    with open(path, encoding="utf-8") as f:
        for tool in json.load(f).get("tools") or []:
            rows += [(os.path.basename(path), tool["name"], key, tool[key]) for key in ("inputSchema", "outputSchema") if key in tool]
told = subprocess.run([judge], input="".join(json.dumps(row[3]) + "\n{}\n" for row in rows), stdout=subprocess.PIPE, text=True,
                      check=True).stdout.split()
refused = [row[:3] for row, word in zip(rows, told) if word not in ("fits", "misfit")]
for row in refused:
    print("refused:", *row)
print(f"{len(rows)} schemas of {len({row[0] for row in rows})} servers, {len(refused)} refused")
sys.exit(bool(refused or len(told) != len(rows) or len(rows) < 600))
