// The practice coordinator's pages as people use them. Arguments: JSON of {url, folder, profile,
// pause = command that pauses the first task, task, submission = ids}.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { run } from "./chromium.mjs";
import { looks } from "./looks.mjs";

const given = JSON.parse(process.argv[2]);
const execute = promisify(execFile);

await run(async (page) => {
  const result = { pages: {} };
  const place = () => page.evaluate("location.pathname");

  await page.look(1280, "light");
  await page.goto(`${given.url}/`);
  result.start = await place();
  result.pages.dashboard = await looks(page, given.folder, "dashboard");

  // By keyboard: past the header, then into the first task.
  await page.goto(`${given.url}/dashboard`);
  await page.press("Tab");
  await page.press("Enter");
  result.skipped = await page.evaluate("document.activeElement.id");
  await page.press("Tab");
  result.onboarding = await page.evaluate(
    "[...document.querySelectorAll('#tasks a')].map((one) => one.getAttribute('href'))"
    + ".filter((one) => one.endsWith('onboard.md')).length");
  await page.leaving(() => page.press("Enter"));
  result.task = await place();
  result.pages.task = await looks(page, given.folder, "task");

  // By mouse: to a submission, whose texts are hostile.
  await page.leaving(() => page.click(`#submissions a[href$="${given.submission}"]`));
  result.submission = await place();
  await page.click("#patch summary");
  result.opened = await page.evaluate("document.getElementById('patch').open");
  result.pages.submission = await looks(page, given.folder, "submission");
  result.hacked = await page.evaluate("[String(window.hacked), document.querySelectorAll("
    + "'main img, main script, main iframe, main a[href^=\"javascript\"]').length]");
  result.shown = await page.evaluate("document.getElementById('details').textContent");

  // What changes on the server shows by itself, and nobody loses their place.
  await page.goto(`${given.url}/dashboard/tasks/${given.task}`);
  await page.evaluate("window.same = true;"
    + "document.querySelector('#about a[href$=\"onboard.md\"]').focus()");
  await execute(given.pause[0], given.pause.slice(1));
  result.live = await page.until("document.getElementById('about').textContent.includes('paused')");
  result.kept = await page.evaluate(
    "[window.same, document.activeElement.getAttribute('href').endsWith('onboard.md')]");

  // Held by the space bar.
  await page.evaluate("document.getElementById('live-pause').focus()");
  await page.press(" ");
  result.held = await page.evaluate("[document.getElementById('live-state').textContent,"
    + "document.getElementById('live-pause').getAttribute('aria-pressed')]");

  result.errors = [...page.errors];
  result.foreign = page.requests.filter((one) => !one.startsWith(given.url)
    && !one.startsWith("data:"));
  await page.goto(`${given.url}/dashboard/tasks/none`);
  result.missing = await page.evaluate("document.querySelector('h1').textContent");
  return result;
}, given.profile);
