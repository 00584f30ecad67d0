/* SPDX-License-Identifier: BSD-2-Clause
 *
 * digest_hash: the only file that knows libcrypto, or that it is not there.
 */
#include "http/digest_hash.h"

#include "config.h"

#ifdef HAVE_LIBCRYPTO

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct digest_hash {
	EVP_MD_CTX *ctx;
	bool failed;
};

const char *
digest_hash_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const EVP_MD *
md_of(enum digest_algorithm a)
{
	if (a == DIGEST_SHA_1)
		return EVP_sha1();
	return a == DIGEST_SHA_512 ? EVP_sha512() : EVP_sha256();
}

struct digest_hash *
digest_hash_new(enum digest_algorithm a)
{
	struct digest_hash *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, md_of(a), NULL) != 1) {
		digest_hash_free(h);
		return NULL;
	}
	return h;
}

void
digest_hash_add(struct digest_hash *h, const void *data, size_t len)
{
	if (len != 0 && EVP_DigestUpdate(h->ctx, data, len) != 1)
		h->failed = true;
}

bool
digest_hash_end(struct digest_hash *h, unsigned char *out)
{
	return EVP_DigestFinal_ex(h->ctx, out, NULL) == 1 && !h->failed;
}

void
digest_hash_free(struct digest_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

#else

const char *
digest_hash_library(void)
{
	return NULL;
}

struct digest_hash *
digest_hash_new(enum digest_algorithm a)
{
	(void)a;
	return NULL;
}

void
digest_hash_add(struct digest_hash *h, const void *data, size_t len)
{
	(void)h;
	(void)data;
	(void)len;
}

bool
digest_hash_end(struct digest_hash *h, unsigned char *out)
{
	(void)h;
	(void)out;
	return false;
}

void
digest_hash_free(struct digest_hash *h)
{
	(void)h;
}

#endif
