/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_weigh - see pin_weigh.h
 *
 * Theory: a row a keyword. What a keyword's coming, going and growing means is the JSON Schema specification's
 * (2020-12, validation); a keyword without a row is text or data of an unknown kind, and its change matters.
 */
#include "supervisor/pin_weigh.h"
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

/* Of the lexeme of what counts as a word of a program's. */
enum { WORD_MAX = 48 };

static const char TEXT[] = "text that a model reads";
static const char WIDER[] = "it takes more than before";
static const char NARROWER[] = "it takes less than before";
static const char OTHER[] = "it takes other things than before";

enum grows {
	GROWS_NOT,  /* another value is another rule */
	GROWS_UP,   /* a larger number takes more */
	GROWS_DOWN, /* a smaller one does */
	GROWS_SET,  /* each element takes something */
	GROWS_ALL,  /* each element must be there */
};

static const struct {
	const char *keyword;
	enum grows grows;
} keywords[] = {
	{ "type", GROWS_SET },
	{ "enum", GROWS_SET },
	{ "required", GROWS_ALL },
	{ "const", GROWS_NOT },
	{ "pattern", GROWS_NOT },
	{ "format", GROWS_NOT },
	{ "multipleOf", GROWS_NOT },
	{ "uniqueItems", GROWS_NOT },
	{ "maximum", GROWS_UP },
	{ "exclusiveMaximum", GROWS_UP },
	{ "maxLength", GROWS_UP },
	{ "maxItems", GROWS_UP },
	{ "maxProperties", GROWS_UP },
	{ "minimum", GROWS_DOWN },
	{ "exclusiveMinimum", GROWS_DOWN },
	{ "minLength", GROWS_DOWN },
	{ "minItems", GROWS_DOWN },
	{ "minProperties", GROWS_DOWN },
};

/* Claims of the server that clients ask by: what they are where nothing is said (schema of 2025-11-25,
 * ToolAnnotations), and what it means that one becomes true, or is so no more. */
static const struct {
	const char *hint;
	bool otherwise;
	const char *gained, *lost;
} hints[] = {
	{ "readOnlyHint", false, "it now claims that it changes nothing: a client may stop asking before it runs",
		"it no longer claims that it changes nothing" },
	{ "destructiveHint", true, "it now says that it may destroy",
		"it no longer says that it may destroy: a client may stop asking before it runs" },
	{ "idempotentHint", false, "it now claims that a second call changes nothing more",
		"it no longer claims that a second call changes nothing more" },
	{ "openWorldHint", true, "it now says that it reaches the world outside",
		"it no longer says that it reaches the world outside" },
};

/* The last key of the path, without indices. */
static const char *last_key(const char *path, size_t *ret_n)
{
	const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;

	*ret_n = strcspn(from, "[");
	return from;
}

static bool key_is(const char *key, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(key, word, n) == 0;
}

static bool begins(const char *path, const char *with)
{
	return strncmp(path, with, strlen(with)) == 0;
}

/* Is the last key the name of a property, and no keyword? */
static bool is_property(const char *path, const char *key)
{
	static const char *const holders[] = { "/properties/", "/patternProperties/", "/$defs/", "/definitions/",
		"/dependentSchemas/" };

	for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
		size_t n = strlen(holders[i]);
		if ((size_t)(key - path) >= n && memcmp(key - n, holders[i], n) == 0)
			return true;
	}
	return false;
}

size_t pin_set_path(const char *path)
{
	size_t n, len = strlen(path);
	const char *key = last_key(path, &n);

	if (len == 0 || path[len - 1] != ']' || strchr(key, '[') != strrchr(key, '['))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if ((keywords[i].grows == GROWS_SET || keywords[i].grows == GROWS_ALL) &&
			key_is(key, n, keywords[i].keyword) && !is_property(path, key))
			return (size_t)(key - path) + n;
	return 0;
}

static struct pin_weight weigh_numbers(enum grows grows, const char *old, const char *new)
{
	double from = strtod(old, NULL), to = strtod(new, NULL);
	bool wider = grows == GROWS_UP ? to > from : to < from;

	return (struct pin_weight){ wider, wider ? WIDER : NARROWER };
}

static struct pin_weight weigh_keyword(enum grows grows, bool element, const char *old, const char *new)
{
	const struct pin_weight wider = { true, WIDER }, narrower = { false, NARROWER }, other = { true, OTHER };

	if (element && grows == GROWS_SET)
		return new ? wider : narrower;
	/* A rule that was not there; or one that is no more. */
	if (!old)
		return narrower;
	if (!new)
		return wider;
	return grows == GROWS_UP || grows == GROWS_DOWN ? weigh_numbers(grows, old, new) : other;
}

