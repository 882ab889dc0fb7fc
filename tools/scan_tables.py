#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the scan's rules and letters into C: `scan_tables.py rules|letters|phrases|literals rules.json letters.txt OUTPUT`.

Words of phrases go into a trie, whose every end is an "outcome": which words of the phrases the word of a text can stand for.
For each outcome there is a row for each phrase with the places (bits) where it fits. Literals are grouped by the rarest of
their bytes, which is what the text is searched for."""
import json
import re
import sys

SPECIAL = ["<url>", "<mail>", "<secret>", "<other>"]  # outcomes 1 to 4; 0 is any other word
LEET = str.maketrans("013457i", "oleastl")
FREQUENT = " etaoinshrdlucmfwygpbvkxqjz-_.:\"'()0123456789/[]\n"


def read_letters(path):
    table = {}
    for line in open(path, encoding="utf-8"):
        if not line.startswith("# "):
            to, *cps = line.split()
            table.update({chr(int(cp, 16)): to for cp in cps})
    return table


def fold(text, letters):
    return "".join(c.lower() if c < "\x80" else letters.get(c, c) for c in text
                   if not 0x300 <= ord(c) <= 0x36f)


def word_form(word, letters):
    return fold(word, letters).replace("'", "").translate(LEET)


class Phrases:
    def __init__(self, rules, letters):
        self.letters, self.lists, self.rows = letters, rules["lists"], []
        for n, rule in enumerate(rules["rules"]):
            for text in rule.get("phrases", []):
                self.rows.append((n, *self.parse(text)))

    def parse(self, text):
        """The words of each place (None: any), which places may be missing."""
        places, optional = [], 0
        text = re.sub(r"\{(\w+)\}", lambda m: self.lists[m[1]], text)
        for e in text.split():
            if e.startswith("~"):
                for _ in range(int(e[1:])):
                    optional |= 1 << len(places)
                    places.append(None)
                continue
            if e.endswith("?"):
                optional |= 1 << len(places)
            places.append([w if w in SPECIAL else word_form(w, self.letters) for w in e.rstrip("?").split("|")])
        if len(places) > 64 or optional & 1 or optional >> (len(places) - 1) & 1:
            sys.exit(f"scan_tables.py: a phrase of over 64 places, or one that begins or ends with what may be missing: {text}")
        return places, optional


class Trie:
    def __init__(self):
        self.nodes = [({}, set(), set())]  # children, words that end here, beginnings that end here

    def add(self, word):
        stem = word.rstrip("*").encode()
        at = 0
        for b in stem:
            if b not in self.nodes[at][0]:
                self.nodes.append(({}, set(), set()))
                self.nodes[at][0][b] = len(self.nodes) - 1
            at = self.nodes[at][0][b]
        self.nodes[at][2 if word.endswith("*") else 1].add(word)

    def in_breadth(self):
        """Nodes in the order of their places, each with its children's places, and the words at its end and beyond."""
        order, seen = [(0, frozenset())], []
        for at, before in order:
            children, ends, begins = self.nodes[at]
            beyond = before | begins
            seen.append((sorted(children), beyond | ends, beyond))
            order += [(children[b], beyond) for b in sorted(children)]
        return seen


def number_outcomes(phrases, trie):
    """Outcome of each set of words, and for each outcome its rows (phrase, places)."""
    fits = {}
    for n, (_, places, _) in enumerate(phrases.rows):
        for bit, words in enumerate(places):
            for w in words or ():
                fits.setdefault(w, {}).setdefault(n, 0)
                fits[w][n] |= 1 << bit
    numbers, rows = {frozenset(): 0}, [{}]
    for words in [frozenset([s]) for s in SPECIAL] + [s for node in trie for s in node[1:]]:
        if words in numbers:
            continue
        numbers[words] = len(rows)
        merged = {}
        for w in words:
            for n, bits in fits.get(w, {}).items():
                merged[n] = merged.get(n, 0) | bits
        rows.append(merged)
    return numbers, rows


def array(kind, name, values, per_line=16):
    values = [str(v) for v in values]
    lines = [", ".join(values[i:i + per_line]) for i in range(0, len(values), per_line)]
    return f"static const {kind} {name}[] = {{\n\t" + ",\n\t".join(lines) + "\n};\n"


