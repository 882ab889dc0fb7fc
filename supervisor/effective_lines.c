/* SPDX-License-Identifier: Apache-2.0 */
/* effective_lines - see effective_lines.h */
#include "supervisor/effective_lines.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/glob.h"
#include "base/landlock.h"
#include "base/text.h"
#include "supervisor/danger.h"
#include "supervisor/effective_client.h"
#include "supervisor/effective_meters.h"
#include "supervisor/effective_network.h"
#include "supervisor/effective_scopes.h"
#include "supervisor/policy/observe.h"
#include "supervisor/secret_values.h"
#include "supervisor/signing/signing_lines.h"

const char *effective_size_words(uint64_t bytes, char ret[EFFECTIVE_SIZE_WORDS])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
	size_t i = 0;

	for (; i + 1 < ARRAY_LEN(units) && bytes > 0 && bytes % 1024 == 0; i++)
		bytes /= 1024;
	snprintf(ret, EFFECTIVE_SIZE_WORDS, "%llu %s", (unsigned long long)bytes, units[i]);
	return ret;
}

__attribute__((format(printf, 3, 0))) static int add_line(
	struct effective *e, struct effective_line line, const char *fmt, va_list ap)
{
	struct effective_line *v = reallocarray(e->lines, e->n_lines + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	e->lines = v;
	if (line.where && !(line.where = strdup(line.where)))
		return -ENOMEM;
	if (vasprintf(&line.text, fmt, ap) < 0) {
		free(line.where);
		return -ENOMEM;
	}
	v[e->n_lines++] = line;
	e->danger |= line.danger;
	return 0;
}

int effective_add_line(
	struct effective *e, enum effective_kind kind, unsigned danger, const char *where, const char *fmt, ...)
{
	struct effective_line line = { .kind = kind, .danger = danger, .where = (char *)(uintptr_t)where };
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = add_line(e, line, fmt, ap);
	va_end(ap);
	return r;
}

int effective_add_value(
	struct effective *e, enum effective_kind kind, unsigned danger, const char *keys, const char *fmt, ...)
{
	_cleanup_free_ char *where = NULL;
	int r = places_words(&e->profile.places, keys, &where);
	struct effective_line line = { .kind = kind, .danger = danger, .where = where, .quiet = true };
	va_list ap;

	if (r < 0)
		return r;
	va_start(ap, fmt);
	r = add_line(e, line, fmt, ap);
	va_end(ap);
	return r;
}

int effective_add_fact(
	struct effective *e, enum effective_kind kind, unsigned danger, const char *where, const char *fmt, ...)
{
	struct effective_line line = {
		.kind = kind, .danger = danger, .where = (char *)(uintptr_t)where, .quiet = true
	};
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = add_line(e, line, fmt, ap);
	va_end(ap);
	return r;
}

static int add_command(struct effective *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->cmd.argv.n; i++) {
		r = i ? buf_putc(&b, ' ') : 0;
		if (r == 0)
			r = text_quote_shell(&b, e->cmd.argv.v[i]);
	}
	if (r == 0)
		r = effective_add_value(e, LINE_COMMAND, danger_of_command(&e->cmd.argv), "command", "%s", b.data);
	for (size_t i = 0; r == 0 && i < e->cmd.chain.n; i++)
		r = effective_add_value(e, LINE_PROGRAM, 0, "command", "%s", e->cmd.chain.v[i]);
	return r;
}

static const struct fs_grant *writable_at(const struct fs_grants *g, const char *path)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].write && (fs_path_within(path, g->v[i].canonical) || fs_path_within(path, g->v[i].given)))
			return &g->v[i];
	return NULL;
}

