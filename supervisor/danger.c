/* SPDX-License-Identifier: Apache-2.0 */
/* danger - see danger.h */
#include "supervisor/danger.h"
#include <string.h>
#include <strings.h>
#include "base/fs.h"
#include "base/glob.h"

/* A first word, and the argument that makes it dangerous (NULL: the word alone). */
static const struct {
	const char *program, *argument;
	unsigned danger;
} command_table[] = {
	{ "sudo", NULL, DANGER_SUDO },
	{ "su", NULL, DANGER_SUDO },
	{ "doas", NULL, DANGER_SUDO },
	{ "pkexec", NULL, DANGER_SUDO },
	{ "run0", NULL, DANGER_SUDO },
	{ "sh", "-*c*", DANGER_SHELL },
	{ "bash", "-*c*", DANGER_SHELL },
	{ "dash", "-*c*", DANGER_SHELL },
	{ "zsh", "-*c*", DANGER_SHELL },
	{ "fish", "-*c*", DANGER_SHELL },
	{ "ksh", "-*c*", DANGER_SHELL },
	{ "busybox", "-*c*", DANGER_SHELL },
	{ "node", "-e", DANGER_SHELL },
	{ "node", "--eval*", DANGER_SHELL },
	{ "node", "-p", DANGER_SHELL },
	{ "python*", "-c", DANGER_SHELL },
	{ "perl", "-*e*", DANGER_SHELL },
	{ "ruby", "-*e*", DANGER_SHELL },
	{ "php", "-r", DANGER_SHELL },
	{ "deno", "eval", DANGER_SHELL },
	{ "bun", "-e", DANGER_SHELL },
	{ "rm", "-*r*", DANGER_DESTRUCTIVE },
	{ "dd", "of=*", DANGER_DESTRUCTIVE },
	{ "mkfs*", NULL, DANGER_DESTRUCTIVE },
	{ "shred", NULL, DANGER_DESTRUCTIVE },
};

static const char *base_name(const char *word)
{
	const char *slash = strrchr(word, '/');

	return slash ? slash + 1 : word;
}

static bool matches(const char *pattern, const char *word)
{
	return glob_match(pattern, word, strlen(word));
}

/* Words inside one argument too: sh -c "sudo rm -rf /". */
static unsigned danger_inside(const char *text)
{
	static const struct {
		const char *text;
		unsigned danger;
	} phrases[] = { { "sudo ", DANGER_SUDO }, { "pkexec ", DANGER_SUDO }, { "doas ", DANGER_SUDO },
		{ "rm -r", DANGER_DESTRUCTIVE }, { "rm -f", DANGER_DESTRUCTIVE }, { "mkfs", DANGER_DESTRUCTIVE } };
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (strstr(text, phrases[i].text))
			found |= phrases[i].danger;
	return found;
}

static bool followed_by(const struct strv *c, size_t at, const char *argument)
{
	for (size_t i = at + 1; i < c->n; i++)
		if (matches(argument, c->v[i]))
			return true;
	return false;
}

unsigned danger_of_command(const struct strv *c)
{
	unsigned found = 0;

	for (size_t i = 0; i < c->n; i++) {
		const char *name = base_name(c->v[i]);
		for (size_t j = 0; j < ARRAY_LEN(command_table); j++)
			if (matches(command_table[j].program, name) &&
				(!command_table[j].argument || followed_by(c, i, command_table[j].argument)))
				found |= command_table[j].danger;
		if (strchr(c->v[i], ' '))
			found |= danger_inside(c->v[i]);
	}
	return found;
}

/* Below the home: where keys, tokens and browsers' sessions live. */
static const char *const key_paths[] = {
	".ssh",
	".gnupg",
	".aws",
	".azure",
	".kube",
	".docker",
	".config/gcloud",
	".config/gh",
	".config/hub",
	".netrc",
	".pgpass",
	".git-credentials",
	".npmrc",
	".pypirc",
	".cargo/credentials",
	".cargo/credentials.toml",
	".password-store",
	".mozilla",
	".thunderbird",
	".config/google-chrome",
	".config/chromium",
	".config/BraveSoftware",
	".local/share/keyrings",
	".vault-token",
	".terraform.d",
	".bash_history",
	".zsh_history",
	".config/1Password",
	".bitcoin",
	".ethereum",
	".electrum",
};

static const char *const system_paths[] = { "/etc", "/var", "/sys", "/proc", "/dev", "/boot", "/run", "/root", "/usr",
	"/lib", "/bin", "/sbin", "/opt" };

