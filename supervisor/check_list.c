/* SPDX-License-Identifier: Apache-2.0 */
/* check_list - see check_list.h */
#include "supervisor/check_list.h"
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "base/cleanup.h"
#include "supervisor/command.h"
#include "supervisor/consent.h"
#include "supervisor/effective_scopes.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/output.h"
#include "supervisor/profile_parse.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/usable.h"

#define SUFFIX ".json"
enum { NAME_WIDTH = 28, STATE_WIDTH = 14 };

static int add_name(const char *text, size_t n, struct strv *names, struct diag *d)
{
	_cleanup_free_ char *name = strndup(text, n);

	if (!name)
		return -ENOMEM;
	/* No other can be named. */
	if (!profile_name_valid(name) || strv_contains(names, name))
		return 0;
	if (names->n >= CHECK_LIST_MAX)
		return diag_fail(d, -E2BIG, "there are more than %d profiles", CHECK_LIST_MAX);
	return strv_add(names, name);
}

static int add_names(const char *path, struct strv *names, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	const struct dirent *e;
	int r = 0;

	if (!dir && errno != ENOENT && errno != ENOTDIR)
		return diag_fail(d, -errno, "cannot list the profiles in %s: %s", path, strerror(errno));
	while (r == 0 && dir && (e = readdir(dir))) {
		size_t n = strlen(e->d_name), suffix = strlen(SUFFIX);

		if (n > suffix && !strcmp(e->d_name + n - suffix, SUFFIX))
			r = add_name(e->d_name, n - suffix, names, d);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int check_list_names(const struct paths *p, const struct bundle *b, struct strv *ret, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->profile_dirs.n; i++)
		r = add_names(p->profile_dirs.v[i], ret, d);
	for (size_t i = 0; r == 0 && i < b->n_profiles; i++)
		r = add_name(b->profiles[i].name, strlen(b->profiles[i].name), ret, d);
	if (r == 0 && ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return r;
}

/* What it was approved as may have changed since: only a plan could tell, and that needs its parameters. */
static json_t *ids_of(const struct approvals *all, const char *name)
{
	static const char prefix[] = "profile:";
	json_t *ids = json_array();

	for (size_t i = 0; i < all->n; i++) {
		const struct approval *a = &all->v[i];
		if (a->damaged || strncmp(a->subject, prefix, strlen(prefix)) != 0 ||
			strcmp(a->subject + strlen(prefix), name) != 0)
			continue;
		if (json_array_append_new(ids, json_string(a->id)) < 0) {
			json_decref(ids);
			return NULL;
		}
	}
	return ids;
}

static json_t *describe(struct vouching *v, const struct approvals *all, const char *name)
{
	_cleanup_profile_ struct profile f = { 0 };
	struct freshness fresh = { 0 };
	struct diag d = { "" };
	int r = usable_load(v, name, &f, &fresh, &d);

	freshness_done(&fresh);
	return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o}", "name", name, "file", question_shown_json(f.file),
		"description", question_shown_json(f.description), "version", (json_int_t)f.version, "approvals",
		ids_of(all, name), "unusable", r < 0 ? question_shown_json(d.text) : json_null());
}

static json_t *describe_all(struct vouching *v, const struct strv *names, const struct approvals *all)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < names->n; i++)
		list = json_list_add(list, describe(v, all, names->v[i]));
	return list;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void print_one(FILE *out, const json_t *o, bool colour)
{
	const char *why = text_of(o, "unusable"), *about = text_of(o, "description");
	bool approved = json_array_size(json_object_get(o, "approvals")) > 0;

	fprintf(out, "%s%-*s%s  %-*s  %s\n", colour ? "\033[1m" : "", NAME_WIDTH, text_of(o, "name"),
		colour ? "\033[0m" : "", STATE_WIDTH,
		why	   ? "cannot be used"
		: approved ? "approved"
			   : "not approved",
		why ? why : text_of(o, "file"));
	if (about)
		fprintf(out, "    %s\n", about);
}

static int print_all(FILE *out, json_t *list, bool json, const struct paths *p)
{
	bool bad = false;
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) bad = bad || text_of(o, "unusable");
	if (json)
		return output_json(out, list, "the profiles") == EXIT_OK ? (bad ? EXIT_FINDINGS : EXIT_OK)
									 : EXIT_REFUSED;
	json_array_foreach(list, i, o)
	{
		print_one(out, o, command_colour(out));
	}
	if (json_array_size(list) == 0)
		fprintf(out, "There is no profile; one of your own goes into %s as NAME.json.\n",
			p->profile_dirs.v[p->profile_dirs.n - 1]);
	else
		fputs("\n'stockade check NAME' says what the server of one would get.\n", out);
	json_decref(list);
	return bad ? EXIT_FINDINGS : EXIT_OK;
}

int check_list_print(FILE *out, const struct paths *p, bool names, bool json, struct diag *d)
{
	_cleanup_approvals_ struct approvals all = { 0 };
	_cleanup_vouching_ struct vouching v = { 0 };
	_cleanup_strv_ struct strv found = { 0 };
	json_t *list;
	int r = vouching_load(p, &v, d);

	/* Names are for a shell that completes a word: those of a bundle that cannot be believed are none. */
	if (r == 0 || names)
		r = check_list_names(p, &v.bundle, &found, d);
	for (size_t i = 0; r == 0 && names && i < found.n; i++)
		fprintf(out, "%s\n", found.v[i]);
	if (r < 0 || names)
		return r < 0 ? r : EXIT_OK;
	r = consent_list(p, &all, d);
	if (r < 0)
		return r;
	list = describe_all(&v, &found, &all);
	return list ? print_all(out, list, json, p) : diag_fail(d, -ENOMEM, "out of memory");
}

int check_list_scopes(FILE *out, const struct paths *p, const char *name, struct diag *d)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	_cleanup_profile_ struct profile f = { 0 };
	struct freshness fresh = { 0 };
	int r = vouching_load(p, &v, d);

	r = r < 0 ? r : usable_load(&v, name, &f, &fresh, d);
	freshness_done(&fresh);
	if (r < 0)
		return r;
	effective_scopes_forbid(&v.own, &f.scopes);
	for (size_t i = 0; i < f.scopes.n; i++)
		if (f.scopes.v[i].lift)
			fprintf(out, "%s\n", f.scopes.v[i].name);
	return 0;
}