/* Where modules are looked for in the working directory, what lies there is code that no digest covers. */
static int add_code_of_cwd(const struct paths *p, struct effective *e, const struct fs_grants *g)
{
	const char *cwd = e->plan.cwd;
	bool writable = writable_at(g, cwd) || (e->profile.home == HOME_PRIVATE && fs_path_within(cwd, p->home));

	if (!e->cmd.loads_cwd || (!writable && !fs_grants_cover(g, cwd)))
		return 0;
	e->never_remember = e->never_remember || writable;
	return effective_add_value(e, LINE_NOTE, writable ? DANGER_OWN_CODE : 0, "command cwd",
		"the interpreter looks for modules in %s first, or for settings that name code, so what lies there "
		"becomes code that no approval "
		"binds%s: another --cwd, or python's own option -P, ends that",
		cwd, writable ? ", and the server may write it" : "");
}

/* Variables in which a relative word names code, too. */
static const char *const code_variables[] = { "NODE_OPTIONS", "NODE_PATH", "NODE_COMPILE_CACHE", "BUN_OPTIONS",
	"TS_NODE_*", "PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE", "PERL5LIB", "PERL5OPT",
	"PERLLIB", "RUBYLIB", "RUBYOPT", "GEM_PATH", "GEM_HOME", "CLASSPATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS",
	"JDK_JAVA_OPTIONS", "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "LD_PRELOAD",
	"LD_LIBRARY_PATH", "LD_AUDIT", "LUA_PATH*", "LUA_CPATH*", "BASH_ENV", "ENV", "PATH", "GCONV_PATH",
	"OPENSSL_*" };

bool effective_names_code_relatively(const char *variable)
{
	for (size_t i = 0; i < ARRAY_LEN(code_variables); i++)
		if (glob_match(code_variables[i], variable, strlen(variable)))
			return true;
	return false;
}

struct steering {
	const struct paths *p;
	struct effective *e;
	const struct fs_grants *g;
	const char *what;  /* "the variable NODE_OPTIONS" */
	const char *where; /* who set it */
	bool relative;	   /* words that are no absolute path are below the working directory */
	bool files;	   /* only regular files are code: a directory is data */
};

static bool server_writes(const struct steering *s, const char *path)
{
	return writable_at(s->g, path) || (s->e->profile.home == HOME_PRIVATE && fs_path_within(path, s->p->home));
}

static bool is_code_word(const struct steering *s, const char *word)
{
	struct stat st;

	if (*word == '/')
		return !s->files || (stat(word, &st) == 0 && S_ISREG(st.st_mode));
	return s->relative && *word != '-' && word[strspn(word, "0123456789")] != '\0';
}

/* The value is bound, not what lies at the places that it names: where the server may write those, it chooses its own
 * code. */
static int add_steered(const struct steering *s, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save = NULL;

	for (char *word = copy ? strtok_r(copy, EFFECTIVE_CODE_SEPARATORS, &save) : NULL; word;
		word = strtok_r(NULL, EFFECTIVE_CODE_SEPARATORS, &save)) {
		while (word[0] == '/' && word[1] == '/')
			word++;
		const char *place = *word == '/' ? word : s->e->plan.cwd;
		if (!is_code_word(s, word) || !server_writes(s, place))
			continue;
		s->e->never_remember = true;
		return effective_add_fact(s->e, LINE_NOTE, DANGER_OWN_CODE, s->where,
			"%s names code at '%s', where the server may write: this answer is not remembered", s->what,
			word);
	}
	return copy ? 0 : -ENOMEM;
}

/* NAME, or NAME=VALUE. */
static int add_steering_variable(
	const struct paths *p, struct effective *e, const struct fs_grants *g, const struct profile_item *v)
{
	_cleanup_free_ char *name = strndup(v->value, strcspn(v->value, "="));
	const char *value = name ? strv_env_get(&e->plan.envp, name) : NULL;
	char what[300];
	struct steering s = { .p = p, .e = e, .g = g, .what = what, .where = v->where };

	if (!name)
		return -ENOMEM;
	if (!value || !danger_is_loader_variable(name))
		return 0;
	s.relative = effective_names_code_relatively(name);
	snprintf(what, sizeof(what), "the variable %.250s", name);
	return add_steered(&s, value);
}

