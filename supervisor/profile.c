/* SPDX-License-Identifier: Apache-2.0 */
/* profile - see profile.h; the parser is profile_keys.c and its setters, the expansion profile_expand.c */
#include "supervisor/profile.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/network.h"
#include "supervisor/profile_parse.h"
#include "supervisor/signing/vouch.h"

#define SUFFIX	    ".json"
#define MANAGED_DIR "/etc/stockade"

enum { PROCESSES_DEFAULT = 256, FILES_DEFAULT = 1024, NAMES_MAX = 256 };
#define TMP_DEFAULT ((uint64_t)256 << 20)

static const char *const not_enforced[] = {
	"memory and CPU time are not limited: this version sets up no cgroup",
};

/* What a file can say besides, and what it does not bring about. */
static const char package_info[] = "package names what the profile was written for; what is installed is not compared "
				   "with it, and the approval binds the code by its content";

int profile_defaults(struct profile *p)
{
	int r = 0;

	*p = (struct profile){ .places.table = &profile_keys,
		.protect = true,
		.home = HOME_EMPTY,
		.tmp_size = TMP_DEFAULT,
		.seccomp = strdup("default"),
		.limit_processes = PROCESSES_DEFAULT,
		.limit_files = FILES_DEFAULT,
		.limit_message = SHIM_LINE_DEFAULT,
		.audit_args = SHIM_ARGS_KEYS };
	p->network.limits = net_limits_default();
	p->extensions.restricted = true;
	p->extensions.otherwise = strdup("the default (extensions.allow names none)");
	if (!p->seccomp || !p->extensions.otherwise || profile_meters_defaults(&p->meters) < 0 ||
		profile_client_defaults(&p->client) < 0)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(not_enforced); i++)
		r = strv_add(&p->not_enforced, not_enforced[i]);
	return r;
}

int profile_init_unprofiled(struct profile *ret)
{
	int r = profile_defaults(ret);

	if (r < 0)
		profile_done(ret);
	return r;
}

static int check_required(const struct parse *ps)
{
	static const char *const required[] = { "stockade", "name", "command" };

	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (!json_object_get(ps->file.root, required[i]))
			return diag_fail(ps->d, -EINVAL,
				"%s: has no \"%s\"; a profile needs \"stockade\": 1, \"name\" and \"command\"",
				ps->file.name, required[i]);
	if (!ps->profile->command.n || !ps->profile->command.v[0].value[0])
		return diag_fail(ps->d, -EINVAL, "%s:%u: command names no program", ps->file.name,
			json_file_key_line(&ps->file, ps->file.root, "command"));
	return 0;
}

static int check_package(const struct parse *ps)
{
	if (json_object_get(ps->file.root, "package") && !ps->profile->package_name)
		return diag_fail(ps->d, -EINVAL, "%s:%u: package has neither \"npm\" nor \"pypi\"", ps->file.name,
			json_file_key_line(&ps->file, ps->file.root, "package"));
	return 0;
}

/* One name, two meanings: which of them won would be a matter of our code. */
static int check_env(const struct profile *p, struct diag *d)
{
	for (size_t i = 0; i < p->env_set.n; i++)
		for (size_t j = 0; j < p->env_pass.n; j++) {
			const char *set = p->env_set.v[i].value, *pass = p->env_pass.v[j].value;

			if (!strncmp(set, pass, strlen(pass)) && set[strlen(pass)] == '=')
				return diag_fail(d, -EINVAL, "%s: %s is set by %s as well; keep one",
					p->env_pass.v[j].where, pass, p->env_set.v[i].where);
		}
	return 0;
}

static int check_file_name(const struct parse *ps, const char *expected)
{
	char shown[PROFILE_SHOWN_MAX];

	if (!expected || !strcmp(ps->profile->name, expected))
		return 0;
	return diag_fail(ps->d, -EINVAL,
		"%s:%u: the profile calls itself \"%s\", but its file is \"%s" SUFFIX
		"\"; approvals go by the name, so the two must agree",
		ps->file.name, json_file_key_line(&ps->file, ps->file.root, "name"), ps->profile->name,
		text_escape_str(expected, shown, sizeof(shown)));
}

static int note_not_enforced(struct profile *p)
{
	int r = 0;

	if (p->package_name)
		r = strv_add(&p->not_enforced, package_info);
	return r;
}

/* The format's number first: in another format every other message would be wrong. */
static int parse_document(struct parse *ps)
{
	const json_t *format = json_object_get(ps->file.root, "stockade");

	if (!json_is_object(ps->file.root))
		return diag_fail(ps->d, -EINVAL, "%s:1: a profile is a JSON object, not %s", ps->file.name,
			json_file_type(ps->file.root));
	if (json_is_integer(format)) {
		const struct key k = { .parse = ps,
			.shown = "stockade",
			.v = format,
			.line = json_file_key_line(&ps->file, ps->file.root, "stockade") };
		int r = key_set_format(&k);

		if (r < 0)
			return r;
	}
	return key_walk(ps, "", "", ps->file.root, ps->profile);
}

