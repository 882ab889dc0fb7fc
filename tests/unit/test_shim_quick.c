/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shim_quick - what is done in a quick way comes to what a simple way comes to: on real definitions, and on many
 * texts made of what the quick way could trip over
 */
#include "tests/unit/scan_unit.h"
#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include "shim/define.h"
#include "shim/json.h"
#include "shim/keyed.h"
#include "shim/redact.h"
#include "shim/secrets.h"

enum { ROUNDS = 20000, TEXT_MAX = 512 };

/* The same numbers in every run. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void the_keyed_digest_is_siphash(void **state)
{
	/* Key 00..0f, bytes 0, 1, 2...: the reference implementation's vectors for 128 bits. */
	static const char *const want[] = { "a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
		"8177228da4a45dc7fca38bdef60affe4", "9c70b60c5267a94e5f33b6b02985ed51" };
	uint8_t key[16], bytes[16], got[KEYED_BYTES];
	char hex[2 * KEYED_BYTES + 1];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = bytes[i] = (uint8_t)i;
	for (size_t n = 0; n < ARRAY_LEN(want); n++) {
		keyed_siphash(key, bytes, n, got);
		for (size_t i = 0; i < sizeof(got); i++)
			snprintf(hex + 2 * i, 3, "%02x", got[i]);
		assert_string_equal(hex, want[n]);
	}
}

/* --- the one form of a definition --- */

struct pair {
	struct slice key, value;
};

static int by_key(const void *a, const void *b)
{
	const struct slice x = ((const struct pair *)a)->key, y = ((const struct pair *)b)->key;
	int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return order ? order : x.n < y.n ? -1 : x.n > y.n;
}

/* Member by member, each object sorted by itself. */
static void sort_simply(struct buf *out, struct slice value)
{
	bool object = walk_is_object(value), first = true;
	struct walk w = object ? walk_object(value) : walk_array(value);
	struct pair v[256];
	struct slice key, item;
	size_t n = 0;

	if (!object && !walk_is_array(value)) {
		assert_int_equal(buf_append(out, value.p, value.n), 0);
		return;
	}
	while (object ? walk_member(&w, &key, &item) : walk_element(&w, &item)) {
		assert_true(n < ARRAY_LEN(v));
		v[n++] = (struct pair){ key, item };
	}
	if (object)
		qsort(v, n, sizeof(v[0]), by_key);
	assert_int_equal(buf_putc(out, object ? '{' : '['), 0);
	for (size_t i = 0; i < n; i++, first = false) {
		assert_int_equal(first ? 0 : buf_putc(out, ','), 0);
		assert_int_equal(object ? buf_append(out, v[i].key.p - 1, v[i].key.n + 3) : 0, 0);
		sort_simply(out, v[i].value);
	}
	assert_int_equal(buf_putc(out, object ? '}' : ']'), 0);
}

static void expect_same_order(struct slice value)
{
	_cleanup_buf_ struct buf quick = BUF_INIT(1 << 20), simple = BUF_INIT(1 << 20);

	sort_simply(&simple, value);
	assert_int_equal(define_sorted(&quick, value), 0);
	assert_int_equal(quick.len, simple.len);
	assert_memory_equal(quick.data, simple.data, simple.len);
}

static size_t sort_server(const char *path)
{
	json_t *server = read_json(path);
	char *text = json_dumps(server, JSON_COMPACT);
	size_t n = json_array_size(json_object_get(server, "tools"));
	struct json_doc d;

	assert_non_null(text);
	json_doc_init(&d, 8 << 20, 7);
	assert_int_equal(json_parse(&d, text, strlen(text)), 0);
	expect_same_order((struct slice){ d.out.data, d.out.len });
	json_doc_done(&d);
	free(text);
	json_decref(server);
	return n;
}

static void every_real_definition_is_sorted_as_a_simple_way_sorts_it(void **state)
{
	DIR *dir = opendir(STOCKADE_SCAN_CORPUS "/real");
	size_t tools = 0;
	char path[4096];

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/real/%s", STOCKADE_SCAN_CORPUS, e->d_name);
		tools += sort_server(path);
	}
	closedir(dir);
	assert_true(tools > 300);
}

static void put_random(struct buf *b, uint32_t *random, int depth)
{
	static const char *const scalars[] = { "1", "-0.5e+3", "true", "null", "\"\"", "\"a,b}]{[\"", "\"\\\"\"",
		"\"\\\\\"", "\"\\u0000\"" };
	static const char *const keys[] = { "a", "b", "ab", "B", "", "\\\"", "\\\\", "a\\n", "\xc3\xa4", "~", "abc",
		"z" };
	uint32_t kind = next_random(random) % (depth > 5 ? 1 : 3), n = next_random(random) % 6;
	bool used[ARRAY_LEN(keys)] = { false }, first = true;

	if (kind == 0) {
		assert_int_equal(buf_puts(b, scalars[next_random(random) % ARRAY_LEN(scalars)]), 0);
		return;
	}
	assert_int_equal(buf_putc(b, kind == 1 ? '{' : '['), 0);
	for (uint32_t i = 0; i < n; i++) {
		size_t key = next_random(random) % ARRAY_LEN(keys);
		if (kind == 1 && used[key])
			continue;
		used[key] = true;
		assert_int_equal(first ? 0 : buf_putc(b, ','), 0);
		assert_int_equal(kind == 1 ? buf_printf(b, "\"%s\":", keys[key]) : 0, 0);
		first = false;
		put_random(b, random, depth + 1);
	}
	assert_int_equal(buf_putc(b, kind == 1 ? '}' : ']'), 0);
}

