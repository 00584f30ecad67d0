// SPDX-License-Identifier: BSD-2-Clause
// Does in headless Firefox, by WebDriver BiDi, what stands on stdin as JSON, and tells on stdout
// what came of it: node fox.js FIREFOX < {"page": OPTIONS, "steps": [[STEP, ARGUMENT], ...]}
// The steps are those of the same names in act.js; of the options of the page it knows the size.
'use strict';

const fs = require('fs');
const puppeteer = require('puppeteer-core');

const PATIENCE_MS = 60000; // with a machine that is busy with other things
const KEYS = { Space: ' ' };

const pause = (ms) => new Promise((go) => setTimeout(go, ms));
const selectorOf = (text) => text.replace(/^text=(.*)$/, '::-p-text($1)');

async function until(page, expression) {
	const end = Date.now() + PATIENCE_MS;

	while (!await page.evaluate(`(async () => Boolean(await (${expression})))()`)) {
		if (Date.now() > end) {
			const text = await page.evaluate('document.body.innerText');
			throw new Error(`never true: ${expression}\n${text}`);
		}
		await pause(50);
	}
}

async function press(page, keys) {
	const [key, ...modifiers] = keys.split('+').reverse();

	for (const modifier of modifiers)
		await page.keyboard.down(modifier);
	await page.keyboard.press(KEYS[key] ?? key);
	for (const modifier of modifiers)
		await page.keyboard.up(modifier);
}

const STEPS = {
	open: (page, url) => page.goto(url, { waitUntil: 'load' }).then(() => page.url()),
	evaluate: (page, expression) => page.evaluate(expression),
	until,
	press,
	reload: (page) => page.reload({ waitUntil: 'load' }).then(() => page.url()),
	shot: (page, path) => page.screenshot({ path, fullPage: true }).then(() => path),
	push: (page, selector) => page.locator(selectorOf(selector)).click(),
	async files(page, [selector, ...paths]) {
		const input = await page.$(selector);
		await input.uploadFile(...paths);
	},
	async pick(page, [key, ...paths]) {
		const [chooser] = await Promise.all([page.waitForFileChooser(), press(page, key)]);
		await chooser.accept(paths);
	},
};

async function act(page, steps) {
	const seen = { results: [], dialogs: [], console: [] };

	page.on('dialog', (d) => {
		seen.dialogs.push(d.message());
		// To dismiss this one would be to stay.
		d.type() === 'beforeunload' ? d.accept() : d.dismiss();
	});
	page.on('console', (m) => {
		if (m.type() === 'error' || m.type() === 'warn')
			seen.console.push(m.text());
	});
	page.on('pageerror', (e) => seen.console.push(String(e)));
	for (const [name, argument] of steps)
		seen.results.push(await STEPS[name](page, argument) ?? null);
	return seen;
}

async function main(executablePath) {
	const { page: { viewport }, steps } = JSON.parse(fs.readFileSync(0, 'utf8'));
	const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });

	try {
		const page = await browser.newPage();
		page.setDefaultTimeout(PATIENCE_MS);
		await page.setViewport(viewport);
		console.log(JSON.stringify(await act(page, steps)));
	} finally {
		await browser.close();
	}
}

main(...process.argv.slice(2)).catch((e) => {
	console.error(e);
	process.exit(1);
});