int profile_parse(
	const char *file, const char *bytes, size_t n, const char *expected, struct profile *ret, struct diag *d)
{
	_cleanup_profile_ struct profile p = { 0 };
	char shown[2 * PROFILE_SHOWN_MAX];
	struct parse ps = { .table = &profile_keys, .profile = &p, .places = &p.places, .d = d };
	int r;

	diag_set(d, "%s", strerror(ENOMEM)); /* whatever else fails says so itself */
	r = profile_defaults(&p);
	if (r == 0)
		r = json_file_parse(text_escape_str(file, shown, sizeof(shown)), bytes, n, &ps.file, d);
	if (r == 0)
		r = parse_document(&ps);
	if (r == 0)
		r = check_required(&ps);
	if (r == 0)
		r = profile_scopes_check(&p, d);
	if (r == 0)
		r = check_package(&ps);
	if (r == 0)
		r = check_file_name(&ps, expected);
	json_file_done(&ps.file);
	if (r == 0)
		r = check_env(&p, d);
	if (r == 0)
		r = network_check(&p.network, d);
	if (r == 0)
		r = profile_check_references(&p, d);
	if (r == 0)
		r = note_not_enforced(&p);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct profile){ 0 };
	return 0;
}

struct source {
	const char *path, *name; /* name: that the file's own name demands */
	enum fs_trust trust;
};

/* Of root's own those that lie where profiles do: what is kept in another directory of root's waits, or was withdrawn.
 */
static bool in_force(const char *path)
{
	static const char dir[] = MANAGED_DIR "/profiles/";

	return strncmp(path, dir, strlen(dir)) == 0 && !strchr(path + strlen(dir), '/');
}

/* Profiles that come with stockade are root's where it was installed by root, and the user's in a home. */
static int read_file(struct vouching *v, const struct source *from, struct profile *f, struct buf *b, struct diag *d)
{
	bool shipped =
		fs_path_within(from->path, "/usr/share/stockade") || fs_path_within(from->path, STOCKADE_DATADIR);
	struct vouching_file file = {
		.path = from->path, .server = from->name, .trust = FS_TRUST_ROOT, .max = PROFILE_BYTES_MAX
	};
	int r = -EPERM;

	if (from->trust == FS_TRUST_ROOT || shipped)
		r = vouching_read(v, &file, &f->vouched, b, d);
	f->managed = r == 0 && (shipped || in_force(from->path));
	if (r != -EPERM || from->trust == FS_TRUST_ROOT)
		return r;
	file.trust = from->trust;
	return vouching_read(v, &file, &f->vouched, b, d);
}

/* What was verified, and no other bytes, is parsed. */
static int parse_file(struct vouching *v, const struct source *from, struct profile *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROFILE_BYTES_MAX);
	_cleanup_profile_ struct profile read = { 0 };
	int r = read_file(v, from, &read, &b, d);

	if (r == 0)
		r = profile_parse(from->path, b.data ? b.data : "", b.len, from->name, ret, d);
	if (r < 0)
		return r;
	ret->managed = read.managed;
	ret->vouched = read.vouched;
	read.vouched = (struct vouched){ 0 };
	ret->file = strdup(from->path);
	return ret->file ? 0 : -ENOMEM;
}

static int load_file(struct vouching *v, const char *path, enum fs_trust trust, struct profile *ret, struct diag *d)
{
	_cleanup_profile_ struct profile f = { 0 };
	_cleanup_free_ char *name = NULL;
	const char *base = strrchr(path, '/');
	int r;

	base = base ? base + 1 : path;
	name = strndup(base, strlen(base) - strlen(SUFFIX));
	r = name ? parse_file(v, &(struct source){ path, name, trust }, &f, d) : -ENOMEM;
	if (r == 0)
		r = revocations_check(&v->by.revoked, f.name, f.version, d);
	if (r < 0)
		return r;
	*ret = f;
	f = (struct profile){ 0 };
	return 0;
}

