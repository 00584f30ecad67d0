/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partial: create, open, append, save, publish, remove. What goes through a crash is decided
 * in recover().
 */
#include "handler/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/secret.h"

#define FILE_NAME_MAX (PARTIAL_ID_LEN + 8)
#define PART ".part"
#define INFO ".info"
#define INFO_NEW ".new"

struct file_name {
	char s[FILE_NAME_MAX];
};

static struct file_name
name_of(const char *id, const char *ending)
{
	struct file_name n;

	snprintf(n.s, sizeof(n.s), "%.*s%s", PARTIAL_ID_LEN, id, ending);
	return n;
}

static bool
is_id_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

bool
partial_is_id(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_id_byte(s.ptr[i]))
			return false;
	}
	return s.len == PARTIAL_ID_LEN;
}

static int
random_id(char id[PARTIAL_ID_LEN + 1])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char r[PARTIAL_ID_LEN];

	int rc = secret_random(r, sizeof(r));

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < PARTIAL_ID_LEN; i++)
		id[i] = letters[r[i] & 63];
	id[PARTIAL_ID_LEN] = '\0';
	return 0;
}

/* Which start of the system this is; "" where that cannot be read: then every record is taken
 * as one of another start, which loses bytes but never lies. */
static void
read_boot(char boot[PARTIAL_BOOT_MAX])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? fs_pread_full(fd, boot, PARTIAL_BOOT_MAX - 1, 0) : 0;

	boot[n > 0 ? n : 0] = '\0';
	boot[strcspn(boot, " \n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static int
lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

/* --- create --- */

static struct slice
copy_text(char **at, struct slice s)
{
	struct slice copy = slice_make(*at, s.len);

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return copy;
}

static int
copy_record(struct partial *p, const struct partial_record *r)
{
	char *at = p->text = malloc(r->name.len + r->metadata.len + r->location.len +
				    r->conditions.len + 1);

	if (at == NULL)
		return -ENOMEM;
	p->record = *r;
	p->record.name = copy_text(&at, r->name);
	p->record.metadata = copy_text(&at, r->metadata);
	p->record.conditions = copy_text(&at, r->conditions);
	p->record.location = copy_text(&at, r->location);
	read_boot(p->record.boot);
	return 0;
}

static int
create_file(struct partial *p, mode_t mode)
{
	struct stat st;
	int rc = random_id(p->id);

	if (rc < 0)
		return rc;
	p->fd = openat(p->staging, name_of(p->id, PART).s,
		       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (p->fd < 0)
		return -errno;
	/* The umask must not take away what the configuration promises. */
	if (fchmod(p->fd, mode) < 0 || fstat(p->fd, &st) < 0)
		return -errno;
	p->record.device = st.st_dev;
	p->record.inode = st.st_ino;
	return lock(p->fd);
}

int
partial_create(struct partial *p, int staging, const struct partial_record *record,
	       mode_t mode)
{
	int rc;

	*p = (struct partial){ .staging = staging, .fd = -1 };
	rc = copy_record(p, record);
	if (rc == 0)
		rc = create_file(p, mode);
	/* Without a record it would be debris: the caller writes one before it tells the URL. */
	if (rc < 0 && p->fd >= 0)
		unlinkat(staging, name_of(p->id, PART).s, 0);
	return rc;
}

/* --- open --- */

static int
read_record(struct partial *p)
{
	struct file_name name = name_of(p->id, INFO);
	int fd = openat(p->staging, name.s,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;
	int rc;

	if (fd < 0)
		return -errno;
	p->text = malloc(PARTIAL_RECORD_MAX);
	n = p->text != NULL ? fs_pread_full(fd, p->text, PARTIAL_RECORD_MAX, 0) : -ENOMEM;
	close(fd);
	if (n < 0)
		return (int)n;
	p->record_size = (uint64_t)n;
	rc = partial_record_read(p->text, (size_t)n, &p->record);
	if (rc == 0)
		p->acknowledged = p->record.offset;
	return rc;
}

/* 0; -EINVAL: the file is not what the record tells of. */
static int
recover(struct partial *p)
{
	struct stat st;
	char boot[PARTIAL_BOOT_MAX];
	int rc;

	if (fstat(p->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_dev != p->record.device ||
	    st.st_ino != p->record.inode || (uint64_t)st.st_size < p->record.offset)
		return -EINVAL;
	read_boot(boot);
	p->other_boot = boot[0] == '\0' || strcmp(boot, p->record.boot) != 0;
	memcpy(p->record.boot, boot, sizeof(boot));
	p->size = p->other_boot ? p->record.offset : (uint64_t)st.st_size;
	if (p->record.length < p->size)
		p->size = p->record.length;
	if (p->size == (uint64_t)st.st_size)
		return 0;
	rc = partial_cut(p, p->size);
	if (rc == 0)
		p->cut = (uint64_t)st.st_size - p->size;
	return rc;
}

/* The lock is worth something only while the name still leads to what was locked. */
static int
check_name(const struct partial *p)
{
	struct stat named, locked;

	if (fstatat(p->staging, name_of(p->id, PART).s, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fstat(p->fd, &locked) < 0)
		return -errno;
	return named.st_ino == locked.st_ino && named.st_dev == locked.st_dev ? 0
									      : -ENOENT;
}

/* The bytes were published, and only the record is left: nobody can append any more. */
static int
open_complete(struct partial *p)
{
	int rc = read_record(p);

	if (rc == 0 && p->record.complete) {
		p->size = p->record.offset;
		return 0;
	}
	return rc == 0 || rc == -EINVAL ? -ENOENT : rc;
}

int
partial_open(struct partial *p, int staging, struct slice id)
{
	struct stat st;
	int rc;

	*p = (struct partial){ .staging = staging, .fd = -1 };
	if (!partial_is_id(id))
		return -ENOENT;
	memcpy(p->id, id.ptr, PARTIAL_ID_LEN);
	p->fd = openat(staging, name_of(p->id, PART).s, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (p->fd < 0)
		return errno == ENOENT ? open_complete(p) : -errno;
	rc = lock(p->fd);
	if (rc == 0)
		rc = check_name(p);
	if (rc == 0)
		rc = read_record(p);
	if (rc == 0)
		rc = recover(p);
	if (rc != -EINVAL)
		return rc;
	/* The draft, section 4.3: state that is lost deactivates the upload. */
	p->cut = fstat(p->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	partial_remove(p);
	p->lost = true;
	return -ENOENT;
}

void
partial_close(struct partial *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	free(p->text);
	p->text = NULL;
}

/* --- append --- */

int
partial_cut(struct partial *p, uint64_t size)
{
	if (ftruncate(p->fd, (off_t)size) < 0)
		return -errno;
	p->size = size;
	return 0;
}

int
partial_append(struct partial *p, struct slice bytes)
{
	int rc = fs_pwrite_full(p->fd, bytes.ptr, bytes.len, (off_t)p->size);

	if (rc == 0)
		p->size += bytes.len;
	/* What came of it must not pass for the upload's after a crash. */
	else if (partial_cut(p, p->size) < 0)
		partial_remove(p);
	return rc;
}

/* --- save --- */

/* The text, of the heap; NULL: no memory. *len is 0 when it would be too large. */
static char *
make_record(const struct partial *p, size_t *len)
{
	struct partial_record r = p->record;
	char *text = malloc(PARTIAL_RECORD_MAX);

	r.offset = p->size;
	*len = text != NULL ? partial_record_write(&r, text) : 0;
	return text;
}

uint64_t
partial_record_size(const struct partial *p)
{
	size_t n;

	free(make_record(p, &n));
	return n;
}

static int
write_record(struct partial *p, const char *name, bool durable)
{
	size_t n;
	char *text = make_record(p, &n);
	int fd = -1, rc = n > 0 ? 0 : -EMSGSIZE;

	if (text == NULL)
		return -ENOMEM;
	if (rc == 0)
		fd = openat(p->staging, name,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW |
				    O_NONBLOCK,
			    0600);
	if (rc == 0 && fd < 0)
		rc = -errno;
	if (rc == 0)
		rc = fs_write_full(fd, text, n);
	if (rc == 0 && durable && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	free(text);
	if (rc == 0)
		p->record_size = n;
	return rc;
}

int
partial_save(struct partial *p, bool durable)
{
	struct file_name fresh = name_of(p->id, INFO_NEW);
	uint64_t before = p->record_size;
	int rc = 0;

	/* The bytes first: a record must never say more than there is. */
	if (durable && p->fd >= 0 && fdatasync(p->fd) < 0)
		return -errno;
	rc = write_record(p, fresh.s, durable);
	if (rc == 0 &&
	    renameat(p->staging, fresh.s, p->staging, name_of(p->id, INFO).s) < 0)
		rc = -errno;
	if (rc < 0) {
		p->record_size = before;
		unlinkat(p->staging, fresh.s, 0);
		return rc;
	}
	p->acknowledged = p->size;
	return durable ? fs_sync_dir(p->staging) : 0;
}

/* --- the end --- */

struct store_file
partial_file(const struct partial *p)
{
	struct store_file f = {
		.temp = { .fd = p->fd, .dirfd = p->staging },
		.size = p->size,
		.lent = true,
	};

	memcpy(f.temp.name, name_of(p->id, PART).s, FILE_NAME_MAX);
	memcpy(f.lent_name, name_of(p->id, PART).s, FILE_NAME_MAX);
	return f;
}

void
partial_remove(struct partial *p)
{
	/* The record first: what is left by a crash in between is swept as half an upload. */
	unlinkat(p->staging, name_of(p->id, INFO).s, 0);
	unlinkat(p->staging, name_of(p->id, INFO_NEW).s, 0);
	unlinkat(p->staging, name_of(p->id, PART).s, 0);
}
