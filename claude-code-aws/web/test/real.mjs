// Every flow against the real server in a real browser, on desktop and phone: `serve --offline` with scripts of answers.
//   node real.mjs COMMAND [PICTURES]
import assert from "node:assert/strict";
import { LOOKS, answer, browser, counted, drawTo, ok, open, seen, weighed } from "./look.mjs";
import { BROKEN, FILES, TOKEN, refused, said, serve, written } from "./server.mjs";

const [command, pictures] = process.argv.slice(2);
drawTo(pictures);
const only = process.env.FLOWS?.split(",");
const SLOW = { faults: [{ pace_ms: 1000 }] };
const STUCK = { faults: [{ stall_at: 4000 }] };
const changed = (name, from, to) => ({ [name]: FILES[name].replace(from, to) });

async function flow(name, look, steps, run, more = {}) {
  if (only && !only.includes(name)) return;
  const api = await serve(command, steps, more);
  const page = await open(look, api.url, more.path ?? `#token=${TOKEN}`);
  try {
    await run(page, api);
    assert.deepEqual(page.wrong, [], `${look.name} ${name}`);
    ok(`${look.name}: ${name}`);
  } catch (error) {
    if (pictures) await page.screenshot({ path: `${pictures}/failed-${look.name}-${name.replace(/\W+/g, "-")}.png`, fullPage: true });
    console.error(`${look.name}: ${name}: ${await page.textContent("main").catch(() => "")}`);
    throw error;
  } finally {
    await page.context().close();
    await api.close();
  }
}

/** Seven answers by keyboard, each kept over a reload. */
async function described(page) {
  await page.waitForSelector("#new");
  await page.focus("#new");
  await page.keyboard.press("Enter");
  for (let step = 1; step <= 7; step++) {
    await answer(page, step, step, (n) => (n === 1 ? "Name counter" : `answer ${n}`));
    await page.waitForSelector(step < 7 ? `#form label:has-text("${step + 1} of 7")` : "#generate");
    await page.reload();
    await page.waitForSelector(`.mine >> nth=${step - 1}`);
    await page.waitForSelector(step < 7 ? "#answer" : "#generate");
  }
  await page.waitForSelector(".review .soft:has-text('$0')");
}

const ready = (page) => page.waitForSelector('.state:has-text("fit together")');
const version = (page, n) => page.waitForFunction((wanted) => document.querySelector(".work label select")?.options.length === wanted, n);

async function edited(page, title, words) {
  if (await page.locator("details.answers:not([open])").count()) await page.click('summary:has-text("Your seven answers")');
  await page.click(`button[aria-label="Edit your answer to ${title}"]`);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`.mine:has-text("${words}")`);
}

