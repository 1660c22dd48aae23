// Any page that is a file. Arguments: JSON of {page, name, folder, profile}.
import { run } from "./chromium.mjs";
import { looks } from "./looks.mjs";

const given = JSON.parse(process.argv[2]);

await run(async (page) => {
  await page.look(1280, "light");
  await page.goto(`file://${given.page}`);
  return {
    looks: await looks(page, given.folder, given.name),
    links: await page.evaluate("[...document.querySelectorAll('main a')].map((one) => one.href)"),
    hacked: await page.evaluate("String(window.hacked)"),
    errors: page.errors,
    foreign: page.requests.filter((one) => !/^(file|data):/.test(one)),
  };
}, given.profile);