/* What variables, and the words of a shell or of an inline program, name. */
static int add_steering(const struct paths *p, struct effective *e, const struct fs_grants *g)
{
	const struct profile *f = &e->profile;
	struct steering inlined = { .p = p, .e = e, .g = g, .what = "the program in the command", .files = true };
	_cleanup_free_ char *command = NULL;
	int r = places_words(&f->places, "command", &command);

	inlined.where = command;
	for (size_t i = 0; r == 0 && i < f->env_set.n; i++)
		r = add_steering_variable(p, e, g, &f->env_set.v[i]);
	for (size_t i = 0; r == 0 && i < f->env_pass.n; i++)
		r = add_steering_variable(p, e, g, &f->env_pass.v[i]);
	for (size_t i = 1; r == 0 && (danger_of_command(&e->cmd.argv) & DANGER_SHELL) && i < e->cmd.argv.n; i++)
		r = add_steered(&inlined, e->cmd.argv.v[i]);
	return r;
}

/* A link that the command goes through and that the server can replace: the next start is another program. */
static int add_writable_links(struct effective *e, const struct fs_grants *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->cmd.symlinks.n; i++) {
		const char *row = e->cmd.symlinks.v[i];
		_cleanup_free_ char *link = strndup(row, strcspn(row, "\t"));
		if (!link)
			return -ENOMEM;
		if (!writable_at(g, link))
			continue;
		e->never_remember = true;
		r = effective_add_value(e, LINE_NOTE, DANGER_OWN_CODE, "command",
			"the command goes through the link %s, which the server may replace: this answer is not "
			"remembered",
			link);
	}
	return r;
}

static int add_code(const struct paths *p, struct effective *e, const struct fs_grants *g)
{
	int r;

	for (size_t i = 0; i < e->cmd.n_trees; i++) {
		const struct code_tree *t = &e->cmd.trees[i];
		const struct fs_grant *over = fs_grants_writable_over(g, t->path);
		r = effective_add_line(e, LINE_CODE, over ? DANGER_OWN_CODE : 0, t->role, "%s", t->path);
		if (r < 0)
			return r;
		if (over)
			e->never_remember = true;
	}
	r = add_writable_links(e, g);
	if (r == 0)
		r = add_code_of_cwd(p, e, g);
	if (r == 0)
		r = add_steering(p, e, g);
	if (r < 0)
		return r;
	return e->profile.cwd.where ? effective_add_line(e, LINE_CWD, 0, e->profile.cwd.where, "%s", e->plan.cwd)
				    : effective_add_value(e, LINE_CWD, 0, "cwd", "%s", e->plan.cwd);
}

static int add_grant(const struct paths *p, struct effective *e, const struct fs_grant *x)
{
	unsigned danger = danger_of_path(p, x->canonical);
	enum effective_kind kind = x->write ? LINE_WRITE : LINE_READ;

	if (strcmp(x->given, x->canonical) == 0)
		return effective_add_line(e, kind, danger, x->where, "%s", x->canonical);
	return effective_add_line(e, kind, danger, x->where, "%s (through the link %s)", x->canonical, x->given);
}

/* The same path given twice is one grant. */
static bool is_again(const struct fs_grants *g, size_t at)
{
	const struct fs_grant *x = &g->v[at];

	for (size_t i = 0; i < at; i++)
		if (g->v[i].write == x->write && strcmp(g->v[i].canonical, x->canonical) == 0 &&
			strcmp(g->v[i].given, x->given) == 0)
			return true;
	return false;
}

static int add_protection(struct effective *e, size_t n)
{
	static const char what[] = "what your own tools execute (.git/hooks, .vscode and the like)";

	if (n == 0)
		return effective_add_value(e, LINE_PROTECT, 0, "filesystem.protect",
			"on: nothing of %s is there now; what comes is reported", what);
	return effective_add_value(e, LINE_PROTECT, 0, "filesystem.protect", "on: %zu path%s of %s stay%s read-only", n,
		n == 1 ? "" : "s", what, n == 1 ? "s" : "");
}