static bool is(const char *lexeme, const char *word)
{
	return lexeme && strcmp(lexeme, word) == 0;
}

/* additionalProperties and its like: false closes, everything else opens. */
static struct pin_weight weigh_closing(const char *old, const char *new)
{
	if (is(new, "false"))
		return (struct pin_weight){ false, NARROWER };
	return is(old, "false") ? (struct pin_weight){ true, WIDER } : (struct pin_weight){ true, OTHER };
}

static struct pin_weight weigh_schema(const char *path, const char *old, const char *new)
{
	static const char *const closing[] = { "additionalProperties", "unevaluatedProperties", "additionalItems",
		"unevaluatedItems" };
	static const char *const texts[] = { "description", "title", "default", "examples", "$comment" };
	size_t n;
	const char *key = last_key(path, &n);
	bool property = is_property(path, key);

	for (size_t i = 0; !property && i < ARRAY_LEN(texts); i++)
		if (key_is(key, n, texts[i]))
			return (struct pin_weight){ true, TEXT };
	for (size_t i = 0; !property && i < ARRAY_LEN(closing); i++)
		if (key_is(key, n, closing[i]))
			return weigh_closing(old, new);
	/* The rules of an argument that comes or goes as a whole say nothing by themselves; see pin_diff. */
	for (size_t i = 0; !property && i < ARRAY_LEN(keywords); i++)
		if (key_is(key, n, keywords[i].keyword))
			return weigh_keyword(keywords[i].grows, strchr(key, '[') != NULL, old, new);
	return (struct pin_weight){ true, OTHER };
}

static struct pin_weight weigh_hint(const char *path, const char *old, const char *new)
{
	size_t n;
	const char *key = last_key(path, &n);

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		if (!key_is(key, n, hints[i].hint))
			continue;
		bool before = old ? is(old, "true") : hints[i].otherwise;
		bool now = new ? is(new, "true") : hints[i].otherwise;
		if (new &&*new == '"')
			return (struct pin_weight){ true, TEXT };
		if (before == now)
			return (struct pin_weight){ false, "it means the same: that is what no hint means" };
		return (struct pin_weight){ true, now ? hints[i].gained : hints[i].lost };
	}
	return (struct pin_weight){ true, TEXT };
}

/* A word of a program's: a name, a number, a short pattern. Anything else can be read by a model, wherever it stands.
 */
static bool is_plain(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == ' ' || text[i] == '\\' || (unsigned char)text[i] >= 0x7f)
			return false;
	return n <= WORD_MAX;
}

static bool is_word(const char *lexeme)
{
	return (*lexeme != '"' && *lexeme != '[' && *lexeme != '{') || is_plain(lexeme, strlen(lexeme));
}

/* The keys of what is data for programs are text as well. */
static bool has_plain_keys(const char *path)
{
	for (const char *key = path; *key; key += key[strcspn(key, "/")] ? strcspn(key, "/") + 1 : strlen(key))
		if (!is_plain(key, strcspn(key, "/")))
			return false;
	return true;
}

bool pin_is_turned(const char *path)
{
	static const char *const turning[] = { "not", "if", "oneOf", "contains" };

	for (const char *key = path; *key; key += key[strcspn(key, "/")] ? strcspn(key, "/") + 1 : strlen(key))
		for (size_t i = 0; i < ARRAY_LEN(turning); i++)
			if (key_is(key, strcspn(key, "/["), turning[i]))
				return true;
	return false;
}

static bool is_data(const char *path)
{
	return begins(path, "execution/") || begins(path, "_meta");
}

static struct pin_weight weigh(const char *path, const char *old, const char *new)
{
	if (begins(path, "inputSchema") || begins(path, "outputSchema"))
		return weigh_schema(path, old, new);
	if (begins(path, "annotations/"))
		return weigh_hint(path, old, new);
	if (begins(path, "icons["))
		return (struct pin_weight){ true, "a picture that a person goes by" };
	if (begins(path, "execution/"))
		return (struct pin_weight){ false, "how a call may be run" };
	if (begins(path, "_meta"))
		return (struct pin_weight){ false, "data for programs" };
	return (struct pin_weight){ true, TEXT };
}

struct pin_weight pin_weigh(const char *path, const char *old, const char *new)
{
	struct pin_weight w = weigh(path, old, new);

	if (!w.matters && new && (!is_word(new) || (is_data(path) && !has_plain_keys(path))))
		return (struct pin_weight){ true, TEXT };
	if (!w.matters && pin_is_turned(path))
		return (struct pin_weight){ true, OTHER };
	return w;
}
