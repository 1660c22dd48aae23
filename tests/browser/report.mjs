// A report as a file, in a browser without a network. Arguments: JSON of {page, folder, profile}.
import { run } from "./chromium.mjs";
import { looks } from "./looks.mjs";

const given = JSON.parse(process.argv[2]);

await run(async (page) => {
  const result = {};
  await page.look(1280, "light");
  await page.goto(`file://${given.page}`);
  result.charts = await page.evaluate("[...document.querySelectorAll('svg[role=img]')]"
    + ".map((one) => one.querySelector('title').textContent)");
  result.sections = await page.evaluate(
    "[...document.querySelectorAll('section')].map((one) => one.id)");
  result.labels = await page.evaluate(() => {
    // Words of a drawing that leave it: nobody would see them.
    const lost = [];
    for (const svg of document.querySelectorAll("svg[role=img]")) {
      const { left, right, top, bottom } = svg.getBoundingClientRect();
      for (const text of svg.querySelectorAll("text")) {
        const box = text.getBoundingClientRect();
        if (box.left < left - 1 || box.right > right + 1 || box.top < top - 1
          || box.bottom > bottom + 1) lost.push(text.textContent);
      }
    }
    return lost;
  });
  await page.click("#all-tensors summary");
  result.opened = await page.evaluate("document.getElementById('all-tensors').open");
  await page.click("#all-tensors summary");
  result.looks = await looks(page, given.folder, given.name ?? "report");
  await page.send("Emulation.setEmulatedMedia", { media: "print" });
  result.print = await page.evaluate(
    "getComputedStyle(document.querySelector('section')).borderTopWidth");
  result.hacked = await page.evaluate("String(window.hacked)");
  result.scripts = await page.evaluate("document.querySelectorAll('script').length");
  result.errors = page.errors;
  result.foreign = page.requests.filter((one) => !/^(file|data):/.test(one));
  return result;
}, given.profile);
