/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file_trace: why a name beneath a root led to nothing. The kernel says it in one number; here
 * the components are looked at one by one, to name the one that is meant. Nothing is decided.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "handler/files.h"

struct where {
	struct slice path; /* as far as it was looked at */
	int error;         /* 0: all of it is there */
	struct stat st;    /* then; or of the last one that is */
};

/* Down to the first component that cannot be reached. */
static struct where
find_obstacle(const struct files *f, const char *path, struct arena *arena)
{
	struct where w = { .path = slice_make(path, 0) };

	if (fstat(f->root.dirfd, &w.st) < 0)
		w.error = errno;
	while (w.error == 0 && w.path.len < strlen(path)) {
		size_t next = w.path.len + strspn(path + w.path.len, "/");
		char *part;
		int fd;

		w.path.len = next + strcspn(path + next, "/");
		part = arena_strdup(arena, w.path);
		fd = part == NULL ? -ENOMEM
				  : fs_open_beneath(f->root.dirfd, part, O_PATH,
						    f->root.symlinks);
		if (fd < 0) {
			w.error = -fd;
			break;
		}
		if (fstat(fd, &w.st) < 0)
			w.error = errno;
		close(fd);
	}
	return w;
}

static void
note_denied(struct exchange *ex, const struct where *w)
{
	if (w->error == 0)
		exchange_note(
			ex, TRACE_FILE,
			"%.*s: permission denied: user %u may not read it (mode %04o, "
			"owner %u)",
			SLICE_ARG(w->path), geteuid(), w->st.st_mode & 07777,
			w->st.st_uid);
	else
		exchange_note(
			ex, TRACE_FILE,
			"%.*s: permission denied: user %u may not enter the directory "
			"above it (mode %04o, owner %u)",
			SLICE_ARG(w->path), geteuid(), w->st.st_mode & 07777,
			w->st.st_uid);
}

static const char *
words_for(const struct files *f, int error, const struct where *w)
{
	switch (error) {
	case ENOENT:
		if (w->error != 0)
			return "is not there";
		return S_ISREG(w->st.st_mode)
			       ? "is of an unfinished upload, which is never served"
			       : "is neither a file nor a directory";
	case ENOTDIR:
		return "is no directory";
	case EXDEV:
		return "a symbolic link leads out of the root";
	case ELOOP:
		return f->root.symlinks == FS_SYMLINKS_REFUSE
			       ? "a symbolic link, and \"symlinks\" is \"refuse\""
			       : "a symbolic link that leads to itself";
	default:
		return strerror(error);
	}
}

void
files_note_failed(struct exchange *ex, const struct files *f, const char *path, int error)
{
	struct where w = find_obstacle(f, path, &ex->trace->arena);

	if (error == -EACCES)
		note_denied(ex, &w);
	else
		exchange_note(ex, TRACE_FILE, "%.*s: %s", SLICE_ARG(w.path),
			      words_for(f, -error, &w));
}

void
files_note_version(struct exchange *ex, const struct files *f, const char *path,
		   const struct file_version *v)
{
	exchange_note(ex, TRACE_FILE, "%s: is there, %llu bytes", path,
		      (unsigned long long)v->size);
	trace_set_file(ex->trace, f->conf->root, path, v->size);
}

void
files_note_coding(struct exchange *ex, const struct files *f, const char *path,
		  const struct file_choice *choice, const struct file_version *sibling)
{
	struct slice name = coding_name(choice->coding);
	struct slice ext = coding_extension(choice->coding);
	const char *other;

	if (choice->encoded) {
		exchange_note(ex, TRACE_ANSWER, "encoded in %.*s while serving",
			      SLICE_ARG(name));
		return;
	}
	other = arena_printf(&ex->trace->arena, "%s%.*s", path, SLICE_ARG(ext));
	if (other == NULL)
		ex->trace->failed = true;
	else
		files_note_version(ex, f, other, sibling);
}
