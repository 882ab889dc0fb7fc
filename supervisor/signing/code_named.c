/* SPDX-License-Identifier: Apache-2.0 */
/* code_named - see code_named.h */
#include "supervisor/signing/code_named.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/code_digest.h"
#include "supervisor/danger.h"
#include "supervisor/effective_lines.h"

enum { SHOWN = 300 };

struct named {
	const struct paths *p;
	struct effective *e;
	struct diag *d;
	const char *what; /* "the variable NODE_OPTIONS" */
	bool relative;	  /* words that are no absolute path are below the working directory */
	bool files;	  /* only files are code: a directory is data */
	bool there;	  /* what is not there is no path */
};

/* Below these an interpreter looks for code of its own accord, as it does below the home. */
static const char *const homes[] = { "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_DIRS",
	"XDG_DATA_DIRS" };

static bool is_bound(const struct effective *e, const char *path)
{
	for (size_t i = 0; i < e->cmd.n_trees; i++)
		if (fs_path_within(path, e->cmd.trees[i].path))
			return true;
	return false;
}

static bool is_shown(const struct named *n, const char *path)
{
	return fs_grants_cover(&n->e->grants, path) ||
	       (n->e->profile.home == HOME_PRIVATE && fs_path_within(path, n->p->home));
}

/* What is not there yet is what whoever may make it puts there. */
static int is_roots(const char *path, bool *ret, struct diag *d)
{
	_cleanup_free_ char *at = strdup(path), *real = NULL;
	struct stat st;
	int r;

	*ret = false;
	if (!at)
		return -ENOMEM;
	for (char *slash; lstat(at, &st) < 0 && (slash = strrchr(at, '/'));)
		slash[slash == at ? 1 : 0] = '\0';
	r = code_is_root_only(at, ret, NULL, d);
	if (r < 0 || !*ret)
		return r;
	real = realpath(at, NULL);
	if (!real) {
		*ret = false;
		return 0;
	}
	return strcmp(real, at) == 0 ? 0 : code_is_root_only(real, ret, NULL, d);
}

static int say(const struct named *n, const char *word)
{
	char shown[SHOWN];

	if (asprintf(&n->e->named_code,
		    "%s names code at '%s', which others than root can change and no digest covers: install it where "
		    "root alone can write, or grant less",
		    n->what, text_escape_str(word, shown, sizeof(shown))) < 0) {
		n->e->named_code = NULL;
		return -ENOMEM;
	}
	/* Nobody's earlier answer was about what lies there now. */
	n->e->never_remember = true;
	return effective_add_fact(n->e, LINE_NOTE, DANGER_OWN_CODE, EFFECTIVE_THIS_MACHINE, "%s", n->e->named_code);
}

/* A package that is granted in a directory that is not. */
static int look_below(const struct named *n, const char *path, const char *word)
{
	const struct fs_grants *g = &n->e->grants;
	int r = 0;

	for (size_t i = 0; r == 0 && n->relative && i < g->n && !n->e->named_code; i++) {
		bool roots = true;
		if (fs_path_within(g->v[i].canonical, path) || fs_path_within(g->v[i].given, path))
			r = is_roots(g->v[i].canonical, &roots, n->d);
		if (r == 0 && !roots)
			r = say(n, word);
	}
	return r;
}

static int look_at_word(const struct named *n, const char *word)
{
	_cleanup_free_ char *path = NULL, *real = NULL;
	struct stat st;
	bool roots = false;
	int r;

	if (asprintf(&path, "%s%s%s", *word == '/' ? "" : n->e->plan.cwd, *word == '/' ? "" : "/", word) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	real = realpath(path, NULL);
	if (n->files && (stat(path, &st) < 0 || !S_ISREG(st.st_mode)))
		return 0;
	if (n->there && !real)
		return 0;
	if (is_bound(n->e, real ? real : path))
		return 0;
	if (!is_shown(n, path) && !(real && is_shown(n, real)))
		return look_below(n, real ? real : path, word);
	r = is_roots(path, &roots, n->d);
	return r < 0 || roots ? r : say(n, word);
}

static bool is_code_word(const struct named *n, const char *word)
{
	return *word == '/' || (n->relative && *word != '-' && word[strspn(word, "0123456789")] != '\0');
}

static int look_at_words(const struct named *n, const char *text, const char *separators)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *word = copy ? strtok_r(copy, separators, &save) : NULL; r == 0 && word && !n->e->named_code;
		word = strtok_r(NULL, separators, &save))
		if (is_code_word(n, word))
			r = look_at_word(n, word);
	return r;
}

