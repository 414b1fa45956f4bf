// What a person does with a service, on desktop and phone, by mouse and by keyboard; faults on the way; axe on every state.
import assert from "node:assert/strict";
import { FILES, evil, mock } from "./mock.mjs";
import { LOOKS, answer, browser, counted, drawTo, ok, open as opened, seen } from "./look.mjs";

drawTo(process.argv[2]);
const open = (look, api, path = "") => opened(look, api.url, path);
/** The usage of a week, for the page. */
function used() {
  const day = (n) => new Date(Date.UTC(2026, 10, 24 + n)).toISOString().slice(0, 10);
  const group = (name, n) => ({ ...name, requests: 40 + n, accepted: 38, failed: 1, cached: 7, spent_usd: `${(n * 0.588).toFixed(6)}`, saved_by_cache_usd: "1.5", saved_by_tier_usd: "0.25", input_tokens: 9000, output_tokens: 4000, average_seconds: 8.125, p90_seconds: 21.5 });
  return {
    day: Array.from({ length: 7 }, (_, n) => group({ day: day(n) }, n)),
    model: [group({ model: "claude-haiku-4-5" }, 3), group({ model: "claude-sonnet-5-5" }, 6)],
    tier: ["simple", "medium", "complex"].map((tier, n) => group({ tier }, n)),
    total: { ...group({ name: "total" }, 21), spent_usd: "12.348", requests: 301 },
  };
}

const error = (path, line) => ({ path, line, column: 1, severity: "error", message: "a name that is not defined" });

