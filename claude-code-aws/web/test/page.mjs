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
await browser.close();
