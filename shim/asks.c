/* SPDX-License-Identifier: Apache-2.0 */
/* asks - see asks.h */
#include "shim/asks.h"
#include <string.h>
#include "shim/answers.h"
#include "shim/fold.h"

enum { ASKS_TEXT_MAX = 64 << 10 };

/* In the name, the title or the description of a field. */
static const char *const of_fields[] = { "password", "passwd", "passphrase", "passcode", "secret", "token", "api key",
	"apikey", "api_key", "api-key", "credential", "private key", "private_key", "privatekey", "private-key",
	"access key", "access_key", "accesskey", "card number", "card_number", "cardnumber", "credit card",
	"credit_card", "creditcard", "cvv", "cvc", "social security", "seed phrase" };
/* In the words above a form, where "token" alone may be anything. */
static const char *const of_messages[] = { "password", "passphrase", "passcode", "api key", "apikey", "secret key",
	"access token", "auth token", "private key", "access key", "credential", "card number", "credit card", "cvv",
	"seed phrase" };

static bool has_word(struct slice text, const char *const *words, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT(ASKS_TEXT_MAX), plain = BUF_INIT(ASKS_TEXT_MAX);

	if (!text.n)
		return false;
	/* What is too long to look at is no question for a person. */
	if (walk_text(&plain, text) < 0 || fold_append(&b, plain.data, plain.len) < 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (memmem(b.data, b.len, words[i], strlen(words[i])))
			return true;
	return false;
}

#define HAS_WORD(text, words) has_word(text, words, ARRAY_LEN(words))

/* A number or a choice of yes and no holds no secret, whatever it is called. */
static bool is_for_secret(struct slice key, struct slice field)
{
	struct slice type = walk_string(walk_get(field, "type"));

	if (slice_is(type, "boolean") || slice_is(type, "integer") || slice_is(type, "number"))
		return false;
	return slice_is(walk_string(walk_get(field, "format")), "password") || HAS_WORD(key, of_fields) ||
	       HAS_WORD(walk_string(walk_get(field, "title")), of_fields) ||
	       HAS_WORD(walk_string(walk_get(field, "description")), of_fields);
}

static bool wants_secret(struct slice params)
{
	struct walk w = walk_object(walk_get(walk_get(params, "requestedSchema"), "properties"));
	struct slice key, field;

	while (walk_member(&w, &key, &field))
		if (is_for_secret(key, field))
			return true;
	return HAS_WORD(walk_string(walk_get(params, "message")), of_messages);
}

static int deny(struct decision *d, const char *rule, const char *reason)
{
	d->verdict = POLICY_DENY;
	d->rule = rule;
	d->reason = reason;
	return 0;
}

int asks_judge(const struct method *method, struct slice params, struct decision *d)
{
	struct slice url = walk_string(walk_get(params, "url"));
	bool by_url = slice_is(walk_string(walk_get(params, "mode")), "url");

	if (d->verdict != POLICY_ALLOW || method->gate != GATE_ELICITATION || !method->request)
		return 0;
	if (by_url && (url.n < 8 || memcmp(url.p, "https://", 8) != 0))
		return deny(d, "the rule that a person is only sent to https addresses", "its url is none");
	if (!by_url && wants_secret(params))
		return deny(d, "the rule that forms never ask for secrets",
			"a field or the message asks for a password, a key, a token or a card");
	return 0;
}

/* Copies up to the words, then says whose they are. */
static int put_name(struct shim *s, struct slice message, const char **from, bool *changed)
{
	_cleanup_buf_ struct buf name = BUF_INIT(SHIM_ANSWER_MAX);
	int r;

	if (!message.p)
		return 0;
	if (!*changed)
		buf_clear(&s->edited);
	*changed = true;
	r = buf_append(&s->edited, *from, (size_t)(message.p - *from));
	*from = message.p;
	if (r == 0)
		r = answers_put_string(&name, s->config.name, strlen(s->config.name));
	if (r == 0)
		r = buf_puts(&s->edited, "The server '");
	if (r == 0)
		r = buf_append(&s->edited, name.data + 1, name.len - 2);
	return r ? r : buf_puts(&s->edited, "' asks: ");
}

static int put_rest(struct shim *s, const char *from)
{
	return buf_append(&s->edited, from, (size_t)(s->doc.out.data + s->doc.out.len - from));
}

int asks_name(struct shim *s, const struct method *method, struct slice params, bool *ret_changed)
{
	const char *from = s->doc.out.data;
	int r = 0;

	*ret_changed = false;
	if (method && method->request && method->gate == GATE_ELICITATION)
		r = put_name(s, walk_string(walk_get(params, "message")), &from, ret_changed);
	return r || !*ret_changed ? r : put_rest(s, from);
}

int asks_name_all(struct shim *s, struct slice requests, bool *ret_changed)
{
	struct walk w = walk_object(requests);
	const char *from = s->doc.out.data;
	struct slice key, value;
	int r = 0;

	*ret_changed = false;
	while (r == 0 && walk_member(&w, &key, &value))
		if (slice_is(walk_string(walk_get(value, "method")), "elicitation/create"))
			r = put_name(
				s, walk_string(walk_get(walk_get(value, "params"), "message")), &from, ret_changed);
	return r || !*ret_changed ? r : put_rest(s, from);
}
