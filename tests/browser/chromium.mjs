// Headless Chromium over the DevTools protocol's pipe: open a page, click, type, look at it.
// Scenarios beside this file use it and print one line of JSON, which a spec judges.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";

const keys = {
  Tab: { code: "Tab", keyCode: 9 }, Enter: { code: "Enter", keyCode: 13, text: "\r" },
  " ": { code: "Space", keyCode: 32, text: " " },
};

function start(profile) {
  const options = ["--headless", "--remote-debugging-pipe", `--user-data-dir=${profile}`,
    "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  // Chromium refuses to run as root within its sandbox.
  if (process.getuid() === 0) options.push("--no-sandbox");
  return spawn("chromium", options, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
}

// Commands and answers, one JSON object each, ended by a zero byte.
class Connection {
  constructor(child) {
    this.child = child;
    this.next = 1;
    this.waiting = new Map();
    this.listeners = [];
    this.rest = "";
    child.stdio[4].setEncoding("utf8").on("data", (text) => this.receive(text));
    child.on("exit", () => this.fail("Chromium ended"));
    child.stdio[3].on("error", () => this.fail("Chromium does not listen"));
  }

  fail(words) {
    for (const { reject } of this.waiting.values()) reject(new Error(words));
    this.waiting.clear();
  }

  receive(text) {
    const lines = (this.rest + text).split("\0");
    this.rest = lines.pop();
    for (const line of lines) this.handle(JSON.parse(line));
  }

  handle(message) {
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (waiting && message.error) waiting.reject(new Error(message.error.message));
    else if (waiting) waiting.resolve(message.result);
    else for (const listener of this.listeners) listener(message);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    });
  }
}

class Page {
  constructor(connection, session) {
    this.connection = connection;
    this.session = session;
    this.errors = [];
    this.requests = [];
    connection.listeners.push((message) => this.note(message));
  }

  send(method, params) {
    return this.connection.send(method, params, this.session);
  }

  note({ method, params }) {
    if (method === "Runtime.exceptionThrown") this.errors.push(params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled" && params.type === "error") {
      this.errors.push(params.args.map((one) => one.value ?? one.description).join(" "));
    }
    if (method === "Log.entryAdded" && params.entry.level === "error") {
      this.errors.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    }
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    if (method === "Page.loadEventFired" && this.loaded) this.loaded();
  }

  // What `act` does leads to another page; resolves when that is loaded.
  async leaving(act) {
    const loaded = new Promise((resolve) => { this.loaded = resolve; });
    await act();
    await loaded;
  }

  goto(url) {
    return this.leaving(() => this.send("Page.navigate", { url }));
  }

  // The value of an expression, or of a function called with what can be JSON.
  async evaluate(what, ...values) {
    const expression = typeof what === "function"
      ? `(${what})(${values.map((one) => JSON.stringify(one)).join(", ")})` : what;
    const { result, exceptionDetails } = await this.send("Runtime.evaluate",
      { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "failed");
    return result.value;
  }

  // Waits until an expression is true.
  async until(expression, seconds = 10) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
      if (await this.evaluate(expression)) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  }

  async look(width, scheme) {
    await this.send("Emulation.setDeviceMetricsOverride",
      { width, height: 900, deviceScaleFactor: 1, mobile: false });
    await this.send("Emulation.setEmulatedMedia",
      { features: [{ name: "prefers-color-scheme", value: scheme },
        { name: "prefers-reduced-motion", value: "reduce" }] });
  }

  async click(selector) {
    const spot = await this.evaluate((given) => {
      const one = document.querySelector(given);
      one.scrollIntoView({ block: "center" });
      const box = one.getClientRects()[0];
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }, selector);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, ...spot, button: "left", clickCount: 1 });
    }
  }

  async press(key) {
    const { code, keyCode, text } = keys[key];
    const about = { key, code, windowsVirtualKeyCode: keyCode };
    await this.send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...about });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...about });
  }

  async screenshot(path) {
    const { data } = await this.send("Page.captureScreenshot",
      { captureBeyondViewport: true, format: "png" });
    await writeFile(path, Buffer.from(data, "base64"));
  }
}

// Runs a scenario with a page of its own; prints what it returns. Exit status 77: no Chromium here.
export async function run(scenario, profile) {
  const child = start(profile);
  const connection = new Connection(child);
  child.on("error", () => process.exit(77));
  let session;
  try {
    const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" });
    ({ sessionId: session } = await connection.send("Target.attachToTarget",
      { targetId, flatten: true }));
  } catch (error) {
    console.error(error.message);
    process.exit(77);
  }
  const page = new Page(connection, session);
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
  try {
    console.log(JSON.stringify(await scenario(page)));
  } finally {
    await connection.send("Browser.close").catch(() => {});
    child.kill();
  }
}
