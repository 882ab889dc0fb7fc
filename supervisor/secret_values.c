/* SPDX-License-Identifier: Apache-2.0 */
/* secret_values - see secret_values.h */
#include "supervisor/secret_values.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/danger.h"

enum {
	KEY_MIN = 20,
	WORD_MAX = 20 /* letters alone, up to here, are a word and no key */,
	PARTS_DEPTH_MAX = 2 /* a key in lines, in a member of JSON, in a value with blanks around it */
};

/* What people write where a secret belongs, and values that stand in every text. */
static const char *const common[] = { "password", "passw0rd", "changeme", "change-me", "password1", "password123",
	"undefined", "disabled", "required", "optional", "localhost", "12345678", "123456789", "1234567890", "qwertyui",
	"test-token", "your-api-key", "your_api_key", "placeholder" };

static const char BLANKS[] = " \t\r\n";
static const char HEX[] = "0123456789abcdef";
#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
static const char LETTERS[] = ALPHABET, DIGITS[] = "0123456789";

static bool is_common(const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcasecmp(value, common[i]) == 0)
			return true;
	return value[strspn(value, (char[]){ value[0], '\0' })] == '\0';
}

/* A path, a number, an address without a password in it, a word, a locale, a zone, a name of a machine. */
static bool is_setting(const char *value)
{
	const char *scheme = strstr(value, "://");

	if (scheme)
		return !strchr(scheme, '@');
	if (strchr("/~.", value[0]) || value[strspn(value, "0123456789.:,-")] == '\0')
		return true;
	if (value[strspn(value, LETTERS)] == '\0')
		return strlen(value) < WORD_MAX;
	return strstr(value, ".UTF-8") || (strpbrk(value, "./") && !strpbrk(value, "0123456789=+_ "));
}

enum secret_verdict secret_values_judge(const char *name, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	if (n == 0)
		return SECRET_ABSENT;
	if (n < SHIM_SECRET_BYTES_MIN)
		return SECRET_SHORT;
	if (n > SHIM_SECRET_BYTES_MAX)
		return SECRET_LONG;
	if (is_common(value) || (!(danger_of_variable(name) & DANGER_SECRET) && is_setting(value)))
		return SECRET_COMMON;
	return SECRET_TAKEN;
}

const char *secret_values_words(enum secret_verdict verdict)
{
	static const char *const words[] = {
		[SECRET_TAKEN] = "",
		[SECRET_ABSENT] = "there",
		[SECRET_SHORT] = "taken out of what the server says: it has fewer than 8 bytes and would turn up by "
				 "chance",
		[SECRET_LONG] = "taken out of what the server says: it has more than 16 KiB",
		[SECRET_COMMON] = "taken out of what the server says: it is a path, an address, a word or a "
				  "placeholder",
	};

	static_assert(ARRAY_LEN(words) == SECRET_VERDICT_COUNT, "words for each verdict");
	return words[verdict];
}

/* Of one variable. */
struct taking {
	struct shim_text *text;
	const char *name;
	size_t *total;
	unsigned depth;	      /* of parts of parts */
	struct strv *members; /* names of those of a JSON object; NULL: not asked for */
};

static int add_parts(struct taking *t, const char *value);

static bool is_known(const struct shim_text *t, const char *value)
{
	for (size_t i = 0; i < t->n_secrets; i++)
		if (strcmp(t->secrets[i].value, value) == 0)
			return true;
	return false;
}

static int add(struct taking *t, const char *value)
{
	if (is_known(t->text, value))
		return 0;
	*t->total += strlen(value);
	return *t->total > SHIM_SECRETS_BYTES_MAX ? -E2BIG : shim_text_add_secret(t->text, t->name, value);
}

static int add_deeper(struct taking *t, const char *part)
{
	int r = 0;

	if (t->depth < PARTS_DEPTH_MAX) {
		t->depth++;
		r = add_parts(t, part);
		t->depth--;
	}
	return r;
}

