// SPDX-License-Identifier: BSD-2-Clause
// Does in headless Chromium what stands on stdin, as JSON, and tells on stdout what came of it:
//     node act.js CHROMIUM < {"page": CONTEXT-OPTIONS, "steps": [[STEP, ARGUMENT], ...]}
// Steps: open URL, save URL (that is downloaded instead of shown: the name that it gets), click
// SELECTOR (of a link, and wait for where it leads), back, shot FILE, choose [SELECTOR, FILES]
// (of an input), evaluate EXPRESSION (whose value, which may be a promise, is the result of the
// step), until EXPRESSION (evaluated again and again until it is true), reload, press KEY, push
// SELECTOR (a click that leads nowhere), files [SELECTOR, PATH...] (chosen), pick [KEY, PATH...]
// (in the dialog that the key opens), drop PATHS (in the middle of the window), clock (before the
// page is opened: its time can be advanced), pass MS (so much of it, at once).
'use strict';

const fs = require('fs');
const { chromium } = require('playwright-core');

const PATIENCE_MS = 60000; // with a machine that is busy with other things
const ARGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update'];

// Not page.waitForFunction(), which a Content-Security-Policy may forbid.
async function until(page, expression) {
	const end = Date.now() + PATIENCE_MS;

	for (;;) {
		const value = await page.evaluate(expression);
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`never true: ${expression}\n${await page.innerText('body')}`);
		await new Promise((go) => setTimeout(go, 50));
	}
}

const STEPS = {
	open: (page, url) => page.goto(url, { waitUntil: 'load' }).then(() => page.url()),
	async save(page, url) {
		const [download] = await Promise.all([page.waitForEvent('download'),
			page.goto(url).catch(() => null)]);
		return download.suggestedFilename();
	},
	async click(page, selector) {
		await Promise.all([page.waitForNavigation({ waitUntil: 'load' }),
			page.touch ? page.tap(selector) : page.click(selector)]);
		return page.url();
	},
	back: (page) => page.goBack({ waitUntil: 'load' }).then(() => page.url()),
	shot: (page, path) => page.screenshot({ path, fullPage: true }).then(() => path),
	choose: (page, [selector, files]) => page.setInputFiles(selector, files),
	evaluate: (page, expression) => page.evaluate(expression),
	until,
	reload: (page) => page.reload({ waitUntil: 'load' }).then(() => page.url()),
	press: (page, key) => page.keyboard.press(key),
	push: (page, selector) => page.touch ? page.tap(selector) : page.click(selector),
	files: (page, [selector, ...paths]) => page.setInputFiles(selector, paths),
	async pick(page, [key, ...paths]) {
		const choosers = [];
		page.on('filechooser', (chooser) => choosers.push(chooser));
		// A browser that is just being drawn on loses keys now and then.
		for (let tries = 0; tries < 5 && choosers.length === 0; tries++) {
			await page.keyboard.press(key);
			await new Promise((go) => setTimeout(go, 1000));
		}
		await choosers[0].setFiles(paths);
	},
	clock: (page) => page.clock.install(),
	pass: (page, ms) => page.clock.fastForward(ms),
	async drop(page, files) {
		const { width, height } = page.viewportSize();
		const session = await page.context().newCDPSession(page);
		for (const type of ['dragEnter', 'dragOver', 'drop']) {
			await session.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2,
				data: { items: [], files, dragOperationsMask: 1 } });
		}
	},
};

async function act(page, steps) {
	const seen = { results: [], responses: [], dialogs: [], console: [] };

	page.on('response', (r) => seen.responses.push({
		url: r.url(), status: r.status(), range: r.headers()['content-range'] ?? null,
		asked: r.request().headers()['range'] ?? null,
	}));
	page.on('dialog', (d) => {
		seen.dialogs.push(d.message());
		// To dismiss this one would be to stay.
		d.type() === 'beforeunload' ? d.accept() : d.dismiss();
	});
	page.on('console', (m) => {
		if (m.type() === 'error' || m.type() === 'warning')
			seen.console.push(m.text());
	});
	page.on('pageerror', (e) => seen.console.push(String(e)));
	for (const [name, argument] of steps)
		seen.results.push(await STEPS[name](page, argument) ?? null);
	return seen;
}

async function main(executablePath) {
	const { page: options, steps } = JSON.parse(fs.readFileSync(0, 'utf8'));
	const root = process.getuid() === 0 ? ['--no-sandbox'] : [];
	const browser = await chromium.launch({ executablePath, args: [...root, ...ARGS] });

	try {
		const context = await browser.newContext(options);
		const page = await context.newPage();
		page.touch = options.hasTouch;
		page.setDefaultTimeout(PATIENCE_MS);
		console.log(JSON.stringify(await act(page, steps)));
	} finally {
		await browser.close();
	}
}

main(...process.argv.slice(2)).catch((e) => {
	console.error(e);
	process.exit(1);
});
