#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""man/stockade-profile.5.scd explains every key of profiles/schema.json, and no other."""
import argparse
import json
import os
import re
import sys


def members(schema, node, path, found):
    """The leaves below node: objects with named members are sections, the rest are keys; a switch that may be an object is both."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for name, below in node.get("properties", {}).items():
        members(schema, below, f"{path}.{name}" if path else name, found)
    named = node.get("additionalProperties")
    if isinstance(named, dict) and "$ref" in named and named["$ref"].endswith("/parameter"):
        members(schema, named, f"{path}.NAME", found)
    for item in node.get("items", {}).get("anyOf", []) if isinstance(node.get("items"), dict) else []:
        if item.get("$ref") in ("#/$defs/tool", "#/$defs/redaction"):
            members(schema, item, f"{path}[]", found)
    if "properties" not in node or "boolean" in node.get("type", ""):
        found.add(path)
    return found


def explained(page):
    """What stands in bold at the beginning of a definition, before its values."""
    found = set()
    keys = page[page.index("\n# KEYS"):page.index("\n# FILES")].split("\n")
    for line, below in zip(keys, keys[1:]):
        if line.startswith("*") and below.startswith("\t"):
            found.update(re.findall(r"\*([^*\s]+)\*", line))
    return found


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    with open(os.path.join(root, "profiles/schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    with open(os.path.join(root, "man/stockade-profile.5.scd"), encoding="utf-8") as f:
        page = explained(f.read())
    format_keys = members(schema, schema, "", set())
    for key in sorted(format_keys - page):
        print(f"man/stockade-profile.5.scd does not explain {key}, which profiles/schema.json has")
    for key in sorted(page - format_keys):
        print(f"man/stockade-profile.5.scd explains {key}, which profiles/schema.json does not have")
    return format_keys != page


if __name__ == "__main__":
    sys.exit(main())
