#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The judge of schemas beside Debian's python3-jsonschema on generated schemas and values, one seed a draft.

Values are drawn from the words of the schema, so that they often nearly fit. Left out is what the two differ in on purpose
or by a fault of the other: unevaluated* (4.10 forgets what nested schemas have evaluated), fractions that a double cannot
hold, and patterns beyond what Python's and ECMA-262 share.
"""
import json
import random
import subprocess
import sys
import jsonschema

ROUNDS = 4000
NAMES = ["a", "b", "c", "ab", "\u00e9", "x y"]
SCALARS = [None, True, False, 0, 1, 1.0, -1, 2, 2.5, 10, 1e3, "", "a", "ab", "abc", "\u00e9\u00e9", "\U0001f432", "1", "x y"]
PATTERNS = ["^a", "b$", "^[a-c]+$", "^.{2}$", "\\d", "(a|b)c?", "^$"]
TYPES = ["null", "boolean", "number", "integer", "string", "array", "object"]


class Maker:
    """Schemas and values of one draft."""

    def __init__(self, seed, draft):
        self.random = random.Random(seed)
        self.new = draft == 2020

    def value(self, depth=3):
        r = self.random
        kind = r.randrange(7 if depth else 4)
        if kind < 4:
            return r.choice(SCALARS)
        if kind == 4:
            return [self.value(depth - 1) for _ in range(r.randrange(4))]
        return {name: self.value(depth - 1) for name in r.sample(NAMES, r.randrange(4))}

    def named(self, make, most=3):
        return {name: make() for name in self.random.sample(NAMES, self.random.randrange(1, most + 1))}

    def names(self):
        return self.random.sample(NAMES, self.random.randrange(3))

    def keywords(self, depth):
        """A keyword each with how its value is made; those that hold schemas only where it may go deeper."""
        r = self.random
        plain = {
            "type": lambda: r.choice(TYPES) if r.randrange(2) else r.sample(TYPES, r.randrange(1, 4)),
            "const": self.value, "enum": lambda: [self.value(1) for _ in range(r.randrange(1, 5))],
            "maximum": lambda: r.choice([0, 1, 2.5, 1e3]), "minimum": lambda: r.choice([0, 1, -1]),
            "exclusiveMaximum": lambda: r.choice([1, 2]), "exclusiveMinimum": lambda: r.choice([0, 1.0]),
            "multipleOf": lambda: r.choice([1, 2, 0.5, 5]), "maxLength": lambda: r.randrange(3), "minLength": lambda: r.randrange(3),
            "pattern": lambda: r.choice(PATTERNS), "maxItems": lambda: r.randrange(4), "minItems": lambda: r.randrange(3),
            "maxProperties": lambda: r.randrange(4), "minProperties": lambda: r.randrange(3), "required": self.names,
            "uniqueItems": lambda: r.randrange(3) > 0,
        }
        if self.new:
            plain["dependentRequired"] = lambda: self.named(self.names)
        if depth == 0:
            return plain

        def sub():
            return self.schema(depth - 1)

        def subs():
            return [sub() for _ in range(r.randrange(1, 4))]
        plain.update({
            "properties": lambda: self.named(sub), "patternProperties": lambda: {r.choice(PATTERNS): sub()},
            "additionalProperties": sub, "propertyNames": sub, "items": sub, "contains": sub, "allOf": subs, "anyOf": subs,
            "oneOf": subs, "not": sub, "if": sub, "then": sub, "else": sub, "$ref": lambda: "#/definitions/" + r.choice("de")})
        if self.new:
            plain.update({"prefixItems": subs, "minContains": lambda: r.randrange(3), "maxContains": lambda: r.randrange(3),
                          "dependentSchemas": lambda: self.named(sub)})
        else:
            plain.update({"items": lambda: subs() if r.randrange(2) else sub(), "additionalItems": sub,
                          "dependencies": lambda: self.named(lambda: self.names() if r.randrange(2) else sub())})
        return plain

    def schema(self, depth=3):
        if self.random.randrange(12) == 0:
            return self.random.random() < 0.7
        keywords = self.keywords(depth)
        return {k: keywords[k]() for k in self.random.sample(sorted(keywords), self.random.randrange(1, 5))}

    def whole(self):
        """A schema with definitions that do not refer to one another: no circles."""
        schema = self.schema()
        definitions = {"d": self.schema(0), "e": self.schema(0)}
        if not isinstance(schema, dict):
            return schema
        named = {"$schema": "https://json-schema.org/draft/2020-12/schema" if self.new else "http://json-schema.org/draft-07/schema#"}
        return {**named, **schema, "definitions": definitions}


def peer(validator, schema, value):
    return "fits" if validator(schema).is_valid(value) else "misfit"


def compare(judge, draft, validator):
    """The number of pairs, of those that fit, and what the two differ in."""
    maker = Maker(draft, draft)
    pairs = []
    for _ in range(ROUNDS):
        schema = maker.whole()
        pairs += [(schema, maker.value()) for _ in range(3)]
    lines = "".join(json.dumps(part) + "\n" for pair in pairs for part in pair)
    ours = subprocess.run([judge], input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout.split()
    theirs = [peer(validator, *pair) for pair in pairs]
    assert len(ours) == len(pairs)
    return len(pairs), theirs.count("fits"), [(o, t, p) for o, t, p in zip(ours, theirs, pairs) if o != t]


def main():
    judge = sys.argv[1]
    status = 0
    for number, (draft, validator) in enumerate(((2020, jsonschema.Draft202012Validator), (7, jsonschema.Draft7Validator)), 1):
        pairs, fitting, wrong = compare(judge, draft, validator)
        for ours, theirs, (schema, value) in wrong[:10]:
            print(f"# {ours}, there {theirs}: {json.dumps(schema)} {json.dumps(value)}")
        # Generated values that all fit, or none, would show nothing.
        good = not wrong and pairs / 10 < fitting < pairs * 9 / 10
        print(f"{'' if good else 'not '}ok {number} - of {pairs} pairs of draft {draft} {fitting} fit, {len(wrong)} are judged otherwise")
        status |= not good
    return status


if __name__ == "__main__":
    sys.exit(main())