/* What is inside a value, under that name there, by itself and with what is inside that. */
static int add_part(struct taking *t, const char *name, const char *p, size_t n)
{
	_cleanup_free_ char *part = strndup(p, n);
	int r;

	if (!part)
		return -ENOMEM;
	r = secret_values_judge(name, part) == SECRET_TAKEN ? add(t, part) : 0;
	r = r ? r : add_deeper(t, part);
	explicit_bzero(part, strlen(part));
	return r;
}

static int hex(char c)
{
	const char *at = c >= 'A' && c <= 'F' ? strchr(HEX, c - 'A' + 'a') : c ? strchr(HEX, c) : NULL;

	return at ? (int)(at - HEX) : -1;
}

/* A password as it is written in an address, and as it is meant. */
static int add_password(struct taking *t, const char *p, size_t n)
{
	_cleanup_free_ char *plain = malloc(n + 1);
	size_t len = 0;
	int r = add_part(t, "PASSWORD", p, n);

	if (!plain)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		bool encoded = p[i] == '%' && n - i > 2 && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0;
		plain[len] = p[i];
		if (encoded)
			plain[len] = (char)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
		len++;
		i += encoded ? 2 : 0;
	}
	if (r == 0 && !memchr(plain, '\0', len))
		r = add_part(t, "PASSWORD", plain, len);
	explicit_bzero(plain, len);
	return r;
}

/* "host:3000/users/@me": what stands before the first of "/?#" is a port, and the '@' is of the path. */
static bool is_port(const char *p, const char *slash, const char *end)
{
	return end > slash && p + strspn(p, DIGITS) == slash;
}

/* "scheme://user:password@host": programs differ in which '@' ends it when there are several. */
static int add_passwords(struct taking *t, const char *value)
{
	const char *from = strstr(value, "://"), *colon;
	int r = 0;

	from = from ? from + 3 : NULL;
	if (!from)
		return 0;
	const char *slash = from + strcspn(from, "/?#"), *first = strchr(from, '@');
	const char *ends[] = { first, memrchr(from, '@', (size_t)(slash - from)), strrchr(from, '@') };
	colon = first ? memchr(from, ':', (size_t)(first - from)) : NULL;
	for (size_t i = 0; r == 0 && colon && i < ARRAY_LEN(ends); i++)
		if (ends[i] && (i == 0 || ends[i] != ends[i - 1]) && !is_port(colon + 1, slash, ends[i]))
			r = add_password(t, colon + 1, (size_t)(ends[i] - colon - 1));
	return r;
}

/* A key as .env files hold it: its lines end in a backslash and an n. */
static int add_with_lines(struct taking *t, const char *value)
{
	_cleanup_free_ char *lines = strstr(value, "\\n") ? strdup(value) : NULL;
	size_t n = 0;
	int r;

	if (!lines)
		return strstr(value, "\\n") ? -ENOMEM : 0;
	for (const char *p = value; *p; p++) {
		bool feed = p[0] == '\\' && p[1] == 'n', back = p[0] == '\\' && p[1] == 'r';
		if (!back)
			lines[n++] = feed ? '\n' : *p;
		p += feed || back;
	}
	lines[n] = '\0';
	r = add_part(t, t->name, lines, n);
	explicit_bzero(lines, strlen(value));
	return r;
}

/* Of no word and no name of a project or a person: letters of both cases and digits, or letters and digits in one. */
static bool looks_like_key(const char *text)
{
	bool lower = false, upper = false, digit = false, parted = false;

	for (const char *p = text; *p; p++) {
		if (strchr(BLANKS, *p) || *p == '@')
			return false;
		lower |= *p >= 'a' && *p <= 'z';
		upper |= *p >= 'A' && *p <= 'Z';
		digit |= *p >= '0' && *p <= '9';
		parted |= strchr("-_.:", *p) != NULL;
	}
	return strlen(text) >= KEY_MIN && digit && ((lower && upper) || ((lower || upper) && !parted));
}

/* Beside its keys such an object has names and addresses that everybody knows, and that a server has to speak of. */
static int add_string(struct taking *t, const char *key, const char *text)
{
	int r;

	if (strstr(text, "://"))
		return add_part(t, "", text, strlen(text));
	if (!(danger_of_variable(key) & DANGER_SECRET) && !looks_like_key(text))
		return add_deeper(t, text);
	r = t->members && !strv_contains(t->members, key) ? strv_add(t->members, key) : 0;
	return r ? r : add_part(t, key, text, strlen(text));
}

