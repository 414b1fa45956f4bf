// A browser and how a state of the page is looked at: axe finds nothing, nothing is wider than the screen, no other host.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"] });
export const LOOKS = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 375, height: 812 }, colorScheme: "light", isMobile: true, hasTouch: true },
  { name: "phone-dark", viewport: { width: 375, height: 812 }, colorScheme: "dark", isMobile: true, hasTouch: true },
];
const FIRST_PAINT = 120_000;
let states = 0;
let pictures;

/** Where pictures go; none: nowhere. */
export function drawTo(place) { pictures = place; }
export const counted = () => states;
export const ok = (name) => console.log(`ok ${name}`);

/** A page at this address of the server at `url`; `wrong` has what must not happen. */
export async function open(look, url, path = "") {
  const context = await browser.newContext({ ...look, acceptDownloads: true, bypassCSP: false });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  Object.assign(page, { wrong: [], look: look.name });
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.wrong.push(line.text()); });
  page.on("dialog", (dialog) => { page.wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(url) && !request.url().startsWith("blob:")) page.wrong.push(`asked elsewhere: ${request.url()}`); });
  await page.goto(url + path);
  return page;
}

/** The state is looked at, and its picture is kept where pictures are wanted. */
export async function seen(page, name) {
  states += 1;
  if (pictures) await page.screenshot({ path: `${pictures}/${page.look}-${name}.png`, fullPage: true });
  const cdp = await page.context().newCDPSession(page);
  const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", { expression: `${axe};0`, returnByValue: true }).catch((error) => ({ exceptionDetails: error }));
  assert.ok(!exceptionDetails && result, JSON.stringify(exceptionDetails));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`), [], `${page.look} ${name}`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${page.look} ${name}: wider than the screen`);
}

/** How many bytes of our own came until the first screen stands: page, scripts and style. */
export async function weighed(look, url) {
  const context = await browser.newContext(look);
  const page = await context.newPage();
  let bytes = 0;
  const elsewhere = [];
  page.on("response", async (answer) => { if (/\.(js|css|svg|html)$|\/$/.test(new URL(answer.url()).pathname)) bytes += (await answer.body()).length; });
  page.on("request", (request) => { if (!request.url().startsWith(url)) elsewhere.push(request.url()); });
  await page.goto(url, { waitUntil: "networkidle" });
  await context.close();
  assert.deepEqual(elsewhere, [], "no request to another host");
  assert.ok(bytes > 1000 && bytes <= FIRST_PAINT, `the first screen takes ${bytes} bytes`);
  return bytes;
}

/** Answers the questions from `from` to `to` by keyboard alone. */
export async function answer(page, from, to, words = (step) => `answer ${step}`) {
  for (let step = from; step <= to; step++) {
    await page.waitForSelector(`#form label:has-text("${step} of 7")`);
    assert.equal(await page.evaluate(() => document.activeElement.id), "answer");
    await page.keyboard.type(words(step));
    await page.keyboard.press("Enter");
  }
}