static void any_definition_is_sorted_as_a_simple_way_sorts_it(void **state)
{
	uint32_t random = 1;

	for (int i = 0; i < ROUNDS / 4; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
		put_random(&b, &random, 0);
		expect_same_order((struct slice){ b.data, b.len });
	}
}

/* --- personal data --- */

static bool is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

/* Every set at every place where a word begins. */
static bool redact_simply(uint32_t sets, struct buf *out, const char *text, size_t n)
{
	const char *end = text + n;
	bool changed = false;

	for (const char *p = text; p < end;) {
		bool start = is_word_byte(*p) &&
			     (p == text || (!is_word_byte(p[-1]) &&
						   !(p[-1] == '.' && p - text >= 2 && p[-2] >= '0' && p[-2] <= '9')));
		size_t found = 0;
		unsigned kind = 0;
		for (; start && !found && kind < SHIM_SET_COUNT; kind += !found)
			found = sets >> kind & 1 ? redact_match(kind, p, end) : 0;
		assert_int_equal(
			found ? buf_printf(out, "[stockade: %s removed]", shim_set_name(kind)) : buf_putc(out, *p), 0);
		changed |= found > 0;
		p += found ? found : 1;
	}
	return changed;
}

/* What a set knows, what it nearly knows, and what stands around such things. */
static const char *const pieces[] = { "me@example.com", "a.b+c@x.co.uk", "@", "x@y", "4111111111111111",
	"4111 1111 1111 1111", "5500-0000-0000-0004", "GB82WEST12345698765432", "DE89 3704 0044 0532 0130 00",
	"123-45-6789", "078 05 1120", "AB123456C", "AB 12 34 56 C", "86095742719", "86 095 742 719", "255081416802538",
	"2 55 08 14 168 025 38", "1 51 02 2A 118 001 57", "12345678Z", "X1234567L", "RSSMRA85T10A562S", "111222333",
	"1112 22 333", "44051401359", "2011-04-22T13:33:48Z", "192.168.1.1", "0.123456789", "HTTP", "ABCDEFGHIJ", "_",
	"a", "Z", "7", "12", " ", "  ", ".", "-", ",", "\"", "\\", "\n", "\t", "\x01", "\x7f", "\xc3\xa4",
	"\xe6\xbc\xa2", "//", "=", "the quick brown fox", "://user:pw@host/",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

static size_t make_text(uint32_t *random, char *ret)
{
	size_t n = 0, parts = 1 + next_random(random) % 9;

	for (size_t i = 0; i < parts; i++) {
		const char *piece = pieces[next_random(random) % ARRAY_LEN(pieces)];
		size_t len = strlen(piece), cut = next_random(random) % 8 == 0 ? next_random(random) % (len + 1) : len;
		memcpy(ret + n, piece, cut);
		n += cut;
	}
	return n;
}

/* As a string of a message, which is escaped. */
static void escape(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == '"' || c == '\\')
			assert_int_equal(buf_printf(b, "\\%c", c), 0);
		else if (c == '\n' || c == '\t')
			assert_int_equal(buf_puts(b, c == '\n' ? "\\n" : "\\t"), 0);
		else if (c < 0x20 || c == 0x7f)
			assert_int_equal(buf_printf(b, "\\u%04x", c), 0);
		else
			assert_int_equal(buf_putc(b, (char)c), 0);
	}
}

static void personal_data_is_found_where_a_simple_way_finds_it(void **state)
{
	static const uint32_t some[] = { (1u << SHIM_SET_COUNT) - 1, 1u << SHIM_SET_MAIL, 1u << SHIM_SET_CARD,
		(1u << SHIM_SET_IBAN) | (1u << SHIM_SET_NL_BSN), (1u << SHIM_SET_IT_CF) | (1u << SHIM_SET_FR_NIR),
		(1u << SHIM_SET_ES_DNI) | (1u << SHIM_SET_UK_NINO) };
	struct shim_text config = { 0 };
	struct redact r = { .config = &config };
	uint64_t counts[REDACT_KINDS_MAX] = { 0 }, steps = REDACT_STEPS;
	uint32_t random = 2;
	size_t found = 0, quick_no = 0;

	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_buf_ struct buf quick = BUF_INIT(1 << 16), simple = BUF_INIT(1 << 16),
					 inside = BUF_INIT(1 << 16);
		char text[9 * 64 + TEXT_MAX];
		size_t n = make_text(&random, text);
		if (n == 0)
			continue;
		config.sets = some[next_random(&random) % ARRAY_LEN(some)];
		bool changed = redact_simply(config.sets, &simple, text, n);
		assert_int_equal(redact_replace(&r, &quick, text, n, &steps, counts), changed);
		if (changed) {
			assert_int_equal(quick.len, simple.len);
			assert_memory_equal(quick.data, simple.data, simple.len);
		}
		escape(&inside, text, n);
		if (changed && !redact_may_find(&r, inside.data, inside.len))
			fail_msg("not found in: %s", inside.data);
		found += changed;
		quick_no += !redact_may_find(&r, inside.data, inside.len);
	}
	print_message("found in %zu, looked at closer in %zu of %d texts\n", found, ROUNDS - quick_no, ROUNDS);
	assert_true(found > ROUNDS / 20);
	assert_true(quick_no > ROUNDS / 5);
}

