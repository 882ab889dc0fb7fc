/* SPDX-License-Identifier: Apache-2.0 */
/* profile_code - "code": the digests of what the command is made of (profile_parse.h; signing/code_bound.h keeps it) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/profile_parse.h"

#define ALGORITHM "blake2b:"
enum { HEX = 64 };

static bool is_digest(const char *text)
{
	const char *hex = text + strlen(ALGORITHM);

	return strncmp(text, ALGORITHM, strlen(ALGORITHM)) == 0 && strlen(hex) == HEX &&
	       strspn(hex, "0123456789abcdef") == HEX;
}

static int add(const struct key *k, unsigned line, const char *path, const char *digest)
{
	struct profile *p = k->target;
	struct profile_code *grown = reallocarray(p->code, p->n_code + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	p->code = grown;
	grown[p->n_code] = (struct profile_code){ .path.value = strdup(path), .digest = strdup(digest) };
	p->n_code++;
	if (!grown[p->n_code - 1].path.value || !grown[p->n_code - 1].digest)
		return -ENOMEM;
	return key_where(k, line, path, &grown[p->n_code - 1].path.where);
}

int key_set_code(const struct key *k)
{
	json_t *o = (json_t *)(uintptr_t)k->v;
	size_t index = 0;
	int r = 0;

	if (json_object_size(o) == 0)
		return key_fail(k, "is empty, and would say that there is no code: leave it out, or name it");
	for (void *i = json_object_iter(o); r == 0 && i; i = json_object_iter_next(o, i), index++) {
		const char *path = json_object_iter_key(i), *digest = json_string_value(json_object_iter_value(i));
		unsigned line = key_item_line(k, index);
		char shown[PROFILE_SHOWN_MAX];

		if (path[0] != '/' && path[0] != '~' && path[0] != '$')
			return key_fail_at(k, line, "has the path \"%s\"; it begins with '/', '~' or '${'",
				text_escape_str(path, shown, sizeof(shown)));
		if (strlen(path) > PROFILE_STRING_MAX)
			return key_fail_at(k, line, "has a path longer than %d bytes", PROFILE_STRING_MAX);
		if (!digest || !is_digest(digest))
			return key_fail_at(k, line,
				"gives no digest to \"%s\": it is \"" ALGORITHM "\" and 64 digits of hexadecimal",
				text_escape_str(path, shown, sizeof(shown)));
		r = add(k, line, path, digest + strlen(ALGORITHM));
	}
	return r;
}

int profile_code_expand(const struct expand *x, struct profile *p, struct diag *d)
{
	for (size_t i = 0; i < p->n_code; i++) {
		char *value = NULL;
		int r = profile_expand_string(x, p->code[i].path.where, p->code[i].path.value, &value, d);

		if (r < 0)
			return r;
		free(p->code[i].path.value);
		p->code[i].path.value = value;
	}
	return 0;
}

void profile_code_done(struct profile *p)
{
	for (size_t i = 0; i < p->n_code; i++) {
		free(p->code[i].path.value);
		free(p->code[i].path.where);
		free(p->code[i].digest);
	}
	free(p->code);
}
