/* SPDX-License-Identifier: Apache-2.0 */
/* kill_entry - see kill_entry.h */
#include "supervisor/kill/kill_entry.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/glob.h"
#include "base/parse.h"
#include "base/text.h"

enum { FORMAT = 1, SHOWN = 256 };

static const char ALL[] = "all.json", OF_SERVER[] = "server.", OF_TOOL[] = "tool.", END[] = ".json";

void kill_entry_done(struct kill_entry *e)
{
	free(e->server);
	free(e->tool);
	free(e->who);
	free(e->when);
	free(e->why);
	free(e->damaged);
	free(e->file);
	*e = (struct kill_entry){ 0 };
}

/* --- the bytes --- */

struct member {
	const char *key;
	size_t max;
	bool needed;
	size_t offset;
};

static const struct member members[] = {
	{ "server", KILL_NAME_MAX, true, offsetof(struct kill_entry, server) },
	{ "tool", KILL_NAME_MAX, false, offsetof(struct kill_entry, tool) },
	{ "who", KILL_WHO_MAX, true, offsetof(struct kill_entry, who) },
	{ "when", KILL_WHO_MAX, true, offsetof(struct kill_entry, when) },
	{ "why", KILL_WHY_MAX, true, offsetof(struct kill_entry, why) },
};

static const struct member *find_member(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (strcmp(members[i].key, key) == 0)
			return &members[i];
	return NULL;
}

static int take_member(const json_t *root, const struct member *m, struct kill_entry *e, struct diag *d)
{
	const json_t *v = json_object_get(root, m->key);
	const char *text = json_string_value(v);
	char **to = (char **)((char *)e + m->offset);

	if (!v && !m->needed)
		return 0;
	if (!text || json_string_length(v) > m->max || (!*text && strcmp(m->key, "why") != 0))
		return diag_fail(
			d, -EINVAL, v ? "its \"%s\" is no text of 1 to %zu bytes" : "it has no \"%s\"", m->key, m->max);
	*to = strdup(text);
	return *to ? 0 : -ENOMEM;
}

static int check_keys(json_t *root, struct diag *d)
{
	const char *key;
	json_t *v;
	char shown[SHOWN];

	json_object_foreach(root, key, v)
	{
		if (strcmp(key, "stockade") != 0 && !find_member(key))
			return diag_fail(d, -EINVAL, "nobody knows what its \"%s\" means",
				text_escape_str(key, shown, sizeof(shown)));
	}
	v = json_object_get(root, "stockade");
	if (!json_is_integer(v) || json_integer_value(v) != FORMAT)
		return diag_fail(d, -EINVAL, "it does not say \"stockade\": 1");
	return 0;
}

static int take(json_t *root, struct kill_entry *e, struct diag *d)
{
	int64_t when;
	int r = 0;

	/* All of them, so that what can be read is known whatever else is wrong. */
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		int x = take_member(root, &members[i], e, d);
		r = r ? r : x;
	}
	if (r == 0)
		r = check_keys(root, d);
	if (r == 0 && parse_time(e->when, &when) < 0)
		r = diag_fail(d, -EINVAL, "its \"when\" is no time such as 2026-10-01T12:00:00Z");
	return r;
}

/* The most that it can have meant: what narrows it is not believed. */
static int widen(struct kill_entry *e, const char *why)
{
	free(e->tool);
	e->tool = NULL;
	if (!e->server)
		e->server = strdup("*");
	e->damaged = strdup(why);
	return e->server && e->damaged ? KILL_DAMAGED : -ENOMEM;
}

int kill_entry_parse(const char *bytes, size_t n, struct kill_entry *ret)
{
	json_t *root = n <= KILL_FILE_MAX ? json_loadb(bytes ? bytes : "", n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	struct kill_entry e = { 0 };
	struct diag d = { "it is not one JSON object" };
	int r = json_is_object(root) ? take(root, &e, &d) : -EINVAL;

	json_decref(root);
	if (r < 0 && r != -ENOMEM)
		r = widen(&e, d.text);
	if (r < 0) {
		kill_entry_done(&e);
		return r;
	}
	*ret = e;
	return r;
}

char *kill_entry_text(const struct kill_entry *e)
{
	json_t *root = json_pack("{s:i, s:s, s:s*, s:s, s:s, s:s}", "stockade", FORMAT, "server", e->server, "tool",
		e->tool, "who", e->who, "when", e->when, "why", e->why);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	return text;
}

json_t *kill_entry_json(const struct kill_entry *e)
{
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s, s:s?, s:s?}", "server", e->server, "tool", e->tool, "who",
		e->who, "when", e->when, "why", e->why, "source", kill_origin_name(e->origin), "file", e->file,
		"damaged", e->damaged);
}

