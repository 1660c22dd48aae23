// What is measured of any page, in the page: contrast, width, what the keyboard reaches.

// Texts whose contrast with what lies behind them is below WCAG AA: 4.5, or 3 where they are large.
function lowContrast() {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(parse(getComputedStyle(one).backgroundColor));
    }
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const paper = dark ? { r: 18, g: 18, b: 18, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
    return layers.reverse().reduce((below, layer) => over(layer, below), paper);
  };
  const found = [];
  let count = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || element.closest("title, desc, noscript, script, style")) continue;
    if (!element.getClientRects().length || style.visibility === "hidden") continue;
    const ground = behind(element);
    const ink = over(parse(element instanceof SVGElement ? style.fill : style.color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    count += 1;
    if (ratio < (size >= 24 || (bold && size >= 18.66) ? 3 : 4.5)) {
      found.push(`${ratio.toFixed(2)} ${node.data.trim().slice(0, 30)}`);
    }
  }
  return { count, found };
}

// What sticks out of the page to the right, and does not scroll by itself.
function tooWide() {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const wide = [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1
      && !one.parentElement.closest(".drawing"));
  return wide.map((one) => `${one.localName}.${one.className} ${one.textContent.slice(0, 30)}`)
    .slice(0, 5).concat("the page scrolls");
}

// The elements that the Tab key reaches in turn, and those that it should reach.
async function tabs(page) {
  await page.evaluate(() => { document.activeElement.blur(); });
  const wanted = await page.evaluate(() => [...document.querySelectorAll(
    "a[href], button, summary, [tabindex='0']")]
    .filter((one) => one.getClientRects().length && one.checkVisibility()).length);
  const reached = new Set();
  let plain = 0;
  for (let i = 0; i < wanted + 2; i += 1) {
    await page.press("Tab");
    const one = await page.evaluate(() => {
      const active = document.activeElement;
      if (active === document.body) return null;
      active.dataset.reached ??= String(document.querySelectorAll("[data-reached]").length);
      const { outlineStyle, outlineWidth } = getComputedStyle(active);
      return { at: active.dataset.reached, ring: outlineStyle !== "none"
        && parseFloat(outlineWidth) >= 2 };
    });
    if (one) reached.add(one.at);
    if (one && !one.ring) plain += 1;
  }
  return { wanted, reached: reached.size, plain };
}

// A page in light and dark, wide and narrow, each kept as a picture.
export async function looks(page, folder, name) {
  const result = { low: [], wide: [], texts: 0 };
  for (const scheme of ["light", "dark"]) {
    for (const width of [1280, 360]) {
      await page.look(width, scheme);
      const { count, found } = await page.evaluate(lowContrast);
      result.texts = Math.max(result.texts, count);
      result.low.push(...found.map((one) => `${scheme} ${one}`));
      result.wide.push(...await page.evaluate(tooWide));
      await page.screenshot(`${folder}/${name}-${scheme}-${width}.png`);
    }
  }
  await page.look(1280, "light");
  result.tabs = await tabs(page);
  return result;
}
