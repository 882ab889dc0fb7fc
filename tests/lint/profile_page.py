#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""man/stockade-profile.5.scd and docs/profiles.md explain every key of profiles/schema.json, and no other."""
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


def rows_of(page, title):
    """The cells of the first table below that title."""
    table = page[page.index(f"\n{title}\n"):].split("\n|", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in table.split("\n|")[2:]]


# Titles of tables of keys, and what stands before each key there.
TABLES = (("## Keys", ""), ("### Parameters", "parameters.NAME."), ("## What a server may ask of the client", "client."))
WORD = re.compile(r"[`\"]([a-z_]+)[`\"]")


def documented(page, format_keys):
    """The keys in the first column: `.write` after `filesystem.read` is filesystem.write. `limits.…` and items of a list have
    theirs in the row's own words."""
    found = set(re.findall(r"`([a-z.]+)`", page[page.index("\n## Not enforced yet\n"):].split("\n## ", 2)[1]))
    for title, prefix in TABLES:
        for keys, *cells in rows_of(page, title):
            last = ""
            for key in re.findall(r"`([^`]+)`", keys):
                last = last.rsplit(".", 1)[0] + key if key.startswith(".") else prefix + key
                below = last[:-1] if last.endswith(".…") else last + "[]."
                found.update({below + w for w in WORD.findall(" ".join(cells))} & format_keys)
                found.update(() if last.endswith("…") else (last,))
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
    with open(os.path.join(root, "docs/profiles.md"), encoding="utf-8") as f:
        document = documented(f.read(), format_keys)
    for name, keys in (("man/stockade-profile.5.scd", page), ("docs/profiles.md", document)):
        for key in sorted(format_keys - keys):
            print(f"{name} does not explain {key}, which profiles/schema.json has")
        for key in sorted(keys - format_keys):
            print(f"{name} explains {key}, which profiles/schema.json does not have")
    return not format_keys == page == document


if __name__ == "__main__":
    sys.exit(main())
