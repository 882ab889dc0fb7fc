/* SPDX-License-Identifier: Apache-2.0 */
/* question_words - see question_words.h */
#include "supervisor/question_words.h"
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include "base/text.h"

const struct question_danger question_dangers[] = {
	{ DANGER_SUDO, "sudo", "it asks for more rights than yours (sudo, su, doas, pkexec)", false },
	{ DANGER_DESTRUCTIVE, "destructive", "its command line removes or overwrites files", false },
	{ DANGER_SHELL, "shell", "a shell or interpreter runs program text that stands on the command line", false },
	{ DANGER_OWN_CODE, "own-code",
		"it can rewrite its own code, so what is approved now may be other code the next time", false },
	{ DANGER_KEYS, "keys", "keys and passwords are kept there", false },
	{ DANGER_HOME, "home", "that is your whole home directory, or everything", false },
	{ DANGER_SYSTEM, "system", "that is a directory of the system", false },
	{ DANGER_UNIX, "unix", "through unix sockets it can ask programs outside the sandbox to act for it", false },
	{ DANGER_NETWORK, "network", "whatever it can read it can send to machines that nobody named", false },
	{ DANGER_LOCALHOST, "localhost", "programs that listen on this machine alone trust whoever can reach them",
		false },
	{ DANGER_METADATA, "metadata", "whoever asks there is given this machine's own credentials by its cloud",
		false },
	{ DANGER_LOADER, "loader", "this variable makes a loader or interpreter run other code", false },
	{ DANGER_SECRET, "secret", "by its name this is a secret", true },
};
const size_t question_dangers_n = ARRAY_LEN(question_dangers);

const struct question_kind question_kinds[LINE_KIND_COUNT] = {
	[LINE_SIGNED] = { "signed", "signatures" },
	[LINE_COMMAND] = { "command", "command" },
	[LINE_PROGRAM] = { "program", "runs" },
	[LINE_CODE] = { "code", "code" },
	[LINE_CWD] = { "cwd", "starts in" },
	[LINE_READ] = { "read", "may read" },
	[LINE_WRITE] = { "write", "may write" },
	[LINE_PROTECT] = { "protect", "protection" },
	[LINE_DENY] = { "deny", "hidden" },
	[LINE_HOME] = { "home", "home" },
	[LINE_TMP] = { "tmp", "temporary" },
	[LINE_ENV_SET] = { "set", "variable set" },
	[LINE_ENV_PASS] = { "pass", "variable passed" },
	[LINE_NETWORK] = { "network", "network" },
	[LINE_UNIX] = { "unix", "unix sockets" },
	[LINE_SECCOMP] = { "seccomp", "system calls" },
	[LINE_LIMIT] = { "limit", "limits" },
	[LINE_TOOLS] = { "tools", "tools" },
	[LINE_RESOURCES] = { "resources", "resources" },
	[LINE_PROMPTS] = { "prompts", "prompts" },
	[LINE_EXTENSIONS] = { "extensions", "extensions" },
	[LINE_CLIENT] = { "client", "asks the client" },
	[LINE_TEXT] = { "text", "taken out" },
	[LINE_AUDIT] = { "audit", "recorded" },
	[LINE_BASE] = { "base", "in every sandbox" },
	[LINE_NOTE] = { "note", "note" },
	[LINE_CUT] = { "cut", "not granted" },
};
static_assert(LINE_KIND_COUNT == 27, "each kind of line has a name and a label");

/* RFC 3986 unreserved and "%"; a ';', '$' or blank between ':' and '@' is no password but perhaps a command. */
static const char password_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%+=";
static const char user_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%+";

/* Length of what may be shown after "://", when a password of *ret_len bytes follows; 0 when none does. */
static size_t before_password(const char *authority, size_t *ret_len)
{
	size_t user = strspn(authority, user_chars);

	if (authority[user] != ':')
		return 0;
	*ret_len = strspn(authority + user + 1, password_chars);
	return *ret_len > 0 && authority[user + 1 + *ret_len] == '@' ? user + 1 : 0;
}

int question_redact(struct buf *b, const char *text)
{
	for (const char *at; (at = strstr(text, "://"));) {
		size_t len = 0, shown = before_password(at + 3, &len);
		int r = buf_append(b, text, (size_t)(at - text) + 3 + shown);
		if (r < 0)
			return r;
		text = at + 3 + (shown ? shown + len : 0);
		r = shown ? buf_puts(b, "***") : 0;
		if (r < 0)
			return r;
	}
	return buf_puts(b, text);
}

char *question_shown(const char *text)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(QUESTION_TEXT_MAX), shown = BUF_INIT(QUESTION_TEXT_MAX);

	if (question_redact(&plain, text) < 0 || text_escape(&shown, plain.data, plain.len, 0) < 0)
		return NULL;
	return buf_steal(&shown);
}

json_t *question_shown_json(const char *text)
{
	_cleanup_free_ char *s = text ? question_shown(text) : NULL;

	return !text ? json_null() : s ? json_string(s) : NULL;
}

/* Two places, or one and the rule that cut it. Who wrote such words into a name is shown with all of them. */
static bool is_compound(const char *where)
{
	return strstr(where, "), cut by ") || strstr(where, "); ");
}

/* Does a place in that profile begin here? Then the length of its name and the colon. */
static size_t is_in(const char *profile, const char *at)
{
	size_t n = profile ? strlen(profile) : 0;

	return n && strncmp(at, profile, n) == 0 && at[n] == ':' && isdigit((unsigned char)at[n + 1]) ? n + 1 : 0;
}

static int put_origin(struct buf *b, const char *profile, const char *where)
{
	static const char begins[] = "the default (";
	size_t n = strlen(where), skip = is_in(profile, where), begin = sizeof(begins) - 1;
	int r = 0;

	if (!is_compound(where) && strncmp(where, begins, begin) == 0 && where[n - 1] == ')')
		return buf_printf(b, "the default: %.*s", (int)(n - begin - 1), where + begin);
	if (!is_compound(where) && skip)
		return buf_printf(b, "line %.*s", (int)strspn(where + skip, "0123456789"), where + skip);
	while (r == 0 && *where) {
		skip = is_in(profile, where);
		r = skip ? buf_puts(b, "line ") : buf_putc(b, *where);
		where += skip ? skip : 1;
	}
	return r;
}

char *question_origin(const char *profile, const char *where)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);

	return put_origin(&b, profile, where) < 0 ? NULL : b.len ? buf_steal(&b) : strdup("");
}

char *question_command(const struct strv *argv)
{
	_cleanup_buf_ struct buf shown = BUF_INIT(QUESTION_TEXT_MAX);

	for (size_t i = 0; i < argv->n; i++) {
		_cleanup_buf_ struct buf word = BUF_INIT(QUESTION_TEXT_MAX);
		if ((i > 0 && buf_putc(&shown, ' ') < 0) || question_redact(&word, argv->v[i]) < 0 ||
			text_quote_shell(&shown, word.data) < 0)
			return NULL;
	}
	return argv->n ? buf_steal(&shown) : strdup("");
}
