/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_internal - what the files of resolve share; nobody else includes it
 *
 * Process:  supervisor
 *
 *   resolve.c         the order: find, look through, follow the shebangs, read the arguments, gather
 *   resolve_find.c    words to files: PATH, links, what is missing and where it may be
 *   resolve_shim.c    shims of version managers, looked through without running them; resolve_mise.c one of them
 *   resolve_script.c  shebang lines and the words of env(1)
 *   resolve_elf.c     loader and library directories of an ELF program
 *   resolve_args.c    which arguments of an interpreter are code
 *   resolve_tree.c    from a file to the tree that it needs; resolve_node.c, resolve_python.c, resolve_module.c the
 *                     layouts of Node and Python
 */
#pragma once
#include "base/buf.h"
#include "base/text.h"
#include "supervisor/resolve.h"

enum { RESOLVE_LINKS_MAX = 40, RESOLVE_TEXT_MAX = 1 << 20, RESOLVE_SHOWN = 512, RESOLVE_PATH_DIRS_MAX = 256 };

/* A foreign string made safe, for the rest of the block. */
#define SHOWN(s) text_escape_str((s), (char[RESOLVE_SHOWN]){ 0 }, RESOLVE_SHOWN)

enum family {
	FAMILY_NONE,
	FAMILY_NODE,
	FAMILY_PYTHON,
	FAMILY_JAVA,
	FAMILY_DENO,
	FAMILY_BUN,
	FAMILY_DOTNET,
	FAMILY_OTHER
};

struct resolve {
	const struct paths *p;
	const char *cwd;
	struct strv dirs;   /* PATH: the absolute directories, as given */
	struct strv stands; /* "SHIMDIR\tREALDIR": what a directory of shims is replaced with inside */
	struct strv links;  /* "LINK\tTEXT": links that must exist inside unless something mounted holds them */
	struct strv bins;   /* directories of the native programs found, for the end of PATH */
	struct strv
		by_path; /* trees of the base view that were seen to be root's alone: known by their path, not added */
	bool class_path; /* java: one was given, so that the working directory is none */
	bool no_system_site; /* a virtual environment that does not see the packages of its base */
	bool safe_path;	     /* python -I or -P: modules are not looked for in the working directory */
	struct resolved *ret;
	struct diag *d;
};

struct found {
	char *path; /* what execve gets: canonical, except a venv's python, which is known by its own place */
	char *real; /* the file itself */
	bool shim;  /* a version manager's shim was looked through */
};
void found_done(struct found *f);
#define _cleanup_found_ _cleanup_(found_done)

/* --- resolve_find.c --- */
/* Canonical path; every link crossed is added to links when that is not NULL. -ELOOP past RESOLVE_LINKS_MAX. */
int resolve_walk(const char *path, char **ret, struct strv *links) _must_check_;
/* The word as a shell-less exec would find it; record: the path as written must exist inside. */
int resolve_find(struct resolve *c, const char *word, bool record, struct found *ret) _must_check_;
/* First executable NAME in PATH, or behind what stands for a directory; except: a directory to pass over, or NULL. */
int resolve_lookup(struct resolve *c, const char *name, const char *except, char **ret) _must_check_;
/* Absolute, relative to cwd; ".." stays for resolve_walk. */
int resolve_absolute(const struct resolve *c, const char *word, char **ret) _must_check_;
bool resolve_is_executable(const char *path);
/* The program of that name of a tool that a version manager has installed: root/installs/TOOL/VERSION/PLACE/name, of
 * the n places the first. *ret is the heap path; 1, 0: none, -ENOMEM. */
int resolve_installed(const char *root, const char *tool, const char *version, const char *name,
	const char *const *places, size_t n, char **ret) _must_check_;
bool resolve_is_dir(const char *path);
bool resolve_is_file(const char *path);
/* A small regular file whole; -EFBIG past RESOLVE_TEXT_MAX. */
int resolve_read(const char *path, struct buf *b) _must_check_;
/* "dir/name" formatted on the heap; NULL: out of memory. */
char *resolve_join(const char *dir, const char *name);
char *resolve_dirname(const char *path);
const char *resolve_basename(const char *path);
/* VENV for VENV/bin/python, when VENV/pyvenv.cfg exists; else NULL in *ret. */
int resolve_venv_of(const char *path, char **ret) _must_check_;

