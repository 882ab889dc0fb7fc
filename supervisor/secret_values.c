/* SPDX-License-Identifier: Apache-2.0 */
/* secret_values - see secret_values.h */
#include "supervisor/secret_values.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include "supervisor/danger.h"

enum { WORD_MAX = 20 /* letters alone, up to here, are a word and no key */ };

/* What people write where a secret belongs, and values that stand in every text. */
static const char *const common[] = { "password", "passw0rd", "changeme", "change-me", "password1", "password123",
	"undefined", "disabled", "required", "optional", "localhost", "12345678", "123456789", "1234567890", "qwertyui",
	"test-token", "your-api-key", "your_api_key", "placeholder" };

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

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

/* "scheme://user:password@host": the password by itself, too. */
static int add_password(struct shim_text *t, const char *name, const char *value)
{
	const char *from = strstr(value, "://"), *at = from ? strchr(from + 3, '@') : NULL;
	const char *colon = at ? memchr(from + 3, ':', (size_t)(at - from - 3)) : NULL;
	_cleanup_free_ char *password = colon ? strndup(colon + 1, (size_t)(at - colon - 1)) : NULL;

	if (!colon)
		return 0;
	if (!password)
		return -ENOMEM;
	int r = secret_values_judge("PASSWORD", password) == SECRET_TAKEN ? shim_text_add_secret(t, name, password) : 0;
	explicit_bzero(password, strlen(password));
	return r;
}

static int add(struct shim_text *t, const char *name, const char *value, size_t *total)
{
	int r;

	if (secret_values_judge(name, value) != SECRET_TAKEN)
		return 0;
	*total += strlen(value);
	if (*total > SHIM_SECRETS_BYTES_MAX)
		return -E2BIG;
	r = shim_text_add_secret(t, name, value);
	return r ? r : add_password(t, name, value);
}

int secret_values_fill(const struct profile *f, const struct strv *envp, struct shim_text *ret)
{
	size_t total = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->env_pass.n; i++)
		r = add(ret, f->env_pass.v[i].value, strv_env_get(envp, f->env_pass.v[i].value), &total);
	for (size_t i = 0; r == 0 && i < f->env_set.n; i++) {
		_cleanup_free_ char *name = strdup(f->env_set.v[i].value);
		char *equals = name ? strchr(name, '=') : NULL;
		if (!equals)
			return -ENOMEM;
		*equals = '\0';
		if (danger_of_variable(name) & DANGER_SECRET)
			r = add(ret, name, equals + 1, &total);
	}
	return r;
}