static int add_files(const struct paths *p, struct effective *e, const struct fs_grants *g)
{
	const struct profile *f = &e->profile;
	char size[EFFECTIVE_SIZE_WORDS];
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++)
		r = is_again(g, i) ? 0 : add_grant(p, e, &g->v[i]);
	if (r == 0 && f->fs_write.n > 0 && f->protect)
		r = add_protection(e, g->protected_paths.n);
	if (r == 0 && f->fs_write.n > 0 && !f->protect)
		r = effective_add_value(e, LINE_PROTECT, 0, "filesystem.protect",
			"off: the server may write .git/hooks, .vscode and the like, which your own tools then "
			"execute");
	for (size_t i = 0; r == 0 && i < f->fs_deny.n; i++)
		r = effective_add_line(e, LINE_DENY, 0, f->fs_deny.v[i].where, "%s", f->fs_deny.v[i].value);
	if (r == 0)
		r = effective_add_value(e, LINE_HOME, 0, "filesystem.home", "%s",
			f->home == HOME_PRIVATE ? "private: kept for this server alone"
						: "empty, forgotten at the end");
	return r < 0 ? r
		     : effective_add_value(
			       e, LINE_TMP, 0, "filesystem.tmp", "%s of /tmp", effective_size_words(f->tmp_size, size));
}

/* A PATH that leads nowhere makes nobody run anything: the directory is in no sandbox (hier(7) has it empty at best).
 */
static bool finds_nothing(const char *setting)
{
	return strcmp(setting, "PATH=/var/empty") == 0;
}

static int add_environment(struct effective *e)
{
	const struct profile *f = &e->profile;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->env_set.n; i++) {
		char name[256];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(f->env_set.v[i].value, "="), f->env_set.v[i].value);
		r = effective_add_line(e, LINE_ENV_SET,
			finds_nothing(f->env_set.v[i].value) ? 0 : danger_of_variable(name), f->env_set.v[i].where,
			"%s", f->env_set.v[i].value);
	}
	for (size_t i = 0; r == 0 && i < f->env_pass.n; i++)
		r = effective_add_line(e, LINE_ENV_PASS, danger_of_variable(f->env_pass.v[i].value),
			f->env_pass.v[i].where, "%s", f->env_pass.v[i].value);
	return r;
}

/* The rules on one sort of names, and the keys that they are from. */
struct ruled {
	enum effective_kind kind;
	const struct shim_rules *rules;
	const char *allow, *deny;
};

/* What is so of a name that no rule is about. */
static int add_rest(struct effective *e, const struct ruled *x, const char *where, const char *text)
{
	return where ? effective_add_line(e, x->kind, 0, where, "%s", text)
		     : effective_add_value(e, x->kind, 0, x->allow, "%s", text);
}

static int add_list(struct effective *e, const struct ruled *x, const struct shim_rules *r, const char *whose)
{
	int n = 0;

	for (size_t i = 0; n == 0 && i < r->n; i++)
		n = effective_add_line(e, x->kind, 0, r->rules[i].where, "%s%s %s", whose,
			r->rules[i].allow ? "allow" : "deny", r->rules[i].glob);
	return n;
}

/* What must let a name through besides. */
static int add_ceilings(struct effective *e, const struct ruled *x)
{
	const char *deny = policy_ceiling(&e->policy.ceilings, x->deny);
	int r = 0;

	for (const struct shim_rules *c = x->rules->ceiling; r == 0 && c; c = c->ceiling) {
		r = add_list(e, x, c, "policy: ");
		if (r == 0)
			r = add_rest(e, x, c->otherwise ? c->otherwise : deny,
				c->restricted ? "policy: every other one is denied"
					      : "policy: every other one is allowed");
	}
	return r;
}

