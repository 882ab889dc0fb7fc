/* SPDX-License-Identifier: Apache-2.0 */
/* command_options - see command_options.h */
#include "supervisor/command_options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include "base/parse.h"
#include "base/text.h"

enum { SHOWN = 256 };

/* Where the parser stands. */
struct parser {
	struct command_ctx *ctx;
	int n;
	char *const *words;
	int at;	       /* the next word */
	unsigned seen; /* bit by option row: given once */
	struct diag *d;
};

static const struct option_row *find_option(const struct command_row *row, const char *name, size_t len)
{
	for (const struct option_row *o = row->options; o && o->name; o++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct option_row *find_letter(const struct command_row *row, char letter)
{
	for (const struct option_row *o = row->options; o && o->name; o++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

static int unknown_option(struct parser *p, const char *name, size_t len)
{
	const struct command_row *row = p->ctx->row;
	const char *names[COMMAND_OPTIONS_MAX + 1] = { "help" };
	char word[SHOWN], shown[SHOWN];
	const char *nearest;
	size_t n = 1;

	for (const struct option_row *o = row->options; o && o->name && n < ARRAY_LEN(names); o++)
		names[n++] = o->name;
	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1), name);
	nearest = text_nearest(word, names, n);
	text_escape_str(word, shown, sizeof(shown));
	if (nearest)
		return diag_fail(p->d, -EINVAL, "unknown option --%s; did you mean --%s?", shown, nearest);
	if (row->rest)
		return diag_fail(p->d, -EINVAL,
			"unknown option --%s; options of the server's own command go after \"--\"", shown);
	return diag_fail(p->d, -EINVAL, "unknown option --%s", shown);
}

/* RFC 3339, a date, "today" and "yesterday" (midnight, UTC, as the log has its times), or "2h" for two hours ago. */
enum { DAY_S = 86400 };

static int parse_moment(const char *value, int64_t *ret)
{
	uint64_t ago;

	if (parse_time(value, ret) == 0)
		return 0;
	if (strcmp(value, "today") == 0 || strcmp(value, "yesterday") == 0) {
		int64_t now = (int64_t)time(NULL);
		*ret = now - now % DAY_S - (*value == 'y' ? DAY_S : 0);
		return 0;
	}
	if (parse_duration(value, 0, (uint64_t)100 * 365 * 86400, &ago) < 0)
		return -EINVAL;
	*ret = (int64_t)time(NULL) - (int64_t)ago;
	return 0;
}

static int store_descriptor(const char *value, struct option_fd *ret)
{
	uint64_t fd;

	/* Not 1 and 2: what is read from them would be what a terminal was told. */
	if (parse_u64(value, 0, INT_MAX, &fd) < 0 || fd == 1 || fd == 2 || fcntl((int)fd, F_GETFD) < 0)
		return -EINVAL;
	*ret = (struct option_fd){ .given = true, .fd = (int)fd };
	return 0;
}

static int store_value(struct parser *p, const struct option_row *o, const char *value)
{
	void *to = (char *)p->ctx->options + o->offset;
	char shown[SHOWN];

	switch (o->kind) {
	case OPTION_STRV:
		return strv_add(to, value);
	case OPTION_STR:
		*(char **)to = strdup(value);
		return *(char **)to ? 0 : -ENOMEM;
	case OPTION_TIME:
		if (parse_moment(value, to) == 0)
			return 0;
		return diag_fail(p->d, -EINVAL,
			"--%s %s is no time: write 2027-04-01T00:00:00Z, 2027-04-01 (midnight, UTC), today, yesterday, "
			"or 30min, 2h, 7d (ago)",
			o->name, text_escape_str(value, shown, sizeof(shown)));
	case OPTION_U64:
		if (parse_u64(value, 0, UINT64_MAX, to) == 0)
			return 0;
		return diag_fail(
			p->d, -EINVAL, "--%s %s is no number", o->name, text_escape_str(value, shown, sizeof(shown)));
	case OPTION_FD:
		if (store_descriptor(value, to) == 0)
			return 0;
		return diag_fail(p->d, -EINVAL,
			"--%s %s is no descriptor that is open: write its number, as in --%s 3 3<FILE", o->name,
			text_escape_str(value, shown, sizeof(shown)), o->name);
	case OPTION_FLAG:
		break;
	}
	return -EINVAL;
}

/* value: what stood after "=" or was glued to a letter, NULL when nothing did. */
static int take_option(struct parser *p, const struct option_row *o, const char *value)
{
	unsigned bit = 1u << (o - p->ctx->row->options);

	if (o->kind == OPTION_FLAG) {
		if (value)
			return diag_fail(p->d, -EINVAL, "--%s takes no value", o->name);
		*((bool *)((char *)p->ctx->options + o->offset)) = true;
		return 0;
	}
	if (o->kind != OPTION_STRV && (p->seen & bit))
		return diag_fail(p->d, -EINVAL, "--%s is given twice", o->name);
	p->seen |= bit;
	if (!value && p->at >= p->n)
		return diag_fail(p->d, -EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->value);
	return store_value(p, o, value ? value : p->words[p->at++]);
}

static int take_long(struct parser *p, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option_row *o = find_option(p->ctx->row, word, len);

	if (o)
		return take_option(p, o, equals ? equals + 1 : NULL);
	if (strcmp(word, "help") == 0)
		return COMMAND_HELP;
	return unknown_option(p, word, len);
}

/* "-jn5": letters of flags may stand together, the first that takes a value takes the rest of the word. */
static int take_letters(struct parser *p, const char *word)
{
	int r = 0;

	for (; r == 0 && *word; word++) {
		const struct option_row *o = find_letter(p->ctx->row, *word);
		char letter[2] = { *word }, shown[16];

		if (!o && *word == 'h')
			return COMMAND_HELP;
		if (!o)
			return diag_fail(p->d, -EINVAL, "unknown option -%s%s",
				text_escape_str(letter, shown, sizeof(shown)),
				p->ctx->row->rest ? "; a command and its options go after \"--\"" : "");
		if (o->kind != OPTION_FLAG)
			return take_option(p, o, word[1] ? word + 1 : NULL);
		r = take_option(p, o, NULL);
	}
	return r;
}

static int take_word(struct parser *p)
{
	const char *word = p->words[p->at++];
	char shown[SHOWN];

	if (word[0] == '-' && word[1] == '-')
		return take_long(p, word + 2);
	if (word[0] == '-' && word[1])
		return take_letters(p, word + 1);
	if (p->ctx->args.n < p->ctx->row->max_args)
		return strv_add(&p->ctx->args, word);
	text_escape_str(word, shown, sizeof(shown));
	if (p->ctx->row->rest)
		return diag_fail(p->d, -EINVAL, "one word too many: '%s'; a command to run goes after \"--\"", shown);
	return diag_fail(p->d, -EINVAL, "one word too many: '%s'", shown);
}

/* After "--": the command to run, or plain words for a command that runs none. */
static int take_rest(struct parser *p)
{
	if (p->ctx->row->rest) {
		p->ctx->rest_given = true;
		return strv_extend(&p->ctx->rest, p->words + p->at, (size_t)(p->n - p->at));
	}
	if (p->ctx->args.n + (size_t)(p->n - p->at) > p->ctx->row->max_args)
		return diag_fail(p->d, -EINVAL, "too many words after \"--\"");
	return strv_extend(&p->ctx->args, p->words + p->at, (size_t)(p->n - p->at));
}

static int check_counts(const struct parser *p)
{
	const struct command_ctx *ctx = p->ctx;

	if (ctx->rest_given && ctx->rest.n == 0)
		return diag_fail(p->d, -EINVAL, "no command stands after \"--\"");
	if (ctx->args.n < ctx->row->min_args)
		return diag_fail(p->d, -EINVAL, "a word is missing: %s %s", ctx->row->name, ctx->row->synopsis);
	return 0;
}

int command_parse(struct command_ctx *ctx, int n, char *const *words, struct diag *d)
{
	struct parser p = { .ctx = ctx, .n = n, .words = words, .d = d };
	int r;

	while (p.at < n) {
		if (strcmp(words[p.at], "--") == 0) {
			p.at++;
			r = take_rest(&p);
			return r < 0 ? r : check_counts(&p);
		}
		r = take_word(&p);
		if (r != 0)
			return r;
	}
	return check_counts(&p);
}

void command_options_done(const struct command_row *row, void *options)
{
	if (!options)
		return;
	for (const struct option_row *o = row->options; o && o->name; o++) {
		void *at = (char *)options + o->offset;
		if (o->kind == OPTION_STR) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (o->kind == OPTION_STRV) {
			strv_done(at);
		}
	}
	if (row->options_done)
		row->options_done(options);
}