for (const look of LOOKS) {
  const api = await mock();
  const page = await open(look, api);
  await page.waitForSelector("#new");
  await seen(page, "01-home-empty");
  await page.focus("#new");
  await page.keyboard.press("Enter");
  await answer(page, 1, 3);
  await page.waitForSelector('#form label:has-text("4 of 7")');
  await seen(page, "02-question");
  await page.reload();
  await page.waitForSelector('#form label:has-text("4 of 7")');
  assert.equal(await page.locator(".mine").count(), 3, "a reload keeps every answer");
  await page.locator('button[aria-label="Edit your answer to Features"]').click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("another feature");
  await seen(page, "03-edit");
  await page.keyboard.press("Enter");
  await page.waitForSelector('.mine:has-text("another feature")');
  await page.focus("#answer");
  await answer(page, 4, 7);
  await page.waitForSelector("#generate");
  await page.waitForSelector('.review .soft:has-text("at most $0.12")');
  await seen(page, "04-review");
  await page.reload();
  await page.waitForSelector("#generate");

  api.pace = 250;
  api.findings.push([error("api_routes.py", 2)]);
  await page.click("#generate");
  await page.waitForSelector('.tabs .writing, .tabs .ready');
  await seen(page, "05-writing");
  await page.click('button:has-text("Stop")');
  await page.waitForSelector('.state:has-text("Stopped")');
  assert.equal(await page.locator(".tabs .ready").count() < 6, true);
  await seen(page, "06-stopped");
  await page.reload();
  await page.waitForSelector('#generate:has-text("Go on writing")');
  await page.click("#generate");
  await page.waitForSelector(".tabs .writing");
  await page.reload();
  await page.waitForSelector('#generate:has-text("Go on writing")');
  api.pace = 0;
  await page.click("#generate");
  await page.waitForSelector("#repair");
  assert.match(await page.textContent(".bill"), /\$0\.0123/);
  const broken = page.locator('[role="tab"]:has-text("api_routes.py")');
  assert.match(await broken.getAttribute("class"), /broken/, "a file with an error has no green dot");
  await seen(page, "07-findings");
  await page.click(".finding");
  await page.waitForSelector(".line.here");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "PRE");
  await page.click("#repair");
  await page.waitForSelector('.state:has-text("fit together")');
  assert.equal(await page.locator("#repair").count(), 0);
  assert.match(api.asked.findLast((one) => one.action === "refine").body.instructions, /api_routes.py line 2/);
  await page.click('.tools button:has-text("Changes")');
  await page.waitForSelector(".row-of.new");
  await seen(page, "08-repaired-changes");
  await page.click('.tools button:has-text("Changes")');

  await page.click('summary:has-text("Your seven answers")');
  await page.locator('button[aria-label="Edit your answer to Features"]').click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("new features");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#generate:has-text("Write them again")');
  await seen(page, "09-stale");
  await page.click("#generate");
  await page.waitForFunction(() => document.querySelectorAll('select option').length >= 3 && !document.querySelector("#generate"));
  await page.fill("#refine", "say it shorter");
  await page.selectOption('select[aria-label="What is changed"]', "README.md");
  await page.click('.refine button[type="submit"]');
  await page.waitForSelector('.state:has-text("fit together")');
  await page.waitForFunction(() => document.querySelector(".work select")?.options.length === 4);
  await page.click('[role="tab"]:has-text("README.md")');
  await page.waitForSelector('.line:has-text("changed: say it shorter")');
  await page.click('button:has-text("Compare with the one before")');
  await page.waitForSelector('.row-of.new:has-text("changed: say it shorter")');
  await seen(page, "10-refined");
  await page.selectOption(".work label select", { index: 0 });
  await page.waitForSelector('.line:has-text("version 1")');

  const heights = await page.locator('[role="tab"]').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  assert.ok(Math.min(...heights) >= 44, `tabs are ${heights} px high`);
  await page.focus('[role="tab"][aria-selected="true"]');
  await page.keyboard.press("Home");
  assert.match(await page.getAttribute('[role="tab"][aria-selected="true"]', "aria-label"), /^backend_service.py/);
  await page.keyboard.press("ArrowRight");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /api_routes/);
  await page.fill('input[aria-label="Find in this file"]', "features");
  await page.press('input[aria-label="Find in this file"]', "Enter");
  assert.equal(await page.textContent(".tools [role=status]"), "1 of 1");
  await page.click('button:has-text("Wrap")');
  const [one] = await Promise.all([page.waitForEvent("download"), page.click('.tools button:has-text("Download")')]);
  assert.equal(one.suggestedFilename(), "api_routes.py");
  const [zip] = await Promise.all([page.waitForEvent("download"), page.click("#zip")]);
  assert.match(zip.suggestedFilename(), /^service-.*\.zip$/);

  const address = page.url();
  const second = await open(look, api, new URL(address).hash);
  await second.waitForSelector('.state:has-text("fit together")');
  assert.equal(await second.locator('[role="tab"]').count(), 6, "a second device shows it");
  await second.goBack().catch(() => {});
  await page.click('nav a:has-text("Services")');
  await page.waitForSelector(".card .name");
  await seen(page, "11-home");
  await page.fill('input[aria-label="Search your services"]', "nothing like it");
  await page.waitForSelector('text=None of your services matches.');
  await page.fill('input[aria-label="Search your services"]', "");
  await page.click('button[aria-label="Rename answer 1"]');
  await page.keyboard.type("My service");
  await page.keyboard.press("Enter");
  await page.waitForSelector('.card .name:has-text("My service")');
  await page.click('button[aria-label="Delete My service"]');
  await page.waitForSelector("dialog[open]");
  await seen(page, "12-ask");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator('.card .name:has-text("My service")').count(), 1);
  await page.click('button[aria-label="Delete My service"]');
  await page.click('dialog button:has-text("Delete")');
  await page.waitForSelector("#undo:not([hidden])");
  await page.click("#undo button");
  await page.waitForSelector('.card .name:has-text("My service")');
  assert.equal(api.asked.filter((one) => one.method === "DELETE").length, 0, "undone before anything was erased");
  await page.goBack();
  await page.waitForSelector('.state:has-text("fit together")');
  await page.goForward();
  await page.waitForSelector("#new");

  await page.click('nav a:has-text("Generate")');
  await page.fill("#prompt", "a queue");
  await page.click('button:has-text("Estimate")');
  await page.waitForSelector('.soft:has-text("at most $0.12")');
  await page.click("#write");
  await page.waitForSelector('.state:has-text("written and checked")');
  await page.click("summary");
  await seen(page, "13-generate");
  await page.selectOption("#task", "explain");
  await page.click("#write");
  await page.waitForSelector('.given [role=status]:has-text("paste a file")');
  await page.setInputFiles("input[type=file]", [{ name: "main.py", mimeType: "text/plain", buffer: Buffer.from("def main(): pass\n") }, { name: "picture.png", mimeType: "image/png", buffer: Buffer.from([0, 1, 2]) }]);
  await page.waitForSelector('.given [role=status]:has-text("picture.png")');
  await page.fill("#prompt", "");
  await page.click("#write");
  await page.waitForSelector('.prose h3:has-text("What it does")');
  assert.deepEqual(api.asked.findLast((one) => one.path === "/generate").body, { prompt: "Explain what these files do.", task: "explain", files: [{ path: "main.py", content: "def main(): pass\n" }] });
  await seen(page, "13-explain");
  await page.click('nav a:has-text("Services")');
  await page.click('.card .name:has-text("a queue")');
  await page.waitForSelector('.line:has-text("def main")');
  await page.reload();
  await page.waitForSelector('.line:has-text("def main")');
  await page.click('nav a:has-text("Usage")');
  await page.waitForSelector('.today:has-text("$0.2500 of $5")');
  await seen(page, "14-usage-empty");
  api.usage = used();
  await page.selectOption("#days", "7");
  await page.waitForSelector('dd:has-text("$12.35")');
  assert.equal(await page.locator(".chart rect").count(), 7, "a bar for each day");
  await page.click('summary:has-text("Figures by day")');
  await seen(page, "15-usage-full");
  assert.deepEqual(page.wrong, []);
  assert.deepEqual(second.wrong, []);
  await page.context().close();
  await second.context().close();
  await api.close();
  ok(`${look.name}: every flow, with a reload at every step`);
}