/* --- resolve_shim.c --- */
/* 0: no shim; 1: *ret is the program behind it; -errno with words: a shim that cannot be looked through. */
int resolve_shim(struct resolve *c, const char *path, const char *real, char **ret) _must_check_;
int resolve_stand(struct resolve *c, const char *shim_dir, const char *real_dir) _must_check_;
/* resolve_mise.c */
int resolve_mise(struct resolve *c, const char *shims, const char *name, char **ret) _must_check_;
/* Calls fn for name in cwd and each directory above it, until fn returns other than 0. */
typedef int resolve_up_fn(struct resolve *c, const char *file, void *arg);
int resolve_upwards(struct resolve *c, const char *name, resolve_up_fn *fn, void *arg) _must_check_;

/* --- resolve_script.c --- */
enum head_kind { HEAD_ELF, HEAD_SCRIPT };
struct head {
	enum head_kind kind;
	char *interpreter; /* HEAD_SCRIPT: as written */
	char *argument;	   /* the rest of the line as the kernel passes it, or NULL */
};
void head_done(struct head *h);
#define _cleanup_head_ _cleanup_(head_done)
int resolve_head(struct resolve *c, const char *file, struct head *ret) _must_check_;
/* Index of the command's word among env's words (words->v[from] is the first after "env"); words->n when there is none.
 * "-S" is split in place. A PATH= assignment replaces the directories that are searched. */
int resolve_env_words(struct resolve *c, struct strv *words, size_t from, size_t *ret) _must_check_;
/* For "#!/usr/bin/env ..." the words of its one argument. */
int resolve_env_shebang(struct resolve *c, const char *file, const char *argument, struct strv *ret) _must_check_;

/* --- resolve_elf.c --- */
/* Refuses foreign machines; adds the loader and library directories outside the base view. */
int resolve_elf(struct resolve *c, const char *file) _must_check_;

/* --- resolve_args.c --- */
enum family resolve_family(const char *name);
/* Reads the words after the interpreter words[at]; adds the trees of those that are code, and sets the subject. */
int resolve_args(struct resolve *c, const struct strv *words, size_t at, const struct found *interpreter) _must_check_;
/* Of a word of python's such as -Es: what it leaves out. How many of its letters take no value. */
size_t resolve_python_flags(struct resolve *c, const char *word);
/* This file is what the server is. */
int resolve_take_subject(struct resolve *c, const char *real) _must_check_;
/* nice, nohup, timeout ...: index of the program they start, or words->n. */
size_t resolve_wrapper(const struct strv *words, size_t at);

/* --- resolve_tree.c --- */
/* Mounted where it is and bound, unless the base view holds it and root alone can write every file of it. */
int resolve_add_tree(struct resolve *c, const char *path, const char *role) _must_check_;
/* Why a directory is too wide or not allowed as code, or NULL. */
const char *resolve_too_wide(const struct resolve *c, const char *path);
int resolve_tree_program(struct resolve *c, const char *real, enum family family) _must_check_;
int resolve_tree_script(struct resolve *c, const char *real, enum family family) _must_check_;
int resolve_tree_file(struct resolve *c, const char *real, const char *role) _must_check_;
int resolve_tree_dir(struct resolve *c, const char *dir, const char *role) _must_check_;
/* A link's place or a directory of PATH: is it there inside? */
bool resolve_is_visible(const struct resolve *c, const char *path);
/* Drops trees within others, classifies the rest, fills symlinks. */
int resolve_trees_finish(struct resolve *c) _must_check_;
/* The nearest directory from dir upwards that holds one of the names and is not too wide; NULL in *ret: none. */
int resolve_nearest(
	const struct resolve *c, const char *dir, const char *const *names, size_t n, char **ret) _must_check_;

/* --- resolve_node.c --- */
/* 1: the file lies in node_modules, and that tree was added; 0: it does not. */
int resolve_node_modules(struct resolve *c, const char *real) _must_check_;
int resolve_node_project(struct resolve *c, const char *real) _must_check_;

/* --- resolve_python.c --- */
/* "3.11" of ".../python3.11", or NULL. */
const char *resolve_python_version(const char *real);
/* 1: the file lies in a virtual environment, added with the interpreter it is based on; 0: it does not. */
int resolve_python_venv(struct resolve *c, const char *path) _must_check_;
int resolve_python_prefix(struct resolve *c, const char *real) _must_check_;
/* The directories outside VENV (or SITE, where there is none) that the *.pth files of SITE name. */
int resolve_python_editable(struct resolve *c, const char *venv, const char *site) _must_check_;
int resolve_python_project(struct resolve *c, const char *real) _must_check_;

/* --- resolve_module.c --- */
/* python -m NAME: where it is, among the working directory, the environment and the user's own packages. */
int resolve_python_module(struct resolve *c, const struct found *interpreter, const char *module) _must_check_;
int resolve_python_user_site(struct resolve *c, const char *interpreter) _must_check_;
