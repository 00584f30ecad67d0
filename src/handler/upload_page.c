/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upload_page: upload_page.html, put into the program by upload_page.sh when it is built, which
 * also computes the hashes: a page that is edited cannot be out of step with its policy.
 */
#include "handler/upload_page.h"
#include "handler/upload_page_data.h"

static const char html[] = { UPLOAD_PAGE_HTML };

static const char csp[] = "default-src 'none'; script-src " UPLOAD_PAGE_SCRIPT_HASH
			  "; style-src " UPLOAD_PAGE_STYLE_HASH
			  "; connect-src 'self'; img-src 'self'; form-action 'self'"
			  "; base-uri 'none'; frame-ancestors 'none'"
			  "; require-trusted-types-for 'script'";

struct slice
upload_page_html(void)
{
	return slice_make(html, sizeof(html));
}

struct slice
upload_page_csp(void)
{
	return slice_make(csp, sizeof(csp) - 1);
}