unsigned danger_of_path(const struct paths *p, const char *path)
{
	unsigned found = 0;
	char full[4096];

	if (fs_path_within(p->home, path))
		found |= DANGER_HOME;
	for (size_t i = 0; i < ARRAY_LEN(key_paths); i++) {
		int n = snprintf(full, sizeof(full), "%s/%s", p->home, key_paths[i]);
		if (n < (int)sizeof(full) && fs_path_within(path, full))
			found |= DANGER_KEYS;
	}
	for (size_t i = 0; i < ARRAY_LEN(system_paths); i++)
		if (fs_path_within(path, system_paths[i]) && !fs_path_within(path, p->home))
			found |= DANGER_SYSTEM;
	return found;
}

/* sandbox.md, point 19: what a dynamic loader or an interpreter obeys before the program's first line. */
static const char *const loader_variables[] = {
	"LD_*",
	"DYLD_*",
	"GCONV_PATH",
	"GLIBC_TUNABLES",
	"MALLOC_*",
	"NODE_OPTIONS",
	"NODE_PATH",
	"NODE_REPL_EXTERNAL_MODULE",
	"NODE_EXTRA_CA_CERTS",
	"NODE_V8_COVERAGE",
	"NODE_COMPILE_CACHE",
	"TS_NODE_*",
	"TSX_*",
	"BUN_*",
	"DENO_*",
	"BASH_ENV",
	"ENV",
	"BASH_FUNC_*",
	"SHELLOPTS",
	"BASHOPTS",
	"PS4",
	"PROMPT_COMMAND",
	"PYTHON*",
	"PERL5LIB",
	"PERL5OPT",
	"PERLLIB",
	"PERL5DB",
	"RUBYOPT",
	"RUBYLIB",
	"JAVA_TOOL_OPTIONS",
	"_JAVA_OPTIONS",
	"JDK_JAVA_OPTIONS",
	"JAVA_OPTS",
	"JAVA_HOME",
	"CLASSPATH",
	"DOTNET_*",
	"COMPlus_*",
	"CORECLR_*",
	"GEM_*",
	"BUNDLE_*",
	"YARN_*",
	"COR_PROFILER*",
	"GODEBUG",
	"LUA_INIT*",
	"LUA_PATH*",
	"LUA_CPATH*",
	"PHPRC",
	"PHP_INI_SCAN_DIR",
	"GIT_*",
	"EDITOR",
	"VISUAL",
	"PAGER",
	"SSH_ASKPASS",
	"IFS",
	"CDPATH",
	"GLOBIGNORE",
	"TERMINFO*",
	"RES_OPTIONS",
	"LOCALDOMAIN",
	"HOSTALIASES",
	"NLSPATH",
	"OPENSSL_CONF",
	"OPENSSL_MODULES",
	"OPENSSL_ENGINES",
	"SSLKEYLOGFILE",
	"npm_config_*",
	"NPM_CONFIG_*",
	"UV_*",
	"PIP_*",
	"PATH",
	"ZDOTDIR",
	"FPATH",
	"MAKEFILES",
	"MAKEFLAGS",
	"R_PROFILE*",
	"R_ENVIRON*",
	"R_LIBS*",
	"R_HOME",
	"JULIA_*",
	"ERL_*",
	"ELIXIR_*",
	"GUILE_*",
	"TCLLIBPATH",
	"TCL_LIBRARY",
	"PSModulePath",
	"RUBYPATH",
	"RUBYSHELL",
	"JRUBY_OPTS",
	"MONO_*",
	"GIO_EXTRA_MODULES",
	"GIO_MODULE_DIR",
	"GTK_PATH",
	"GTK_MODULES",
	"GST_PLUGIN_*",
	"QT_PLUGIN_PATH",
	"LESSOPEN",
	"BROWSER",
	"PLAYWRIGHT_BROWSERS_PATH",
	"PUPPETEER_EXECUTABLE_PATH",
	"CHROME_PATH",
};

bool danger_is_loader_variable(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(loader_variables); i++)
		if (matches(loader_variables[i], name))
			return true;
	return false;
}

unsigned danger_of_variable(const char *name)
{
	static const char *const secret[] = { "TOKEN", "KEY", "SECRET", "PASSW", "CREDENTIAL", "AUTH", "COOKIE", "DSN",
		"CONNECTION_STRING" };
	unsigned found = danger_is_loader_variable(name) ? DANGER_LOADER : 0;

	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		if (strcasestr(name, secret[i]))
			found |= DANGER_SECRET;
	return found;
}