static int add_rules(struct effective *e, const struct ruled *x)
{
	const struct shim_rules *rules = x->rules;
	int r = add_list(e, x, rules, "");

	if (r == 0 && !rules->restricted && rules->n == 0)
		r = add_rest(e, x, rules->otherwise,
			rules->ceiling ? "all that the server offers and the policy lets through"
				       : "all that the server offers");
	else if (r == 0)
		r = add_rest(e, x, rules->otherwise,
			rules->restricted ? "every other one is denied" : "every other one is allowed");
	return r < 0 ? r : add_ceilings(e, x);
}

int effective_argument_words(const struct shim_argument_rule *rule, char **ret)
{
	int n = rule->schema ? asprintf(ret, "arguments of %s must fit %s", rule->glob, rule->schema)
			     : asprintf(ret, "arguments of %s: none that its own schema does not name", rule->glob);

	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

static int add_arguments(struct effective *e, const struct shim_arguments *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		_cleanup_free_ char *words = NULL;
		r = effective_argument_words(&a->rules[i], &words);
		if (r == 0)
			r = effective_add_line(e, LINE_TOOLS, 0, a->rules[i].where, "%s", words);
	}
	return r == 0 && a->strict ? effective_add_line(e, LINE_TOOLS, 0, a->strict, "%s", EFFECTIVE_STRICT_WORDS) : r;
}

#define PINNED "pinned: %zu definitions stay as they were approved, what is new or changed is withheld (digest %.16s)"

/* What the rules let through is still in the server's own words. */
int effective_pins_line(struct effective *e)
{
	const char *own = e->profile.pins ? NULL : e->pins.file;

	if (!e->pinned)
		return effective_add_value(e, LINE_TOOLS, 0, "pins",
			"not pinned: what the server says of its tools may change at any time ('stockade pin')");
	if (own)
		return effective_add_fact(e, LINE_TOOLS, 0, own, PINNED, e->pins.definitions.n, e->pins.digest);
	return effective_add_value(e, LINE_TOOLS, 0, "pins", PINNED, e->pins.definitions.n, e->pins.digest);
}

enum { MEMBERS_SHOWN = 8, MEMBERS_MAX = 1024 };

/* "private_key, client_secret"; empty: nothing in the value is taken by itself. */
static int put_members(const char *name, const char *value, struct buf *b)
{
	_cleanup_strv_ struct strv members = { 0 };
	int r = secret_values_members(name, value, &members);

	for (size_t i = 0; r == 0 && i < members.n && i <= MEMBERS_SHOWN; i++)
		r = buf_printf(b, "%s%s", i ? ", " : "", i == MEMBERS_SHOWN ? "others" : members.v[i]);
	if (r < 0)
		buf_clear(b);
	return r == -ENOMEM ? r : 0; /* names that are longer than any key's: what is taken is taken all the same */
}

static int add_secret(struct effective *e, const char *name, const char *where)
{
	const char *value = strv_env_get(&e->plan.envp, name);
	enum secret_verdict verdict = secret_values_judge(name, value);
	_cleanup_buf_ struct buf b = BUF_INIT(MEMBERS_MAX);
	int r = value ? put_members(name, value, &b) : 0;
	const char *members = b.len ? b.data : "";

	if (r < 0 || verdict == SECRET_ABSENT)
		return r;
	if (verdict == SECRET_TAKEN)
		return effective_add_line(e, LINE_TEXT, 0, where, "the value of %s,%s%s%s in whatever the server says",
			name, *members ? " and " : "", members, *members ? " in it," : "");
	return effective_add_line(e, LINE_TEXT, 0, where, "the value of %s is NOT %s%s%s%s", name,
		secret_values_words(verdict), *members ? "; " : "", members, *members ? " in it are taken out" : "");
}

