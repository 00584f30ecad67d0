/* SPDX-License-Identifier: BSD-2-Clause
 *
 * intent: written, held, removed. One line a file:
 *
 *   websrv form 1
 *   file RENAMES REPLACES INODE SIZE SECONDS NANOSECONDS HIDDEN-NAME PATH-IN-BASE64
 *   end
 */
#include "handler/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/number.h"
#include "base/secret.h"

#define FIRST "websrv form 1\n"
#define FILE_KEY "file "
#define LAST "end\n"
#define NAME_MAX_LEN 32
#define TRIES 8

struct intent {
	unsigned refs;
	int fd;      /* locked as long as it is open */
	int staging; /* its own: the site may go before a helper is done */
	char name[NAME_MAX_LEN];
};

/* --- the text --- */

/* Any bytes: a blank or a line end in a name must not become one here. */
static void
add_path(struct buf *text, const char *path)
{
	size_t len = strlen(path);

	if (buf_reserve(text, BASE64_LEN(len)) < 0)
		return;
	text->len += base64_encode(path, len, text->ptr + text->len);
}

int
intent_add(struct buf *text, struct fs_temp *t, const char *path, bool renames,
	   uint64_t replaces)
{
	const char *hidden = fs_temp_reserve(t);
	struct stat st;

	if (hidden == NULL)
		return -EIO;
	if (strlen(path) >= INTENT_PATH_MAX)
		return -ENAMETOOLONG;
	if (fstat(t->fd, &st) < 0)
		return -errno;
	if (text->len == 0)
		buf_add_str(text, FIRST);
	buf_printf(text, FILE_KEY "%d %ju %ju %ju %ju %ld %s ", renames,
		   (uintmax_t)replaces, (uintmax_t)st.st_ino, (uintmax_t)st.st_size,
		   (uintmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, hidden);
	add_path(text, path);
	buf_add_char(text, '\n');
	return text->failed ? -ENOMEM : 0;
}

/* Takes what stands before the next `c` off `rest`. */
static bool
take_until(struct slice *rest, char c, struct slice *out)
{
	size_t n = slice_find(*rest, c);

	*out = slice_make(rest->ptr, n);
	if (n == rest->len)
		return false;
	*rest = slice_from(*rest, n + 1);
	return true;
}

static bool
take_number(struct slice *line, uint64_t max, uint64_t *out)
{
	struct slice word;

	return take_until(line, ' ', &word) && number_dec(word, max, out) == 0;
}

static bool
take_hidden(struct slice *line, char out[FS_TEMP_NAME_MAX])
{
	struct slice word;

	if (!take_until(line, ' ', &word) || word.len >= FS_TEMP_NAME_MAX ||
	    !slice_starts_with(word, SLICE(FS_TEMP_PREFIX)) ||
	    slice_find(word, '/') < word.len)
		return false;
	memcpy(out, word.ptr, word.len);
	out[word.len] = '\0';
	return true;
}

static bool
take_path(struct slice line, char path[INTENT_PATH_MAX])
{
	size_t len;

	if (line.len == 0 || base64_decode(line, path, INTENT_PATH_MAX - 1, &len) != 0)
		return false;
	path[len] = '\0';
	return strlen(path) == len;
}

int
intent_read(struct slice *rest, struct intent_file *f)
{
	uint64_t renames = 0, seconds = 0, nanoseconds = 0;
	struct slice line;

	if (slice_starts_with(*rest, SLICE(FIRST)))
		*rest = slice_from(*rest, sizeof(FIRST) - 1);
	if (slice_eq(*rest, SLICE(LAST)))
		return 0;
	if (!take_until(rest, '\n', &line) || !slice_starts_with(line, SLICE(FILE_KEY)))
		return -EINVAL;
	line = slice_from(line, sizeof(FILE_KEY) - 1);
	if (!take_number(&line, 1, &renames) ||
	    !take_number(&line, UINT64_MAX, &f->replaces) ||
	    !take_number(&line, UINT64_MAX, &f->inode) ||
	    !take_number(&line, INT64_MAX, &f->size) ||
	    !take_number(&line, UINT64_MAX, &seconds) ||
	    !take_number(&line, 999999999, &nanoseconds) ||
	    !take_hidden(&line, f->temp) || !take_path(line, f->path))
		return -EINVAL;
	f->renames = renames != 0;
	f->mtime = (struct timespec){ (time_t)seconds, (long)nanoseconds };
	return 1;
}

/* --- the file --- */

/* Locked and written before it has its name: nobody ever finds one that is not. */
static int
write_text(struct intent *in, const struct buf *text)
{
	struct fs_temp t;
	int rc = fs_temp_open(&t, in->staging, 0600);

	if (rc == 0 && flock(t.fd, LOCK_EX | LOCK_NB) < 0)
		rc = -errno;
	if (rc == 0)
		rc = fs_write_full(t.fd, text->ptr, text->len);
	for (int i = 0; i < TRIES && rc == 0; i++) {
		uint64_t r;

		rc = secret_random(&r, sizeof(r));
		snprintf(in->name, sizeof(in->name), "%016" PRIx64 INTENT_ENDING, r);
		if (rc == 0)
			rc = fs_temp_publish(&t, in->staging, in->name, false, NULL);
		if (rc != -EEXIST)
			break;
		rc = 0;
	}
	if (rc == 0)
		in->fd = t.fd;
	else
		fs_temp_discard(&t);
	return rc;
}

int
intent_new(struct intent **out, int staging, struct buf *text)
{
	struct intent *in = calloc(1, sizeof(*in));
	int rc;

	*out = NULL;
	buf_add_str(text, LAST);
	if (in == NULL || text->failed) {
		free(in);
		return -ENOMEM;
	}
	*in = (struct intent){ .refs = 1, .fd = -1 };
	in->staging = openat(staging, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = in->staging < 0 ? -errno : text->len > INTENT_MAX ? -E2BIG : 0;
	if (rc == 0)
		rc = write_text(in, text);
	if (rc < 0)
		intent_unref(in);
	else
		*out = in;
	return rc;
}

struct intent *
intent_ref(struct intent *in)
{
	in->refs++;
	return in;
}

void
intent_unref(struct intent *in)
{
	if (in == NULL || --in->refs > 0)
		return;
	if (in->fd >= 0)
		close(in->fd);
	if (in->staging >= 0)
		close(in->staging);
	free(in);
}

int
intent_dup(const struct intent *in)
{
	int fd = fcntl(in->fd, F_DUPFD_CLOEXEC, 0);

	return fd >= 0 ? fd : -errno;
}

int
intent_remove(const struct intent *in, bool durable)
{
	if (unlinkat(in->staging, in->name, 0) < 0 && errno != ENOENT)
		return -errno;
	return durable && fsync(in->staging) < 0 ? -errno : 0;
}