/* --- secrets --- */

static size_t encode_some(uint32_t *random, const char *value, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; value[i]; i++) {
		if (next_random(random) % 3 == 0 || strchr("\"\\%\n", value[i]))
			n += (size_t)sprintf(
				ret + n, next_random(random) % 2 ? "%%%02X" : "%%%02x", (unsigned char)value[i]);
		else if (value[i] == ' ')
			n += (size_t)sprintf(ret + n, "%s", next_random(random) % 2 ? "+" : "%20");
		else
			ret[n++] = value[i];
	}
	return n;
}

static void a_secret_is_found_however_its_bytes_are_percent_encoded(void **state)
{
	static const char *const values[] = { "correct horse 9", "hunter2!", "p\"w\\x/1 %&", "a b c d e f", "%41%42%43",
		"postgres://u:p4ss@db/x", "\xc3\xa4\xc3\xb6\xc3\xbc secret" };
	static const char *const around[] = { "", "%", "%2", "%20", "+", "x", "?q=", "%41", "\"", " ", "&r=%3D" };
	struct shim_text config = { 0 };
	struct secrets s;
	uint32_t random = 3;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(shim_text_add_secret(&config, "S", values[i]), 0);
	assert_int_equal(secrets_init(&s, &config), 0);
	for (int i = 0; i < ROUNDS; i++) {
		const char *before = around[next_random(&random) % ARRAY_LEN(around)],
			   *behind = around[next_random(&random) % ARRAY_LEN(around)];
		char text[TEXT_MAX];
		struct secrets_hit hit;
		size_t n = strlen(before);
		memcpy(text, before, n);
		n += encode_some(&random, values[next_random(&random) % ARRAY_LEN(values)], text + n);
		memcpy(text + n, behind, strlen(behind));
		n += strlen(behind);
		text[n] = '\0';
		/* A sign before it that takes the first two characters for its own makes it something else. */
		if (before[0] == '%' && strlen(before) < 3)
			continue;
		if (secrets_find(&s, false, text, n, 0, &hit) != 1)
			fail_msg("not found in: %s", text);
	}
	secrets_done(&s);
	shim_text_done(&config);
}

/* A text that is nothing but values, spelt so: each hit is found by what is left behind it alone. */
static void the_effort_for_many_values_in_one_text_grows_with_the_text(void **state)
{
	static const char *const spellings[] = { "hunter2!", "%68unter2!", "%68unter2! ", "hunter2%21+",
		"\\\\u0068unter2!", "hunter2! %68unter2!\\\\u0068unter2!" };
	enum { SIZE = 1 << 20, TIMES = 24 };
	struct shim_text config = { 0 };
	struct secrets s;

	assert_int_equal(shim_text_add_secret(&config, "S", "hunter2!"), 0);
	assert_int_equal(shim_text_add_secret(&config, "T", "some words 9"), 0);
	assert_int_equal(secrets_init(&s, &config), 0);
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(2 * SIZE);
		struct secrets_walk w;
		struct secrets_hit hit;
		size_t n = 0;
		while (text.len < SIZE)
			assert_int_equal(buf_puts(&text, spellings[i]), 0);
		secrets_walk_init(&w, &s, false, text.data, text.len);
		for (size_t from = 0; secrets_walk_next(&w, from, &hit) == 1; from = hit.at + hit.len) {
			n++;
			if (w.work > (uint64_t)TIMES * text.len)
				fail_msg("'%s' again and again: %zu hits took %" PRIu64 " bytes", spellings[i], n,
					w.work);
		}
		assert_true(n >= text.len / strlen(spellings[i]));
		secrets_walk_done(&w);
	}
	secrets_done(&s);
	shim_text_done(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_keyed_digest_is_siphash),
		cmocka_unit_test(every_real_definition_is_sorted_as_a_simple_way_sorts_it),
		cmocka_unit_test(any_definition_is_sorted_as_a_simple_way_sorts_it),
		cmocka_unit_test(personal_data_is_found_where_a_simple_way_finds_it),
		cmocka_unit_test(a_secret_is_found_however_its_bytes_are_percent_encoded),
		cmocka_unit_test(the_effort_for_many_values_in_one_text_grows_with_the_text),
	};

	return cmocka_run_group_tests_name("shim_quick", tests, NULL, NULL);
}
