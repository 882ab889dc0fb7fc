// SPDX-License-Identifier: Apache-2.0
// json_judge INPUT OUTPUT - lines of INPUT beside what json_canon said of each: where do node and the shim differ?
//
// Node's own parser and the rules of shim/json.h, found here from the text and from the value, say what has to be taken and
// what refused; what was taken must mean the same to node before and after. Answers on stdout: { taken, refused, wrong }.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const DEPTH_MAX = 60, MEMBERS_MAX = 4096, NUMBER_MAX = 1024, COLLISIONS_MAX = 8;
const COLLISIONS = 'too many keys differ by upper and lower case alone';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const oddKey = (k) => k.includes('\0') || /\p{Surrogate}/u.test(k);

// Strings by their values, all else byte by byte without blanks: order and the spelling of numbers are part of it.
const tokens = (text) => (text.match(/"(?:\\.|[^"\\])*"|[^"\s]/gs) ?? []).map((t) => (t[0] === '"' ? `"${JSON.parse(t)}` : t));

function facts(value, depth = 1, f = { depth: 0, keys: 0, members: 0, odd: false, pairs: 0, foreign: false }) {
  if (value === null || typeof value !== 'object') return f;
  f.depth = Math.max(f.depth, depth);
  if (!Array.isArray(value)) {
    const keys = Object.keys(value);
    const seen = new Set();
    f.keys += keys.length;
    if (depth <= 2) f.members += keys.length;
    for (const k of keys) {
      f.odd ||= oddKey(k);
      f.foreign ||= /[^\0-\x7f]/.test(k);
      const folded = k.replace(/[A-Z]/g, (c) => c.toLowerCase());
      f.pairs += seen.has(folded);
      seen.add(folded);
    }
  }
  for (const v of Object.values(value)) facts(v, depth + 1, f);
  return f;
}

// Why it has to be refused; null when it has to be taken, undefined when only how other scripts fold could say.
function refusal(bytes) {
  let text, value;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch (e) {
    return e.message;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return 'no object';
  if (/[\0-\x1f]/.test(text)) return 'a raw control';
  const t = tokens(text);
  const f = facts(value);
  if (t.filter((x) => x === ':').length !== f.keys) return 'a key twice';
  if (f.odd) return 'an odd key';
  if (f.depth > DEPTH_MAX) return 'depth';
  if (f.members > MEMBERS_MAX) return 'members';
  if (new RegExp(`[-+.eE0-9]{${NUMBER_MAX + 1}}`).test(t.filter((x) => x[0] !== '"' || x.length === 1).join(''))) return 'a long number';
  if (f.pairs > COLLISIONS_MAX) return 'pairs';
  return f.foreign ? undefined : null;
}

function differs(bytes, answer) {
  const why = refusal(bytes);
  const space = answer.indexOf(' ');
  const words = answer.slice(space + 1);
  if (answer.slice(0, space) !== '0') {
    if (typeof why === 'string') return null;
    return why === undefined && words === COLLISIONS ? null : `refused (${words}), and nothing says that it has to be`;
  }
  if (typeof why === 'string') return `taken, and must not be: ${why}`;
  if (/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(words)) return 'a raw control in the canonical form';
  const before = utf8.decode(bytes);
  let after;
  try {
    after = JSON.parse(words);
  } catch (e) {
    return `node does not read the canonical form: ${e.message}`;
  }
  if (!isDeepStrictEqual(JSON.parse(before), after)) return 'another value';
  return isDeepStrictEqual(tokens(before), tokens(words)) ? null : 'another order, or another spelling of a number';
}

function lines(path) {
  const bytes = readFileSync(path);
  const found = [];
  for (let at = 0, feed; at < bytes.length; at = feed + 1) {
    feed = bytes.indexOf(10, at);
    found.push(bytes.subarray(at, feed));
  }
  return found;
}

const [inputs, answers] = process.argv.slice(2, 4).map(lines);
const said = { taken: 0, refused: 0, wrong: [], lines: [inputs.length, answers.length] };
inputs.forEach((input, i) => {
  const answer = answers[i].toString('utf8');
  said[answer.startsWith('0 ') ? 'taken' : 'refused'] += 1;
  const wrong = differs(input, answer);
  if (wrong) said.wrong.push({ input: input.toString('latin1').slice(0, 300), answer: answer.slice(0, 300), wrong });
});
console.log(JSON.stringify(said));