static int add_members(struct taking *t, const char *key, const json_t *v)
{
	const char *name, *text = json_string_value(v);
	json_t *member;
	size_t i;
	int r = 0;

	if (text && !memchr(text, '\0', json_string_length(v)))
		return add_string(t, key, text);
	json_object_foreach((json_t *)(uintptr_t)v, name, member)
	{
		r = r ? r : add_members(t, name, member);
	}
	json_array_foreach(v, i, member)
	{
		r = r ? r : add_members(t, key, member);
	}
	return r;
}

static void wipe(json_t *v)
{
	json_t *member;
	const char *name;
	size_t i;

	if (json_is_string(v))
		explicit_bzero((char *)(uintptr_t)json_string_value(v), json_string_length(v));
	json_object_foreach(v, name, member) wipe(member);
	json_array_foreach(v, i, member) wipe(member);
}

static int add_json(struct taking *t, const char *value)
{
	json_t *root = *value == '{' || *value == '[' ? json_loads(value, 0, NULL) : NULL;
	int r = root ? add_members(t, t->name, root) : 0;

	wipe(root);
	json_decref(root);
	return r;
}

static bool ends_in_scheme(const char *p, size_t n)
{
	static const char *const schemes[] = { ":", "bearer", "basic", "token", "bot", "apikey", "=" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t len = strlen(schemes[i]);
		if (n >= len && strncasecmp(p + n - len, schemes[i], len) == 0)
			return true;
	}
	return false;
}

/* "Authorization: Bearer X" */
static int add_header(struct taking *t, const char *value)
{
	const char *blank = strrchr(value, ' ');
	size_t n = blank ? (size_t)(blank - value) : 0;

	while (n > 0 && value[n - 1] == ' ')
		n--;
	return blank && ends_in_scheme(value, n) ? add_part(t, "PASSWORD", blank + 1, strlen(blank + 1)) : 0;
}

static int add_trimmed(struct taking *t, const char *value)
{
	const char *from = value + strspn(value, BLANKS);
	size_t n = strlen(from);

	while (n > 0 && strchr(BLANKS, from[n - 1]))
		n--;
	return n == strlen(value) ? 0 : add_part(t, t->name, from, n);
}

static int add_parts(struct taking *t, const char *value)
{
	static int (*const parts[])(struct taking * t, const char *value) = { add_passwords, add_with_lines, add_json,
		add_header, add_trimmed };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = parts[i](t, value);
	return r;
}

static int take(struct shim_text *text, const char *name, const char *value, size_t *total)
{
	struct taking t = { .text = text, .name = name, .total = total };
	int r;

	switch (secret_values_judge(name, value)) {
	case SECRET_TAKEN:
		r = add(&t, value);
		return r ? r : add_parts(&t, value);
	case SECRET_LONG:
		return add_parts(&t, value);
	default:
		return 0;
	}
}

int secret_values_members(const char *name, const char *value, struct strv *ret)
{
	struct shim_text scratch = { 0 };
	size_t total = 0;
	struct taking t = { .text = &scratch, .name = name, .total = &total, .members = ret };
	enum secret_verdict verdict = secret_values_judge(name, value);
	int r = verdict == SECRET_TAKEN || verdict == SECRET_LONG ? add_parts(&t, value) : 0;

	shim_text_done(&scratch);
	return r;
}

int secret_values_fill(const struct profile *f, const struct strv *envp, struct shim_text *ret)
{
	size_t total = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->env_pass.n; i++)
		r = take(ret, f->env_pass.v[i].value, strv_env_get(envp, f->env_pass.v[i].value), &total);
	for (size_t i = 0; r == 0 && i < f->env_set.n; i++) {
		_cleanup_free_ char *name = strdup(f->env_set.v[i].value);
		char *equals = name ? strchr(name, '=') : NULL;
		if (!equals)
			return -ENOMEM;
		*equals = '\0';
		if (danger_of_variable(name) & DANGER_SECRET)
			r = take(ret, name, equals + 1, &total);
	}
	return r;
}