for (const look of [LOOKS[0], LOOKS[3]]) {
  await flow("a service", look, [], async (page, api) => {
    await described(page);
    await api.play([written(FILES, SLOW)]);
    await seen(page, "40-described");
    await edited(page, "Features", "fewer features");
    await page.reload();
    await page.waitForSelector('.mine:has-text("fewer features")');
    await page.waitForSelector("#generate");
    await page.click("#generate");
    await page.waitForSelector(".tabs .ready");
    await seen(page, "41-writing");
    await page.click('button:has-text("Stop")');
    await page.waitForSelector('.state:has-text("Stopped")');
    await seen(page, "42-stopped");
    await api.play([written(FILES, SLOW)]);
    await page.reload();
    await page.waitForSelector('#generate:has-text("Go on writing")');
    await page.click("#generate");
    await page.waitForSelector(".tabs .writing");
    await page.reload();
    await page.waitForSelector('#generate:has-text("Go on writing")');
    await api.play([written(BROKEN, { times: 4 })]);
    await page.click("#generate");
    await page.waitForSelector("#repair");
    assert.match(await page.getAttribute('[role="tab"]:has-text("api_routes.py")', "class"), /broken/);
    await page.reload();
    await page.waitForSelector("#repair");
    await page.click(".finding");
    await page.waitForSelector(".line.here");
    await seen(page, "43-findings");
    await api.play([written({ "api_routes.py": FILES["api_routes.py"] })]);
    await page.click("#repair");
    await ready(page);
    await version(page, 2);
    assert.equal(await page.locator("#repair").count(), 0);
    await page.reload();
    await ready(page);
    await seen(page, "44-repaired");

    await edited(page, "Features", "other features");
    await page.waitForSelector('#generate:has-text("Write them again")');
    await page.reload();
    await page.waitForSelector('#generate:has-text("Write them again")');
    await ready(page);
    await api.play([written({ ...FILES, ...changed("README.md", "It counts names.", "It counts names, and more.") })]);
    await page.click("#generate");
    await version(page, 3);
    assert.match(await page.evaluate(() => document.querySelector(".work label select").selectedOptions[0].textContent), /newest/, "what was just written is what is shown");
    await page.click('[role="tab"]:has-text("README.md")');
    await page.click('.tools button:has-text("Changes")');
    await page.waitForSelector('.row-of.new:has-text("and more")');
    await seen(page, "45-regenerated");
    await api.play([written(changed("config.yaml", "info", "debug"))]);
    await page.fill("#refine", "log more");
    await page.selectOption('select[aria-label="What is changed"]', "config.yaml");
    await page.click('.refine button[type="submit"]');
    await version(page, 4);
    await page.reload();
    await version(page, 4);
    await ready(page);
    await page.click('button:has-text("Compare with the one before")');
    await page.click('[role="tab"]:has-text("config.yaml")');
    await page.waitForSelector('.row-of.new:has-text("debug")');
    await page.selectOption(".work label select", { index: 0 });
    await page.waitForSelector("#repair");

    await page.click('nav a:has-text("Services")');
    await page.click('button[aria-label="Rename Name counter"]');
    await page.keyboard.type("Counter of names");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.card .name:has-text("Counter of names")');
    await page.reload();
    await page.waitForSelector('.card .name:has-text("Counter of names")');
    await seen(page, "46-services");
    await page.click('button[aria-label="Delete Counter of names"]');
    await page.click('dialog button:has-text("Delete")');
    await page.waitForSelector("#undo:not([hidden])");
    await page.click("#undo button");
    await page.waitForSelector('.card .name:has-text("Counter of names")');
    await page.click('button[aria-label="Delete Counter of names"]');
    await page.click('dialog button:has-text("Delete")');
    await page.waitForSelector("#undo:not([hidden])");
    await page.reload();
    await page.waitForSelector("text=None yet.");
  });

  const tasks = [said("## What it does\n\nIt counts **names**\u200b between commas.\n"), said("- `count` takes empty names\n"),
    written({ "test_main.py": "from main import count\n\n\ndef test_nobody_is_counted():\n    assert count([]) == 0\n" }),
    written({ "main.py": 'def count(names):\n    """How many names there are."""\n    return len(names)\n' }),
    written({ "main.py": "def count(names):\n    return sum(1 for _ in names)\n" })];
  await flow("tasks over given files", look, tasks, async (page, api) => {
    await page.click('nav a:has-text("Generate")');
    const given = { name: "main.py", mimeType: "text/plain", buffer: Buffer.from("def count(names):\n    return len(names)\n") };
    for (const [task, found] of [["explain", '.prose mark:has-text("U+200B")'], ["review", '.prose code:has-text("count")'], ["test", '[role="tab"]:has-text("test_main.py")'], ["document", '.line:has-text("How many names")'], ["refactor", '.line:has-text("sum(1")']]) {
      await page.reload();
      await page.selectOption("#task", task);
      await page.setInputFiles("input[type=file]", [given]);
      if (task === "refactor") await page.fill("#prompt", "count without len");
      await page.click("#write");
      await page.waitForSelector(found);
      await page.waitForSelector(".bill summary");
      if (task === "refactor") {
        await page.click('.tools button:has-text("Changes")');
        await page.waitForSelector('.row-of.new:has-text("sum(1")');
      }
      await seen(page, `50-${task}`);
    }
    await page.click('nav a:has-text("Services")');
    await page.waitForSelector('.card .name:has-text("count without len")');
    await seen(page, "51-results");
    await page.fill('input[aria-label="Search your results"]', "without len");
    assert.equal(await page.locator('section[aria-label="Your results"] .card').count(), 1);
    await page.click('.card .name:has-text("count without len")');
    await page.waitForSelector('.line:has-text("sum(1")');
    await page.reload();
    await page.waitForSelector('.line:has-text("sum(1")');
    await page.goBack();
    await page.click('button[aria-label="Delete count without len"]');
    await page.click('dialog button:has-text("Delete")');
    await page.waitForSelector("#undo:not([hidden])");
    await page.click('nav a:has-text("Usage")');
    await page.waitForSelector('.figures dd:has-text("5")');
    await seen(page, "52-usage");
    await page.click("#undo button");
    await page.click('nav a:has-text("Services")');
    await page.waitForSelector('.card .name:has-text("count without len")');
    await page.click('nav a:has-text("API")');
    await page.waitForSelector("#generate summary");
    await page.click("#generate summary");
    await seen(page, "53-docs");
  });

  const busy = refused(429, "ThrottlingException", "slow down", { faults: [{ header: { name: "retry-after", value: "2" } }] });
  await flow("a busy model", look, [busy, said("```python main.py\nx = 1\n```\n"), { ...busy, times: 50 }], async (page, api) => {
    await page.click('nav a:has-text("Generate")');
    await page.fill("#prompt", "a number");
    await page.click("#write");
    await page.waitForSelector('.state:has-text("The model is asked again in")');
    await page.waitForSelector('.state:has-text("written and checked")');
    await page.fill("#prompt", "another number");
    await page.click("#write");
    await page.waitForSelector('.state:has-text("throttles")');
    await seen(page, "60-busy");
    await page.click('button:has-text("Stop")');
    await page.waitForSelector('.state:has-text("Stopped")');
    await api.play([said("```python main.py\nx = 2\n```\n")]);
    await page.click("#write");
    await page.waitForSelector('.line:has-text("x = 2")');
  });

  await flow("a model that may not be used", look, [refused(403, "AccessDeniedException", "You don't have access to the model", { times: 20 })], async (page) => {
    await page.click('nav a:has-text("Generate")');
    await page.fill("#prompt", "a number");
    await page.click("#write");
    await page.waitForSelector("#problem:not([hidden])");
    assert.equal(await page.isVisible("#door"), false, "a key of the reader's would not help");
    await seen(page, "61-denied");
  });

  await flow("a stalled answer", look, [written(FILES, STUCK)], async (page, api) => {
    await page.click('nav a:has-text("Generate")');
    await page.fill("#prompt", "six files");
    await page.click("#write");
    await page.waitForSelector(".tabs .writing");
    await api.play([]);
    await page.waitForSelector('#problem-text:has-text("kept")');
    await seen(page, "62-broken");
  });

  await flow("a wrong token", look, [], async (page) => {
    await page.waitForSelector("#door:not([hidden])");
    await page.fill("#token", TOKEN);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#new");
    await page.waitForSelector("text=None yet.");
    await page.reload();
    await page.waitForSelector("text=None yet.");
  }, { path: "#token=not-the-token-0123456789" });

  await flow("its own token", look, [], async (page, api) => {
    await page.waitForSelector("#door:not([hidden])");
    await page.goto(`${api.url}#token=${await api.token()}`);
    await page.reload();
    await page.waitForSelector("text=None yet.");
    assert.equal(new URL(page.url()).hash, "");
  }, { path: "", env: { CLAUDE_CODE_AWS_SERVE_TOKEN: "" } });
}

if (!only) {
  const api = await serve(command, []);
  console.log(`the first screen takes ${await weighed(LOOKS[2], api.url)} bytes, none from elsewhere`);
  await api.close();
}
await browser.close();
console.log(`${counted()} states of the real server, axe: 0 violations`);
