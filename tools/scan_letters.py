#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints profiles/scan/letters.txt: which letters the scan takes for which.

Three sources, in this order, until nothing changes: Unicode's case folding and compatibility decomposition without accents
(Python's unicodedata), the letter that a character's own name says ("LATIN SMALL LETTER O WITH STROKE", "NEGATIVE SQUARED
LATIN CAPITAL LETTER A"), and LOOKALIKES, a list of our own, made by eye: letters of other scripts that are drawn like
Latin ones in common fonts."""
import re
import sys
import unicodedata

LOOKALIKES = {
    "a": "аɑαɐᎪ", "b": "ЬьвБᏴβʙᛒ", "c": "сϲᏟⅽ", "d": "ԁᎠɗɖ", "e": "еєεҽᎬ℮", "f": "ϝғք", "g": "ɡցǥᏀɢ", "h": "һհнᎻʜ",
    "i": "іιɩıӏɪᎥӀ", "j": "јϳᎫ", "k": "кκᏦ", "l": "ⅼӀᏞʟ", "m": "мᎷⅿ", "n": "ոηпռɴ", "o": "оοօσ೦ഠ๐໐০੦૦๐ᴏ", "p": "рρᏢք",
    "q": "ԛզ", "r": "гᎡʀ", "s": "ѕꜱᏚ", "t": "тτᎢ", "u": "υսʋ", "v": "ѵνᏙ", "w": "ԝшωᎳѡ", "x": "хχ×", "y": "уүγʏ",
    "z": "ʐᏃzᴢ", "'": "‘’ʼʹ′", "-": "‐‑‒–—―−", '"': "“”„″",
}
NAMED = re.compile(r"(?:LATIN|SQUARED|CIRCLED|NEGATIVE|FULLWIDTH|REGIONAL|MODIFIER|COMBINING|PARENTHESIZED|MATHEMATICAL|TAG).*?"
                   r"\b(?:LETTER|CAPITAL|SYMBOL LETTER)(?: SMALL CAPITAL| SMALL| CAPITAL)? ([A-Z])(?: WITH .*)?$")


def lookalikes():
    table = {}
    for to, letters in LOOKALIKES.items():
        for c in letters.casefold() + letters:
            if c != to:
                table.setdefault(c, to)
    return table


def one(c, alike):
    c = alike.get(c, c)
    m = NAMED.match(unicodedata.name(c, "")) if len(c) == 1 and ord(c) > 0x7f else None
    if m:
        return m[1].lower()
    c = unicodedata.normalize("NFKD", c.casefold())
    return "".join(x for x in c if not 0x300 <= ord(x) <= 0x36f)


def fold(c, alike):
    for _ in range(4):
        c = "".join(one(x, alike) for x in c)
    return c


def wanted(cp, to):
    if 0xac00 <= cp < 0xd7b0 or 0xf900 <= cp < 0xfb00 or 0x2f800 <= cp or to.isspace() or not to:
        return False
    return len(to) == 1 and len(to.encode()) <= (2 if cp < 0x800 else 3) + 1 or to.isascii() and len(to) <= 4 and " " not in to


def main():
    alike, rows = lookalikes(), {}
    for cp in range(0x80, 0x1fbff):
        c = chr(cp)
        if unicodedata.category(c) in ("Cs", "Cn", "Co", "Mn", "Zs"):
            continue
        to = fold(c, alike)
        if to != c and wanted(cp, to):
            rows.setdefault(to, []).append(cp)
    print("# Which letters the scan takes for which: what it becomes, and the code points that become it.")
    print(f"# Made by tools/scan_letters.py with Unicode {unicodedata.unidata_version}; change it there.")
    for to in sorted(rows):
        print(to, *(f"{cp:04x}" for cp in rows[to]))


if __name__ == "__main__":
    sys.exit(main())