def c_string(raw):
    return '"' + "".join(chr(b) if 0x20 <= b < 0x7f and chr(b) not in '"\\?' else f"\\{b:03o}" for b in raw) + '"'


def tables_of_words(phrases):
    trie = Trie()
    for _, places, _ in phrases.rows:
        for words in places:
            for w in words or ():
                if w not in SPECIAL:
                    trie.add(w)
    nodes = trie.in_breadth()
    numbers, outcomes = number_outcomes(phrases, nodes)
    first, edges, child = [], [], 1
    for children, _, _ in nodes:
        first.append(len(edges))
        edges += [(b, child + i) for i, b in enumerate(children)]
        child += len(children)
    root = dict(edges[:len(nodes[0][0])])
    out = array("uint16_t", "trie_root", [root.get(b, 0) for b in range(256)])
    out += array("uint16_t", "trie_first", first + [len(edges)])
    out += array("uint8_t", "trie_byte", [b for b, _ in edges])
    out += array("uint16_t", "trie_to", [to for _, to in edges])
    out += array("uint16_t", "trie_end", [numbers[frozenset(n[1])] for n in nodes])
    out += array("uint16_t", "trie_beyond", [numbers[frozenset(n[2])] for n in nodes])
    starts, rows = [], []
    for o in outcomes:
        starts.append(len(rows))
        rows += [f"{{ 0x{bits:x}, {n} }}" for n, bits in sorted(o.items())]
    out += array("uint16_t", "outcome_first", starts + [len(rows)])
    out += array("struct outcome_row", "outcome_rows", rows, 6)
    return out


def tables_of_phrases(phrases):
    rows = []
    for rule, places, optional in phrases.rows:
        anything = sum(1 << i for i, p in enumerate(places) if p is None)
        rows.append(f"{{ 0x{optional:x}, 0x{anything:x}, {len(places) - 1}, {rule} }}")
    return f"enum {{ PHRASES = {len(rows)} }};\n" + array("struct phrase", "phrases", rows, 3)


def rarity(raw, i):
    return FREQUENT.find(chr(raw[i])) if raw[i] < 0x80 else -1 - (i % 3 == 2)


def tables_of_literals(rules, letters):
    found = {fold(t, letters): "SECRET_LITERAL" for t in rules["secret"]}
    for n, rule in enumerate(rules["rules"]):
        for t in rule.get("literals", []):
            if found.setdefault(fold(t, letters), n) != n:
                sys.exit(f"scan_tables.py: two rules have the literal {t}")
    rows = []
    for text, rule in found.items():
        raw = text.encode()
        at = max(range(len(raw)), key=lambda i: (len(FREQUENT) if rarity(raw, i) == -1 else rarity(raw, i)))
        rows.append((raw[at], f"{{ {c_string(raw)}, {len(raw)}, {at}, {rule} }}"))
    rows.sort()
    starts = [sum(1 for b, _ in rows if b < i) for i in range(257)]
    some = [int(starts[i] < starts[i + 1]) for i in range(256)]
    return (array("struct literal", "literals", [r for _, r in rows], 2) + array("uint16_t", "literal_first", starts)
            + array("uint8_t", "literal_any", some, 32))


def tables_of_letters(letters):
    rows = [f"{{ 0x{ord(c):x}, {c_string(letters[c].encode())} }}" for c in sorted(letters)]
    return array("struct letter", "letters", rows, 6)


def rule_names(rules):
    out = "/* id, severity, title */\n#define SCAN_RULES(X) \\\n"
    for r in rules["rules"]:
        name = r["id"].replace(".", "_").upper()
        out += f"\tX({name}, \"{r['id']}\", SCAN_{r['severity'].upper()}, {c_string(r['title'].encode())}) \\\n"
    return out + "\n"


def main():
    what, rules, letters, output = sys.argv[1:]
    rules, letters = json.load(open(rules, encoding="utf-8")), read_letters(letters)
    text = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by tools/scan_tables.py from profiles/scan. */\n"
    if what == "rules":
        text += rule_names(rules)
    elif what == "letters":
        text += tables_of_letters(letters)
    else:
        phrases = Phrases(rules, letters)
        text += tables_of_phrases(phrases) + tables_of_words(phrases) if what == "phrases" else tables_of_literals(rules, letters)
    with open(output, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