/* What is taken out of the text that passes, or is not. */
static int add_text_walls(struct effective *e)
{
	const struct shim_text *t = &e->profile.text;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < SHIM_SET_COUNT; i++)
		if (t->sets >> i & 1)
			r = effective_add_value(e, LINE_TEXT, 0, "tools.redact", "%s, both ways", shim_set_words(i));
	for (size_t i = 0; r == 0 && i < t->n_patterns; i++)
		r = effective_add_value(e, LINE_TEXT, 0, "tools.redact", "what fits the pattern '%s', both ways: %s",
			t->patterns[i].name, t->patterns[i].pattern);
	if (r == 0 && t->pass)
		r = effective_add_value(e, LINE_TEXT, 0, "tools.text",
			"NOT escape sequences and invisible characters: they reach the model");
	return r;
}

/* Of the variables those whose values are. */
static int add_secrets(struct effective *e)
{
	const struct profile *f = &e->profile;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->env_pass.n; i++)
		r = add_secret(e, f->env_pass.v[i].value, f->env_pass.v[i].where);
	for (size_t i = 0; r == 0 && i < f->env_set.n; i++) {
		_cleanup_free_ char *name = strndup(f->env_set.v[i].value, strcspn(f->env_set.v[i].value, "="));
		if (!name)
			return -ENOMEM;
		if (danger_of_variable(name) & DANGER_SECRET)
			r = add_secret(e, name, f->env_set.v[i].where);
	}
	return r;
}

int effective_protocol_walls(struct effective *e)
{
	int r = effective_scopes_lines(e);

	if (r == 0)
		r = effective_meters_tools(e);
	return r < 0 ? r : add_text_walls(e);
}

static int add_roots(struct effective *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->shim.roots.n; i++) {
		const struct strv before = { .v = e->shim.roots.v, .n = i };
		if (!strv_contains(&before, e->shim.roots.v[i]))
			r = effective_add_value(e, LINE_CLIENT, 0, "client.roots",
				"roots may name %s (roots replace a server's own list)", e->shim.roots.v[i]);
	}
	return r;
}

static int add_protocol(struct effective *e)
{
	const struct profile *f = &e->profile;
	const struct ruled tools = { LINE_TOOLS, &f->tools, "tools.allow", "tools.deny" },
			   others[] = { { LINE_RESOURCES, &f->resources, "resources.allow", "resources.deny" },
				   { LINE_PROMPTS, &f->prompts, "prompts.allow", "prompts.deny" },
				   { LINE_EXTENSIONS, &f->extensions, "extensions.allow", "extensions.deny" } };
	int r = add_rules(e, &tools);

	if (r == 0)
		r = observe_lines(e);
	if (r == 0 && f->scan_withhold)
		r = effective_add_line(e, LINE_TOOLS, 0, f->scan_withhold,
			"withheld, and prompts as well: where a scan finds orders, hidden text or false names");
	if (r == 0)
		r = effective_protocol_walls(e);
	if (r == 0)
		r = add_arguments(e, &f->arguments);
	if (r == 0)
		r = effective_pins_line(e);
	/* Without a rule: no extension, which is no grant. */
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(others); i++)
		r = others[i].rules == &f->extensions && f->extensions.n == 0 ? 0 : add_rules(e, &others[i]);
	if (r == 0)
		r = effective_client_lines(e);
	if (r == 0)
		r = add_roots(e);
	return r < 0 ? r : add_secrets(e);
}

const char *effective_audit_words(enum shim_args a)
{
	return a == SHIM_ARGS_FULL ? "in full" : a == SHIM_ARGS_HASH ? "names and salted hashes" : "names only";
}

static int add_messages(struct effective *e)
{
	const struct profile *f = &e->profile;
	char size[EFFECTIVE_SIZE_WORDS];
	int r = 0;

	if (f->limit_message_client)
		r = effective_add_value(e, LINE_LIMIT, 0, "limits.message_client", "%s a message of the client",
			effective_size_words(f->limit_message_client, size));
	if (r == 0 && f->limit_message_server)
		r = effective_add_value(e, LINE_LIMIT, 0, "limits.message_server", "%s a message of the server",
			effective_size_words(f->limit_message_server, size));
	return r;
}