/* What the bundle has of that name is managed. -ENOENT: nothing. */
static int load_bundled(struct vouching *v, const char *name, struct profile *ret, struct diag *d)
{
	const struct bundle_file *in = bundle_profile(&v->bundle, name);
	_cleanup_profile_ struct profile f = { 0 };
	_cleanup_(vouched_done) struct vouched vouched = { 0 };
	int r = in ? vouching_take(v, in, name, &vouched, d) : -ENOENT;

	if (r == 0)
		r = profile_parse(in->where, in->verified.bytes.data ? in->verified.bytes.data : "",
			in->verified.bytes.len, name, &f, d);
	if (r == 0)
		r = revocations_check(&v->by.revoked, f.name, f.version, d);
	if (r < 0)
		return r;
	f.managed = f.bundled = true;
	f.vouched = vouched;
	vouched = (struct vouched){ 0 };
	f.file = strdup(in->where);
	if (!f.file)
		return -ENOMEM;
	*ret = f;
	f = (struct profile){ 0 };
	return 0;
}

static enum fs_trust trust_of(const char *path)
{
	return fs_path_within(path, MANAGED_DIR) ? FS_TRUST_ROOT : FS_TRUST_USER;
}

int profile_pins_path(const struct profile *p, char **ret, enum fs_trust *ret_trust)
{
	const char *slash = p->file ? strrchr(p->file, '/') : NULL;

	if (!p->pins || !slash)
		return -EINVAL;
	*ret_trust = trust_of(p->file);
	return asprintf(ret, "%.*s/%s", (int)(slash - p->file), p->file, p->pins) < 0 ? -ENOMEM : 0;
}

static bool has_suffix(const char *path)
{
	size_t n = strlen(path), m = strlen(SUFFIX);

	return n > m && !strcmp(path + n - m, SUFFIX) && path[n - m - 1] != '/';
}

static int refuse_bundled(const struct vouching *v, const char *path, struct diag *d)
{
	const char *base = strrchr(path, '/') + 1;
	_cleanup_free_ char *name = strndup(base, strlen(base) - strlen(SUFFIX));
	const struct bundle_file *in = name ? bundle_profile(&v->bundle, name) : NULL;
	char shown[PROFILE_SHOWN_MAX];

	if (!in)
		return name ? 0 : -ENOMEM;
	return diag_fail(d, -EPERM,
		"%s is not used: there is a managed profile of that name, %s, and under %s no other file stands in for "
		"it",
		text_escape_str(path, shown, sizeof(shown)), in->where, v->policy->file);
}

/* Under a policy a managed profile is the one of its name: an older one of it, or another that its keys signed, is not
 * brought in by its path, wherever below /etc/stockade it was left. */
static int refuse_shadow(const struct vouching *v, const char *path, struct diag *d)
{
	_cleanup_free_ char *managed = NULL;
	char shown[PROFILE_SHOWN_MAX];
	int n;

	if (!v->policy->file)
		return 0;
	n = asprintf(&managed, MANAGED_DIR "/profiles/%s", strrchr(path, '/') + 1);
	if (n < 0) {
		managed = NULL;
		return -ENOMEM;
	}
	if (strcmp(path, managed) == 0)
		return 0;
	if (access(managed, F_OK) < 0 && errno == ENOENT)
		return refuse_bundled(v, path, d);
	return diag_fail(d, -EPERM,
		"%s is not used: there is a managed profile of that name, %s, and under %s no other file stands in for "
		"it",
		text_escape_str(path, shown, sizeof(shown)), managed, v->policy->file);
}

static int load_path(struct vouching *v, const char *given, struct profile *ret, struct diag *d)
{
	_cleanup_free_ char *path = realpath(given, NULL);
	char shown[PROFILE_SHOWN_MAX];
	int r;

	text_escape_str(given, shown, sizeof(shown));
	if (!path)
		return diag_fail(d, -errno, "the profile %s cannot be opened: %s", shown, strerror(errno));
	if (!has_suffix(path))
		return diag_fail(d, -EINVAL, "the profile %s must have a name that ends in " SUFFIX, shown);
	r = refuse_shadow(v, path, d);
	return r < 0 ? r : load_file(v, path, trust_of(path), ret, d);
}

/* Names of all profiles there are, for "did you mean". */
static void collect_names(const char *dir, struct strv *names)
{
	_cleanup_closedir_ DIR *dp = opendir(dir);
	const struct dirent *e;

	while (dp && (e = readdir(dp)) && names->n < NAMES_MAX)
		if (e->d_name[0] != '.' && has_suffix(e->d_name) &&
			strv_addf(names, "%.*s", (int)(strlen(e->d_name) - strlen(SUFFIX)), e->d_name) < 0)
			return;
}

