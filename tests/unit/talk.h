/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk - plays a conversation from a file (tests/conversations/README.md) through a shim in this process
 *
 * The reader hands over scene after scene; what is to be heard of each line is checked here, token by token.
 */
#pragma once
#include "tests/unit/shim_unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/tokens.h"

enum { TALK_LINE_MAX = 256 << 10, TALK_NAME_MAX = 160 };

/* What somebody says, and what comes of it. */
struct said {
	enum event_side side;
	char *says;
	char *instead; /* the other side hears that; NULL: the same; "": nothing */
	char *back;    /* who says it hears that; NULL: nothing */
	int line;
};

struct scene {
	char file[TALK_NAME_MAX], title[TALK_NAME_MAX], version[16];
	bool strict; /* of a profile that allows nothing beside tools */
	struct said said[96];
	size_t n;
};

static inline void scene_clear(struct scene *s, size_t from)
{
	for (size_t i = from; i < s->n; i++) {
		free(s->said[i].says);
		free(s->said[i].instead);
		free(s->said[i].back);
	}
	s->n = from;
}

static inline char *copied(const char *text)
{
	char *s = text ? strdup(text) : NULL;

	assert_true(!text || s);
	return s;
}

/* The text with $V as the version. */
static inline char *talk_filled(const char *text, const char *version)
{
	size_t size = strlen(text) + 64, n = 0;
	char *out = malloc(size);

	assert_non_null(out);
	for (; *text; text++) {
		assert_true(n + 16 < size);
		if (strncmp(text, "$V", 2) != 0) {
			out[n++] = *text;
			continue;
		}
		n += (size_t)snprintf(out + n, size - n, "%s", version);
		text++;
	}
	out[n] = '\0';
	return out;
}

static inline bool talk_versions_hold(const char *versions, const char *version)
{
	return strstr(versions, version) != NULL;
}

typedef void (*scene_fn)(struct scene *scene, void *arg);

struct talk {
	FILE *f;
	char *line;
	char versions[128];
	int at;
	size_t preamble; /* so many lines begin every scene of these versions */
	struct scene *scene;
};

static inline void talk_add(struct talk *t, char sort, const char *text)
{
	struct scene *s = t->scene;
	struct said *last = s->n ? &s->said[s->n - 1] : NULL;

	if (sort == 'C' || sort == 'S') {
		assert_true(s->n < ARRAY_LEN(s->said));
		s->said[s->n++] = (struct said){ .side = sort == 'C' ? EVENT_FROM_CLIENT : EVENT_FROM_SERVER,
			.says = talk_filled(text, s->version),
			.line = t->at };
		return;
	}
	assert_non_null(last);
	if (sort == '<')
		last->back = talk_filled(text, s->version);
	else
		last->instead = talk_filled(sort == '!' ? "" : text, s->version);
}

static inline void talk_end_scene(struct talk *t, scene_fn fn, void *arg)
{
	if (t->scene->title[0] && t->scene->n)
		fn(t->scene, arg);
	t->scene->title[0] = '\0';
	scene_clear(t->scene, t->preamble);
}

/* Is it a scene's line, for this version? Everything else is done here. */
static inline bool talk_directive(struct talk *t, scene_fn fn, void *arg)
{
	char *text = t->line;

	switch (text[0]) {
	case '#':
	case '\0':
		return true;
	case '@':
		talk_end_scene(t, fn, arg);
		scene_clear(t->scene, 0);
		t->preamble = 0;
		t->scene->strict = strstr(text, " strict") != NULL;
		assert_in_range(snprintf(t->versions, sizeof(t->versions), "%s", text), 1, sizeof(t->versions) - 1);
		return true;
	case '=':
		if (text[1] != '=')
			return false;
		if (t->scene->title[0])
			talk_end_scene(t, fn, arg);
		else
			t->preamble = t->scene->n;
		snprintf(t->scene->title, sizeof(t->scene->title), "%.100s", text + 3);
		return true;
	default:
		return false;
	}
}

/* Every scene of the file that is meant for that version. */
static inline void talk_play(const char *path, const char *version, scene_fn fn, void *arg)
{
	struct talk t = { .f = fopen(path, "re"), .line = malloc(TALK_LINE_MAX), .scene = calloc(1, sizeof(*t.scene)) };
	const char *name = strrchr(path, '/');

	assert_true(t.f && t.line && t.scene && name);
	snprintf(t.scene->file, sizeof(t.scene->file), "%s", name + 1);
	snprintf(t.scene->version, sizeof(t.scene->version), "%s", version);
	while (fgets(t.line, TALK_LINE_MAX, t.f)) {
		t.at++;
		size_t n = strcspn(t.line, "\n");
		assert_true(t.line[n] == '\n');
		t.line[n] = '\0';
		if (talk_directive(&t, fn, arg) || !talk_versions_hold(t.versions, version))
			continue;
		if (!strchr("CS=<!", t.line[0]) || (t.line[1] != ' ' && t.line[0] != '!'))
			fail_msg("%s:%d: '%.40s' is no line of a conversation", t.scene->file, t.at, t.line);
		talk_add(&t, t.line[0], t.line + (t.line[1] ? 2 : 1));
	}
	talk_end_scene(&t, fn, arg);
	scene_clear(t.scene, 0);
	fclose(t.f);
	free(t.line);
	free(t.scene);
}

static inline void talk_check_heard(
	const struct scene *s, const struct said *d, const char *who, const char *want, const char *got_)
{
	size_t n = strlen(got_);

	if (!want || !*want) {
		if (n)
			fail_msg("%s:%d (%s, %s): the %s hears '%.2000s', and nothing was to be heard of\n%.2000s",
				s->file, d->line, s->title, s->version, who, got_, d->says);
		return;
	}
	if (n < 2 || got_[n - 1] != '\n' || memchr(got_, '\n', n - 1) || !tokens_same(want, got_))
		fail_msg("%s:%d (%s, %s): the %s hears '%.2000s', not\n'%.2000s'", s->file, d->line, s->title,
			s->version, who, got_, want);
}