/* --- the file's name --- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c == '.';
}

static int put_encoded(struct buf *b, const char *text)
{
	int r = 0;

	for (; r == 0 && *text; text++)
		r = is_plain(*text) ? buf_putc(b, *text) : buf_printf(b, "%%%02x", (unsigned char)*text);
	return r;
}

static int put_name(struct buf *b, const char *server, const char *tool)
{
	int r;

	if (!tool && strcmp(server, "*") == 0)
		return buf_puts(b, ALL);
	r = buf_puts(b, tool ? OF_TOOL : OF_SERVER);
	if (r == 0)
		r = put_encoded(b, server);
	if (r == 0 && tool)
		r = buf_putc(b, '@');
	if (r == 0 && tool)
		r = put_encoded(b, tool);
	return r ? r : buf_puts(b, END);
}

int kill_entry_file_name(const char *server, const char *tool, char ret[KILL_FILE_NAME_SIZE])
{
	_cleanup_buf_ struct buf b = BUF_INIT(KILL_FILE_NAME_SIZE - 1);
	int r = put_name(&b, server, tool);

	if (r == 0)
		snprintf(ret, KILL_FILE_NAME_SIZE, "%s", b.data);
	return r == -E2BIG ? -ENAMETOOLONG : r;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(const char *from, size_t n, char **ret)
{
	_cleanup_free_ char *text = malloc(n + 1);
	size_t len = 0;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)from[i];
		if (from[i] == '%') {
			int high = n - i < 3 ? -1 : digit(from[i + 1]), low = high < 0 ? -1 : digit(from[i + 2]);
			if (low < 0)
				return -EINVAL;
			c = high << 4 | low;
			i += 2;
		}
		if (c == 0)
			return -EINVAL;
		text[len++] = (char)c;
	}
	text[len] = '\0';
	*ret = STEAL_PTR(text);
	return len ? 0 : -EINVAL;
}

static int take_name(const char *file, char **ret_server, char **ret_tool)
{
	size_t n = strlen(file), end = strlen(END);
	const char *at;
	int r;

	if (strcmp(file, ALL) == 0) {
		*ret_server = strdup("*");
		return *ret_server ? 0 : -ENOMEM;
	}
	if (n <= end || strcmp(file + n - end, END) != 0)
		return -EINVAL;
	n -= end;
	/* In "server.json" the dot is that of the end. */
	if (n >= strlen(OF_SERVER) && strncmp(file, OF_SERVER, strlen(OF_SERVER)) == 0)
		return decode(file + strlen(OF_SERVER), n - strlen(OF_SERVER), ret_server);
	at = memchr(file, '@', n);
	if (strncmp(file, OF_TOOL, strlen(OF_TOOL)) != 0 || !at)
		return -EINVAL;
	r = decode(file + strlen(OF_TOOL), (size_t)(at - file) - strlen(OF_TOOL), ret_server);
	return r ? r : decode(at + 1, (size_t)(file + n - at - 1), ret_tool);
}

int kill_entry_of_name(const char *file, char **ret_server, char **ret_tool)
{
	_cleanup_free_ char *server = NULL, *tool = NULL;
	char again[KILL_FILE_NAME_SIZE];
	int r = take_name(file, &server, &tool);

	/* Of two spellings of one name neither would be the other's file. */
	if (r == 0 && (kill_entry_file_name(server, tool, again) < 0 || strcmp(again, file) != 0))
		r = -EINVAL;
	if (r < 0)
		return r;
	*ret_server = STEAL_PTR(server);
	*ret_tool = STEAL_PTR(tool);
	return 0;
}

/* --- what it kills, in words --- */

bool kill_entry_hits_server(const struct kill_entry *e, const char *server)
{
	return !e->tool && glob_match(e->server, server, strlen(server));
}

bool kill_entry_hits_tool(const struct kill_entry *e, const char *server, const char *tool)
{
	return e->tool && glob_match(e->server, server, strlen(server)) && glob_match(e->tool, tool, strlen(tool));
}

const char *kill_entry_by(const struct kill_entry *e, char *ret, size_t size)
{
	char who[SHOWN], when[SHOWN], why[KILL_WORDS_SIZE];

	if (e->damaged)
		snprintf(ret, size, "by an entry that cannot be read: %s",
			text_escape_str(e->damaged, why, sizeof(why)));
	else
		snprintf(ret, size, "by %s since %s%s%s", text_escape_str(e->who, who, sizeof(who)),
			text_escape_str(e->when, when, sizeof(when)), *e->why ? ": " : "",
			text_escape_str(e->why, why, sizeof(why)));
	return ret;
}

const char *kill_entry_what(const struct kill_entry *e, char *ret, size_t size)
{
	char server[SHOWN], tool[SHOWN];

	text_escape_str(e->server, server, sizeof(server));
	if (e->tool)
		snprintf(ret, size, "tool '%s' of %s%s%s", text_escape_str(e->tool, tool, sizeof(tool)),
			strcmp(e->server, "*") == 0 ? "every server" : "server '",
			strcmp(e->server, "*") == 0 ? "" : server, strcmp(e->server, "*") == 0 ? "" : "'");
	else if (strcmp(e->server, "*") == 0)
		snprintf(ret, size, "everything");
	else
		snprintf(ret, size, "server '%s'", server);
	return ret;
}

const char *kill_origin_name(enum kill_origin origin)
{
	static const char *const names[] = {
		[KILL_BY_USER] = "user", [KILL_BY_ROOT] = "root", [KILL_BY_BUNDLE] = "bundle"
	};

	return names[origin];
}
