// SPDX-License-Identifier: BSD-2-Clause
// Opens one page in headless Chromium and tells on stdout, as JSON, what came of it:
//     node visit.js CHROMIUM URL [SCREENSHOT]
'use strict';

const { chromium } = require('playwright-core');

const ARGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update'];

async function visit(page, url, picture) {
	const seen = { responses: [], failed: [], console: [] };

	page.on('response', (r) => seen.responses.push({ url: r.url(), status: r.status() }));
	page.on('requestfailed', (r) => seen.failed.push(`${r.url()}: ${r.failure().errorText}`));
	page.on('console', (m) => {
		if (m.type() === 'error' || m.type() === 'warning')
			seen.console.push(m.text());
	});
	page.on('pageerror', (e) => seen.console.push(String(e)));
	await page.goto(url, { waitUntil: 'networkidle' });
	Object.assign(seen, await page.evaluate(() => ({
		title: document.title,
		heading: document.querySelector('h1')?.textContent ?? '',
		styled: getComputedStyle(document.body).fontFamily,
		wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
		links: [...document.querySelectorAll('a[href], link[href]')].map((a) => a.href),
		images: [...document.images].map((i) => ({ url: i.src, width: i.naturalWidth })),
	})));
	if (picture)
		await page.screenshot({ path: picture, fullPage: true });
	return seen;
}

async function main(executablePath, url, picture) {
	const root = process.getuid() === 0 ? ['--no-sandbox'] : [];
	const browser = await chromium.launch({ executablePath, args: [...root, ...ARGS] });

	try {
		const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
		page.setDefaultTimeout(60000);
		console.log(JSON.stringify(await visit(page, url, picture)));
	} finally {
		await browser.close();
	}
}

main(...process.argv.slice(2)).catch((e) => {
	console.error(e);
	process.exit(1);
});
