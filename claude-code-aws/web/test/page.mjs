// Drives the page in headless Chromium against `serve --offline` (or the example serve_offline):
//   make page, which installs what is missing; by hand: node page.mjs http://127.0.0.1:8080 [directory for pictures]
// Seven answers, six files, downloads, keyboard, hostile content as text. Exits 1 with the first thing that is wrong.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const [address, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const looks = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
];

async function open(look) {
  const context = await browser.newContext({ ...look, acceptDownloads: true });
  const page = await context.newPage();
  page.wrong = [];
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/favicon|Failed to load resource/.test(line.text())) page.wrong.push(line.text()); });
  page.on("dialog", (dialog) => { page.wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  return page;
}

const shot = async (page, name) => { if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true }); };

for (const look of looks) {
  const page = await open(look);
  await page.goto(address);
  await page.waitForSelector(".said.asked");
  await shot(page, `${look.name}-1-start`);
  for (let step = 1; step <= 7; step++) {
    await page.waitForFunction((n) => document.querySelectorAll(".said.asked").length === n, step);
    // By keyboard alone: the answer has the focus, Enter sends it.
    const example = (await page.textContent("#suggest")).replace("For example: ", "");
    assert.equal(await page.evaluate(() => document.activeElement.id), "answer");
    await page.keyboard.type(example);
    if (step === 4) await shot(page, `${look.name}-2-talk`);
    await page.keyboard.press("Enter");
  }
  await page.waitForSelector("#review:not([hidden])");
  await shot(page, `${look.name}-3-review`);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#tabs .ready").length === 6 && !document.querySelector("#zip").hidden, null, { timeout: 20000 });
  await shot(page, `${look.name}-4-files`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than the screen");
  assert.match(await page.textContent("#bill"), /\$0/);
  const [archive] = await Promise.all([page.waitForEvent("download"), page.click("#zip")]);
  assert.match(archive.suggestedFilename(), /^service-.*\.zip$/);
  assert.equal((await readFile(await archive.path())).subarray(0, 2).toString(), "PK");
  for (const name of ["backend_service.py", "api_routes.py", "database_schema.sql", "config.yaml", "requirements.txt", "README.md"]) {
    await page.click(`#tabs button:has-text("${name}")`);
    const [file] = await Promise.all([page.waitForEvent("download"), page.click("#one")]);
    assert.equal(file.suggestedFilename(), name);
    assert.equal(await readFile(await file.path(), "utf8"), await page.textContent("#code"));
  }
  assert.deepEqual(page.wrong, []);
  console.log(`${look.name}: seven answers, six files, seven downloads`);
}

// What a model writes is text, whatever it says: a stream of hostile content in place of the server's.
{
  const page = await open(looks[0]);
  const evil = `<img src=x onerror="alert(1)"><script>alert(2)</script></code></pre><svg onload=alert(3)>\u202e`;
  const frame = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  await page.route("**/conversation", (route) => {
    const asked = JSON.parse(route.request().postData());
    if (asked.action === "generate") {
      const result = { accepted: false, files: [{ path: evil }], model: evil, receipt: { total_usd: "0" }, diagnostics: [{ path: evil, line: 1, message: evil }], service_id: "s", code_id: "c" };
      const body = frame("file.started", { path: evil, revision: 0 }) + frame("file.chunk", { path: evil, revision: 0, text: evil }) +
        frame("file.finished", { path: evil, revision: 0, complete: true }) + frame("finished", { generation: result });
      return route.fulfill({ status: 200, contentType: "text/event-stream", body });
    }
    const done = asked.action === "message";
    const data = { service_type: evil, features: [evil] };
    return route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify({ conversation_id: "c", question: done ? null : evil, title: evil, example: evil, step: 1, total_steps: 7, done, service_data: data }) });
  });
  await page.goto(address);
  await page.waitForSelector(".said.asked");
  await page.keyboard.type(evil);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#review:not([hidden])");
  await page.click("#generate");
  await page.waitForSelector("#zip:not([hidden])");
  await page.click("#tabs button:last-child");
  assert.equal(await page.textContent("#code"), evil);
  assert.equal(await page.evaluate(() => document.querySelectorAll("img, svg, main script").length), 0);
  assert.deepEqual(page.wrong, []);
  console.log("hostile content is shown as text");
}

// A server that cannot be reached is said in plain words, with a way on.
{
  const page = await open(looks.at(-1));
  await page.route("**/conversation", (route) => route.abort());
  await page.goto(address);
  await page.waitForSelector("#problem:not([hidden])");
  assert.equal(await page.isVisible("#form"), false, "nothing to answer before a question");
  await shot(page, "phone-dark-5-problem");
  await page.unroute("**/conversation");
  await page.click("#retry");
  await page.waitForSelector(".said.asked");
  console.log("an outage has plain words and a way on");
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
  await page.route(place ? `${place}/conversation` : "**/conversation", async (route) => {
    if (route.request().headers()["x-api-key"] === "the-key") {
      const answer = await route.fetch({ url: `${new URL("/conversation", address)}` });
      return route.fulfill({ response: answer, headers: { ...answer.headers(), "access-control-allow-origin": new URL(address).origin } });
    }
    return place ? route.abort() : route.fulfill({ status: 403, contentType: "application/json", body: '{"message":"Forbidden"}' });
  });
  await page.goto(address);
  await page.waitForSelector("#door:not([hidden])");
  for (const key of ["not-the-key", "the-key"]) {
    await page.waitForSelector("#door:not([hidden])");
    await page.fill("#token", key);
    await page.click("#door button");
  }
  await page.waitForSelector(".said.asked");
  assert.equal(await page.isVisible("#door"), false);
  assert.equal(await page.isVisible("#problem"), false);
  console.log(`${name}: a gateway's refusal opens the door for a key`);
}

// An answer that was taken while only the response was lost is not taken twice, and does not end the conversation.
{
  const page = await open(looks[0]);
  const keys = [];
  const lost = [1, 3];
  await page.route("**/conversation", async (route) => {
    const turn = keys.push(route.request().headers()["idempotency-key"]);
    const answer = await route.fetch();
    return lost.includes(turn) ? route.abort() : route.fulfill({ response: answer });
  });
  await page.goto(address);
  await page.waitForSelector("#problem:not([hidden])");
  await page.click("#retry");
  await page.waitForSelector(".said.asked");
  await page.keyboard.type("vFirewall");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#problem:not([hidden])");
  assert.equal(await page.inputValue("#answer"), "vFirewall");
  await page.click("#retry");
  await page.waitForFunction(() => document.querySelectorAll(".said.asked").length === 2);
  assert.match(await page.textContent(".said.asked:last-of-type small"), /^2 of 7/);
  assert.equal(keys.length, 4);
  assert.ok(keys[0] && keys[0] === keys[1] && keys[2] === keys[3] && keys[1] !== keys[2], keys.join(" "));
  console.log("a lost response is asked for again under its key");
}

// The page behind a gateway's stage finds its API there.
{
  const page = await open(looks[0]);
  const asked = [];
  await page.route("**/prod/**", async (route) => {
    const url = new URL(route.request().url());
    asked.push(url.pathname);
    return route.fulfill({ response: await route.fetch({ url: `${new URL(url.pathname.replace("/prod/", "/"), address)}` }) });
  });
  await page.goto(`${new URL("/prod/", address)}`);
  await page.waitForSelector(".said.asked");
  assert.deepEqual(asked.filter((path) => path.endsWith("conversation")), ["/prod/conversation"]);
  assert.deepEqual(page.wrong, []);
  console.log("behind a stage the page finds its API");
}
await browser.close();