int effective_add_walls(struct effective *e)
{
	const struct profile *f = &e->profile;
	char size[EFFECTIVE_SIZE_WORDS];
	int r = effective_network_lines(e);

	for (size_t i = 0; r == 0 && i < f->unix_sockets.n; i++)
		r = effective_add_line(
			e, LINE_UNIX, DANGER_UNIX, f->unix_sockets.v[i].where, "%s", f->unix_sockets.v[i].value);
	if (r == 0 && profile_opens_unix(f))
		r = effective_add_value(e, LINE_UNIX, DANGER_UNIX, f->unix_sockets.n ? "ipc.unix" : "seccomp",
			"it can connect to any unix socket below any granted directory, read-only or not");
	if (r == 0)
		r = effective_add_value(e, LINE_SECCOMP, 0, "seccomp", "%s", f->seccomp);
	if (r == 0)
		r = effective_add_value(e, LINE_LIMIT, 0, "limits.processes limits.files limits.message",
			"%llu processes and threads, %llu open files, %s a message",
			(unsigned long long)f->limit_processes, (unsigned long long)f->limit_files,
			effective_size_words(f->limit_message, size));
	if (r == 0)
		r = add_messages(e);
	if (r == 0)
		r = effective_meters_walls(e);
	if (r == 0 && e->policy.audit.collector)
		r = effective_add_line(
			e, LINE_AUDIT, 0, e->policy.audit.where, "records go to the machine's collector");
	if (r == 0)
		r = effective_add_value(e, LINE_AUDIT, 0, "audit.arguments", "arguments of calls: %s",
			effective_audit_words(f->audit_args));
	if (r == 0 && f->delete_after && e->policy.audit.collector)
		r = effective_add_value(e, LINE_AUDIT, 0, "audit.delete_after",
			"audit.delete_after %s is written into each record; how long the collector keeps them is "
			"policy's",
			f->delete_after);
	else if (r == 0 && f->delete_after)
		r = effective_add_value(e, LINE_AUDIT, 0, "audit.delete_after",
			"the log of a session is removed %s after its end (audit.delete_after), or when policy says, "
			"where that is later",
			f->delete_after);
	return r;
}

int effective_add_landlock(struct effective *e, int abi)
{
	int r = 0;

	for (int missing = abi + 1; r == 0 && abi > 0 && missing <= LANDLOCK_ABI_KNOWN; missing++)
		r = effective_add_fact(e, LINE_NOTE, 0, EFFECTIVE_THIS_MACHINE,
			"this kernel's Landlock (ABI %d) lacks what ABI %d brought: %s; the other walls stand alone "
			"there",
			abi, missing, landlock_brought(missing));
	return r;
}

static int add_notes(struct effective *e)
{
	int r = signing_add_lines(e);

	for (size_t i = 0; r == 0 && i < e->profile.not_enforced.n; i++)
		r = effective_add_fact(e, LINE_NOTE, 0, EFFECTIVE_THIS_VERSION, "%s", e->profile.not_enforced.v[i]);
	if (r == 0 && e->others_cut)
		r = effective_add_fact(e, LINE_NOTE, 0, EFFECTIVE_THIS_MACHINE,
			"the other servers' pins name more tools than the scan keeps this one from imitating (%d, %d "
			"KiB together): of each a share",
			SHIM_OTHERS_MAX, SHIM_OTHERS_BYTES_MAX >> 10);
	return r;
}

int effective_add_lines(const struct paths *p, struct effective *e, const struct fs_grants *g)
{
	int r = add_command(e);

	if (r == 0)
		r = add_code(p, e, g);
	if (r == 0)
		r = add_files(p, e, g);
	if (r == 0)
		r = add_environment(e);
	if (r == 0)
		r = effective_add_walls(e);
	if (r == 0)
		r = add_protocol(e);
	/* Not in the digest: another kernel is recorded, not asked about. */
	if (r == 0)
		r = effective_add_landlock(e, landlock_abi());
	return r < 0 ? r : add_notes(e);
}
