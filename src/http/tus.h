/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tus: the request fields of tus 1.0.0, a protocol of resumable uploads (https://tus.io). Text
 * only: what an upload is and where it stands is not known here.
 */
#ifndef WEBSRV_HTTP_TUS_H
#define WEBSRV_HTTP_TUS_H

#include "http/digest.h"
#include "http/message.h"

#define TUS_VERSION "1.0.0"
#define TUS_METADATA_MAX 4096 /* bytes of Upload-Metadata */
#define TUS_METADATA_KEYS 32

/* Sentences for the body of a 412 (_NO_VERSION, _OTHER_VERSION) or of a 400. */
#define TUS_ERRORS(X)                                                                    \
	X(OK, "")                                                                        \
	X(NO_VERSION, "The request has no Tus-Resumable.")                               \
	X(OTHER_VERSION, "Tus-Resumable names a version that is not served.")            \
	X(REPEATED, "A field of tus stands in the request twice.")                       \
	X(LENGTH, "Upload-Length is not a number of bytes.")                             \
	X(DEFER, "Upload-Defer-Length is not 1, or there is an Upload-Length too.")      \
	X(OFFSET, "Upload-Offset is not a number of bytes.")                             \
	X(METADATA, "Upload-Metadata is malformed, or too much.")                        \
	X(CHECKSUM, "Upload-Checksum is malformed.")                                     \
	X(ALGORITHM, "Upload-Checksum uses an algorithm that is not served.")            \
	X(CONCAT, "Upload-Concat is not served.")

enum tus_error {
#define X(id, sentence) TUS_##id,
	TUS_ERRORS(X)
#undef X
		TUS_ERROR_COUNT
};

struct tus_request {
	bool has_length, has_offset, has_checksum;
	bool defers_length;
	uint64_t length, offset; /* at most INT64_MAX */
	struct slice metadata;   /* as received, checked; a NULL ptr when there is none */
	enum digest_algorithm algorithm;
	unsigned char checksum[DIGEST_SIZE_MAX]; /* digest_size(algorithm) bytes */
};

/* Does the request speak tus? OPTIONS does so without it. */
bool tus_is_spoken(const struct http_head *head);

/* Everything but the version is judged only when the version is right. */
enum tus_error tus_read(const struct http_head *head, struct tus_request *out)
	__attribute__((warn_unused_result));

/* The method that X-HTTP-Method-Override puts in place of the request's own, which it is when
 * there is no such field. HTTP_METHOD_UNKNOWN: none of ours, or the field comes twice. To be
 * asked before anything is decided by the method. */
enum http_method tus_method(const struct http_head *head);

struct tus_pair {
	struct slice key;
	struct slice value; /* base64, checked; empty when there is none */
};

/* Takes the next pair off `rest`, at first the metadata that tus_read() has passed. False when
 * there are no more. */
bool tus_metadata_next(struct slice *rest, struct tus_pair *p);

/*
 * The value of `key` (case-sensitive), decoded into `out`: 0 with *found, which may be empty
 * and any bytes at all. -ENOENT: no such key; -ERANGE: it is longer than `max`.
 */
int tus_metadata_find(struct slice metadata, struct slice key, char *out, size_t max,
		      struct slice *found) __attribute__((warn_unused_result));

/* A sentence, static; "" for TUS_OK. */
const char *tus_sentence(enum tus_error e);

#endif