/* What separates is the reader's to say, and may as well stand in a name: then only what is there counts. */
static int look_at(const struct named *n, const char *text)
{
	static const char *const wider[] = { "\"'", ":", "" };
	struct named there = *n;
	int r = look_at_words(n, text, EFFECTIVE_CODE_SEPARATORS);

	there.there = true;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(wider); i++)
		r = look_at_words(&there, text, wider[i]);
	return r;
}

/* A word of an interpreter's own: an option can stand before its value ("-r/x.rb", "-Mlib=/x"), and of those a
 * directory is one of code; but java's -D is a setting of any program's. */
static int look_at_option(const struct named *n, const char *word)
{
	const char *slash = *word == '-' ? strchr(word, '/') : NULL;
	struct named option = *n;
	int r = look_at(n, word);

	option.files = strncmp(word, "-D", 2) == 0;
	if (r == 0 && slash && !n->e->named_code)
		r = look_at_words(&option, slash, "");
	return r;
}

/* The user's own is home_code.c's matter. */
static bool is_another_home(const struct named *n, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(homes); i++)
		if (strcmp(homes[i], name) == 0)
			return strcmp(value, n->p->home) != 0;
	return false;
}

/* "NAME=VALUE": of a name that is no loader's nothing is looked at. */
static int look_at_setting(const struct named *n, const char *setting)
{
	_cleanup_free_ char *name = strndup(setting, strcspn(setting, "="));
	char what[SHOWN];
	struct named v = *n;
	const char *value;
	bool home;

	if (!name)
		return -ENOMEM;
	value = setting + strlen(name) + (setting[strlen(name)] != '\0');
	home = is_another_home(n, name, value);
	if (!*value || n->e->named_code || (!home && !danger_is_loader_variable(name)))
		return 0;
	snprintf(what, sizeof(what), "the variable %.250s", name);
	v.what = what;
	v.relative = home || effective_names_code_relatively(name);
	return look_at(&v, value);
}

/* Settings stand in the words of env, of env -S and of a shell's line. Where a value ends is theirs to say: what
 * follows it in the same argument is looked at as well. */
static int look_at_argument(const struct named *n, const char *arg)
{
	static const char between[] = " \t\n;\"'";
	int r = 0;

	for (const char *word = arg + strspn(arg, between); r == 0 && *word; word += strspn(word, between)) {
		if (isalpha((unsigned char)*word) || *word == '_')
			r = look_at_setting(n, word);
		word += strcspn(word, between);
	}
	return r;
}

static bool others_answer(const struct effective *e)
{
	return e->policy.consent.by != CONSENT_BY_ASK && e->profile.managed;
}

/* A link in the code is as it was bound; what it leads to is not. */
static int look_at_links(const struct named *n)
{
	struct named linked = *n;
	_cleanup_strv_ struct strv targets = { 0 };
	const struct resolved *cmd = &n->e->cmd;
	int r = strv_extend(&targets, cmd->outward.v, cmd->outward.n);

	if (n->e->grants.n == 0 && n->e->profile.home != HOME_PRIVATE)
		return r;
	for (size_t i = 0; r == 0 && i < cmd->n_trees; i++)
		r = code_links_out(cmd->trees[i].path, &targets, n->d);
	linked.what = "a link in the code";
	for (size_t i = 0; r == 0 && i < targets.n && !n->e->named_code; i++)
		r = look_at_word(&linked, targets.v[i]);
	return r;
}

int code_named_look(const struct paths *p, struct effective *e, struct diag *d)
{
	struct named n = { .p = p, .e = e, .d = d, .what = "the program in the command", .files = true }, v = n;
	int r = 0;

	free(e->named_code);
	e->named_code = NULL;
	v.files = false;
	if (!others_answer(e))
		return 0;
	for (size_t i = 0; r == 0 && i < e->plan.envp.n; i++)
		r = look_at_setting(&v, e->plan.envp.v[i]);
	for (size_t i = 0; r == 0 && i < e->cmd.argv.n; i++)
		r = look_at_argument(&v, e->cmd.argv.v[i]);
	for (size_t i = 1; r == 0 && i < e->cmd.interpreted; i++)
		r = look_at_option(&n, e->cmd.argv.v[i]);
	return r < 0 || e->named_code ? r : look_at_links(&v);
}