static int refuse_absent(const struct vouching *v, const char *name, struct diag *d)
{
	const struct paths *p = v->paths;
	_cleanup_buf_ struct buf dirs = BUF_INIT(DIAG_MAX);
	_cleanup_strv_ struct strv names = { 0 };
	char near_shown[PROFILE_SHOWN_MAX];
	const char *near;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->profile_dirs.n; i++) {
		collect_names(p->profile_dirs.v[i], &names);
		r = buf_printf(&dirs, "%s%s", i ? ", " : "", p->profile_dirs.v[i]);
		if (r == 0 && i == 0 && v->bundle.file)
			r = buf_printf(&dirs, ", %s", v->bundle.file);
	}
	for (size_t i = 0; i < v->bundle.n_profiles && names.n < NAMES_MAX; i++)
		if (strv_add(&names, v->bundle.profiles[i].name) < 0)
			break;
	near = text_nearest(name, (const char *const *)names.v, names.n);
	if (near)
		return diag_fail(d, -ENOENT, "there is no profile '%s' (looked in %s); did you mean '%s'?", name,
			r < 0 ? "" : dirs.data, text_escape_str(near, near_shown, sizeof(near_shown)));
	if (has_suffix(name))
		return diag_fail(d, -ENOENT,
			"there is no profile '%s': a profile is named without '.json', and a file needs a '/' in it, "
			"such as "
			"./%s",
			name, name);
	return diag_fail(d, -ENOENT,
		"there is no profile '%s' (looked in %s); 'stockade check' lists those that there are. Write one "
		"there, or "
		"name a command without a profile: -- COMMAND",
		name, r < 0 ? "" : dirs.data);
}

static int refuse_name(const char *name, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX];

	return diag_fail(d, -EINVAL,
		"'%s' is no profile's name: those are made of a-z, 0-9, '.', '_' and '-'; for a file write its path "
		"with a '/' in it",
		text_escape_str(name, shown, sizeof(shown)));
}

/* A file that is there and cannot be read or believed denies: the next directory is not tried. */
static int load_name(struct vouching *v, const char *name, struct profile *ret, struct diag *d)
{
	const struct paths *p = v->paths;

	for (size_t i = 0; i < p->profile_dirs.n; i++) {
		_cleanup_free_ char *path = NULL;
		int r;

		if (asprintf(&path, "%s/%s" SUFFIX, p->profile_dirs.v[i], name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = load_file(v, path, trust_of(path), ret, d);
		/* Behind what lies on this machine by itself, before what stockade brings and what a user has. */
		if ((r == -ENOENT || r == -ENOTDIR) && i == 0)
			r = load_bundled(v, name, ret, d);
		if (r != -ENOENT && r != -ENOTDIR)
			return r;
	}
	return refuse_absent(v, name, d);
}

int profile_load(struct vouching *v, const char *name_or_file, struct profile *ret, struct diag *d)
{
	diag_set(d, "%s", strerror(ENOMEM)); /* whatever else fails says so itself */
	if (strchr(name_or_file, '/'))
		return load_path(v, name_or_file, ret, d);
	if (!profile_name_valid(name_or_file))
		return refuse_name(name_or_file, d);
	return load_name(v, name_or_file, ret, d);
}

static void items_done(struct profile_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		free(items->v[i].value);
		free(items->v[i].where);
	}
	free(items->v);
}

static void params_done(struct profile *p)
{
	for (size_t i = 0; i < p->n_params; i++) {
		struct profile_param *param = &p->params[i];

		free(param->name);
		free(param->where);
		strv_done(&param->fallback);
		strv_done(&param->within);
		strv_done(&param->choices);
		strv_done(&param->values);
	}
	free(p->params);
}

bool profile_opens_unix(const struct profile *p)
{
	return p->unix_sockets.n > 0 || strcmp(p->seccomp, "browser") == 0;
}

void profile_done(struct profile *p)
{
	struct profile_items *const items[] = { &p->command, &p->env_set, &p->env_pass, &p->fs_read, &p->fs_write,
		&p->fs_deny, &p->net_hosts, &p->unix_sockets, &p->roots, &p->allow_scopes, &p->grant_scopes };
	struct shim_rules *const rules[] = { &p->tools, &p->resources, &p->prompts, &p->extensions };
	char *const strings[] = { p->file, p->name, p->description, p->owner, p->reviewed, p->expires,
		p->classification, p->package_kind, p->package_name, p->package_version, p->package_integrity,
		p->cwd.value, p->cwd.where, p->seccomp, p->delete_after, p->scan_withhold, p->pins, p->publish_where };

	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		items_done(items[i]);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		shim_rules_done(rules[i]);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		free(strings[i]);
	vouched_done(&p->vouched);
	profile_code_done(p);
	params_done(p);
	net_config_done(&p->network);
	shim_arguments_done(&p->arguments);
	shim_text_done(&p->text);
	strv_done(&p->not_enforced);
	meters_done(&p->meters);
	shim_client_done(&p->client);
	scopes_done(&p->scopes);
	places_done(&p->places);
	*p = (struct profile){ 0 };
}
