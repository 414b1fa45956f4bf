// Drives the page in headless Chromium against `serve --offline` (or the example serve_offline):
//   make page, which installs what is missing; by hand: node page.mjs http://127.0.0.1:8080/ [directory for pictures]
// Seven answers, six files, downloads, lost responses, gateways. What the sample answers cannot play is in flows.mjs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const [address, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-background-networking"] });
const looks = [
  { name: "desktop", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "phone", viewport: { width: 375, height: 812 }, colorScheme: "dark", isMobile: true, hasTouch: true },
];
const FILES = ["backend_service.py", "api_routes.py", "database_schema.sql", "config.yaml", "requirements.txt", "README.md"];

async function open(look) {
  const context = await browser.newContext({ ...look, acceptDownloads: true });
  const page = await context.newPage();
  page.wrong = [];
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.wrong.push(line.text()); });
  page.on("dialog", (dialog) => { page.wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  return page;
}

const shot = async (page, name) => { if (pictures) await page.screenshot({ path: `${pictures}/serve-${name}.png`, fullPage: true }); };

for (const look of looks) {
  const page = await open(look);
  await page.goto(address);
  await page.waitForSelector("text=only these samples exist here");
  await shot(page, `${look.name}-1-home`);
  await page.click("#new");
  for (let step = 1; step <= 7; step++) {
    await page.waitForSelector(`#form label:has-text("${step} of 7")`);
    // By keyboard alone: the answer has the focus, Enter sends it.
    const example = (await page.textContent("#suggest")).replace("For example: ", "");
    assert.equal(await page.evaluate(() => document.activeElement.id), "answer");
    await page.keyboard.type(example);
    await page.keyboard.press("Enter");
  }
  await page.waitForSelector("#generate");
  await page.waitForSelector("text=A sample answer: $0.");
  await page.reload();
  await page.waitForSelector("#generate");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#zip", { timeout: 20_000 });
  await page.waitForFunction(() => document.querySelectorAll('[role="tab"].ready').length === 6);
  await shot(page, `${look.name}-2-files`);
  assert.match(await page.textContent(".bill"), /\$0/);
  const [archive] = await Promise.all([page.waitForEvent("download"), page.click("#zip")]);
  assert.equal((await readFile(await archive.path())).subarray(0, 2).toString(), "PK");
  for (const name of FILES) {
    await page.click(`[role="tab"]:has-text("${name}")`);
    const [file] = await Promise.all([page.waitForEvent("download"), page.click('.tools button:has-text("Download")')]);
    const lines = await page.locator("pre .line").allTextContents();
    assert.equal((await readFile(await file.path(), "utf8")).trimEnd(), lines.join("\n").trimEnd(), name);
  }
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll('[role="tab"].ready').length === 6);
  await page.fill("#refine", "add an endpoint that counts");
  await page.click('.refine button[type="submit"]');
  await page.waitForSelector('#problem-text:has-text("Only sample answers exist here")');
  await page.click('nav a:has-text("Services")');
  await page.waitForSelector('.card .name:has-text("vFirewall")');
  await page.click('#samples a:has-text("reverses a string")');
  await page.click("#write");
  await page.waitForSelector('.line:has-text("def ")');
  await page.goto(`${address}docs`);
  await page.waitForSelector("#generate summary");
  await page.click("#generate summary");
  await shot(page, `${look.name}-3-docs`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the screen");
  assert.deepEqual(page.wrong, []);
  console.log(`${look.name}: seven answers, six files, downloads, reloads, samples, API docs`);
}

// Behind a gateway with API keys: what it refuses is in its own words, or hidden from pages of another origin.
for (const [name, place] of [["beside the API", ""], ["elsewhere", "https://api.example/prod"]]) {
  const page = await open(looks[0]);
  await page.route(address, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace('name="api-base" content=""', `name="api-base" content="${place}"`);
    const policy = answer.headers()["content-security-policy"].replace("connect-src 'self'", `connect-src 'self' https://api.example`);
    return route.fulfill({ response: answer, body, headers: { ...answer.headers(), "content-security-policy": policy } });
  });
  await page.route(place ? `${place}/**` : /\/(services|conversation|samples|results)/, async (route) => {
    const url = new URL(route.request().url());
    if (route.request().headers()["x-api-key"] === "the-key") {
      const answer = await route.fetch({ url: `${new URL(url.pathname.replace("/prod/", "/") + url.search, address)}` });
      return route.fulfill({ response: answer, headers: { ...answer.headers(), "access-control-allow-origin": new URL(address).origin } });
    }
    return place ? route.abort() : route.fulfill({ status: 403, contentType: "application/json", body: '{"message":"Forbidden"}' });
  });
  await page.goto(address);
  for (const key of ["not-the-key", "the-key"]) {
    await page.waitForSelector("#door:not([hidden])");
    await page.fill("#token", key);
    await page.click("#door button");
  }
  await page.waitForSelector(".card .name");
  assert.equal(await page.isVisible("#door"), false);
  assert.equal(await page.isVisible("#problem"), false);
  console.log(`${name}: a gateway's refusal opens the door for a key`);
}

// An answer that was taken while only the response was lost is not taken twice, and does not end the conversation.
{
  const page = await open(looks[0]);
  const keys = [];
  await page.route("**/conversation", async (route) => {
    if (route.request().postDataJSON()?.action !== "message") return route.continue();
    const turn = keys.push(route.request().headers()["idempotency-key"]);
    const answer = await route.fetch();
    return turn === 1 ? route.abort() : route.fulfill({ response: answer });
  });
  await page.goto(address);
  await page.click("#new");
  await page.waitForSelector("#answer");
  await page.keyboard.type("vFirewall");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#problem:not([hidden])");
  assert.equal(await page.inputValue("#answer"), "vFirewall");
  await page.click("#retry");
  await page.waitForSelector('#form label:has-text("2 of 7")');
  assert.equal(keys.length, 2);
  assert.ok(keys[0] && keys[0] === keys[1], keys.join(" "));
  console.log("a lost response is asked for again under its key");
}

// The page behind a gateway's stage finds its API there.
{
  const page = await open(looks[0]);
  const asked = [];
  await page.route("**/prod/**", async (route) => {
    const url = new URL(route.request().url());
    asked.push(url.pathname);
    return route.fulfill({ response: await route.fetch({ url: `${new URL(url.pathname.replace("/prod/", "/") + url.search, address)}` }) });
  });
  await page.goto(`${new URL("/prod/", address)}`);
  await page.waitForSelector(".card .name");
  assert.ok(asked.includes("/prod/services") && asked.every((path) => path.startsWith("/prod/")), asked.join(" "));
  assert.deepEqual(page.wrong, []);
  console.log("behind a stage the page finds its API");
}
await browser.close();