// ---- faults, each with its cause in words and a way on

for (const look of [LOOKS[0], LOOKS[3]]) {
  const api = await mock();
  api.services.set("c-0", { conversation_id: "c-0", answers: FILES.concat("seven"), codes: [], name: "Faults", written: null });
  const page = await open(look, api, "#/s/c-0");
  await page.waitForSelector("#generate");

  api.faults.push({ action: "generate", status: 503, kind: "throttled", detail: "too many tokens", more: { retry_after: 2 } });
  await page.click("#generate");
  await page.waitForSelector('#wait:has-text("Trying again in")');
  assert.match(await page.textContent("#problem-text"), /The model is busy right now/);
  await seen(page, "20-throttled");
  await page.waitForSelector('.state:has-text("fit together")');
  ok(`${look.name}: a busy model is waited for with a countdown, and asked again`);

  for (const [status, kind, words] of [[403, "access_denied", /Access is denied/], [402, "budget", /budget is used up/], [503, "upstream_credentials", /server has no valid AWS credentials/], [500, "storage", /could not be kept/]]) {
    api.faults.push({ action: "refine", status, kind, detail: "told by the service" });
    await page.fill("#refine", "x");
    await page.click('.refine button[type="submit"]');
    await page.waitForSelector("#problem:not([hidden])");
    assert.match(await page.textContent("#problem-text"), words);
    assert.equal(await page.isVisible("#door"), false, `${kind}: a key of the reader's would not help`);
    assert.equal(await page.evaluate(() => document.querySelector("#problem").contains(document.activeElement)), true);
  }
  await seen(page, "21-denied");
  ok(`${look.name}: what is denied has its cause in words`);

  api.faults.push({ action: "cut", problem: { status: 502, kind: "cut", detail: "it broke", partial: { receipt: { total_usd: "0.004" } } } });
  await page.fill("#refine", "y");
  await page.click('.refine button[type="submit"]');
  await page.waitForSelector('#problem-text:has-text("So far it cost $0.004")');
  await page.click("#retry");
  await page.waitForSelector('.state:has-text("fit together")');
  ok(`${look.name}: a run that broke says what it cost and goes on`);

  await page.route("**/conversation/c-0", (route) => route.abort());
  await page.reload();
  await page.waitForSelector('#problem-text:has-text("cannot be reached")');
  await seen(page, "22-unreachable");
  await page.unroute("**/conversation/c-0");
  await page.click("#retry");
  await page.waitForSelector('.state:has-text("fit together")');
  await page.evaluate(() => { location.hash = "#/s/c-9"; });
  await page.waitForSelector('#problem-text:has-text("There is nothing here")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
  await api.close();
  ok(`${look.name}: an outage and a wrong address have a way on`);
}

{
  const api = await mock({ token: "0123456789abcdef" });
  const page = await open(LOOKS[3], api);
  await page.waitForSelector("#door:not([hidden])");
  await seen(page, "30-door");
  await page.fill("#token", "not-the-token");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#door-text:has-text("not accepted")');
  await page.fill("#token", "0123456789abcdef");
  await page.keyboard.press("Enter");
  await page.waitForSelector('text=None yet.');
  assert.equal(await page.isVisible("#door"), false);
  const given = await open(LOOKS[0], api, "#token=0123456789abcdef");
  await given.waitForSelector('text=None yet.');
  assert.equal(new URL(given.url()).hash, "", "the token is gone from the address");
  await given.reload();
  await given.waitForSelector('text=None yet.');
  assert.deepEqual([...page.wrong, ...given.wrong], []);
  await api.close();
  ok("a wrong token is told, a given one is taken from the address");
}

{
  const api = await mock({ offline: true });
  const page = await open(LOOKS[2], api);
  await page.waitForSelector('text=only these samples exist here');
  await seen(page, "31-offline");
  await page.click('button:has-text("Sample service")');
  await page.waitForSelector("#generate");
  assert.equal(await page.locator(".mine").count(), 7);
  assert.deepEqual(page.wrong, []);
  await api.close();
  ok("offline the first screen says so and offers the samples");
}

// What public reports of pages like this one tell: lost answers, split characters, Enter of an input method.
{
  const api = await mock();
  api.services.set("c-0", { conversation_id: "c-0", answers: FILES.concat("seven"), codes: [], name: "Left alone", written: null });
  const page = await open(LOOKS[0], api, "#/s/c-0");
  await page.waitForSelector("#generate");
  api.pace = 100;
  await page.click("#generate");
  await page.waitForSelector(".tabs .ready");
  await page.click('[role="tab"]:has-text("backend_service.py")');
  await page.waitForSelector('.tabs .ready:has-text("api_routes.py")');
  assert.match(await page.getAttribute('[role="tab"][aria-selected="true"]', "aria-label"), /^backend_service/, "the chosen file stays while others are written");
  await page.click('nav a:has-text("Services")');
  await page.waitForSelector(".card .name");
  await page.click('.card .name:has-text("Left alone")');
  await page.waitForSelector('.state:has-text("Writing")');
  api.pace = 0;
  await page.waitForSelector('.state:has-text("fit together")');
  assert.equal(api.asked.filter((one) => one.action === "generate").length, 1, "looking elsewhere costs no second run");
  ok("a run goes on while its reader looks at something else");

  await page.click('nav a:has-text("Generate")');
  await page.fill("#prompt", "a draft");
  await page.selectOption("#task", "review");
  await page.fill(".given textarea", "x = 1");
  await page.reload();
  assert.deepEqual([await page.inputValue("#prompt"), await page.inputValue("#task"), await page.inputValue(".given textarea")], ["a draft", "review", "x = 1"]);
  await page.selectOption("#task", "generate");
  api.bytewise = true;
  api.content = "name = 'naïve — 🔥 日本'\n";
  await page.click("#write");
  await page.waitForSelector(".line:has-text(\"naïve — 🔥 日本\")");
  assert.equal(await page.evaluate(() => document.body.textContent.includes("\ufffd")), false);
  ok("a draft outlives a reload, and characters that come in pieces are whole");

  await page.click('nav a:has-text("Services")');
  await page.dblclick("#new");
  await page.waitForSelector("#answer");
  assert.equal(api.services.size, 2, "a double click begins one service");
  await page.fill("#answer", "にほん");
  for (const more of [{ isComposing: true }, { keyCode: 229 }]) await page.dispatchEvent("#answer", "keydown", { key: "Enter", bubbles: true, cancelable: true, ...more });
  assert.equal(api.asked.filter((one) => one.action === "message").length, 0, "Enter that ends a word sends nothing");
  await page.press("#answer", "Enter");
  await page.waitForSelector('.mine:has-text("にほん")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
  await api.close();
  ok("Enter of an input method sends nothing, a double click begins one service");
}

// What a model writes is text, whatever it says, and what cannot be seen is shown.
{
  const api = await mock();
  api.services.set("c-0", { conversation_id: "c-0", answers: Array(7).fill(`${evil}\u202e`), codes: [], name: evil, written: null });
  api.findings.push([{ path: evil, line: 1, severity: "error", message: `${evil}\u200b` }]);
  const page = await open(LOOKS[0], api, "#/s/c-0");
  await page.click("#generate");
  await page.waitForSelector("#repair");
  assert.equal(await page.evaluate(() => document.querySelectorAll("img, svg, main script").length), 0);
  assert.match(await page.textContent("#view"), /onerror="alert\(1\)"/);
  assert.ok((await page.locator("mark").allTextContents()).includes("U+202E"), "Trojan Source is seen");
  assert.deepEqual(page.wrong, []);
  await api.close();
  ok("hostile content is text, and what cannot be seen is shown");
}
await browser.close();
console.log(`${counted()} states, axe: 0 violations`);
