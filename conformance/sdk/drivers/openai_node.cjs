// The driver of openai-node: reads a question a line, and answers what a user of the package would see.
// It drives the package of the folder that it is started in.
"use strict";
const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");
const path = require("node:path");

const here = createRequire(path.join(process.cwd(), "driver.cjs"));
const { OpenAI, APIError, APIConnectionError, APIConnectionTimeoutError } = here("openai");
const { VERSION } = here("openai/version");

console.log = console.info = console.warn = console.error; // standard output belongs to the protocol

/** What a call gives; what is no object is shown as it is. */
const run = (value) => ({ run: value !== null && typeof value === "object" ? value : { "no run": String(value) } });

/** All that an iteration gives, and the error that it ends with. */
async function gathered(member, items, shown) {
  const told = [];
  try {
    for await (const each of items) told.push(shown(each));
  } catch (problem) {
    return { [member]: told, error: error(problem) };
  }
  return { [member]: told };
}

/** Make a call as a user would, and tell what it gave. */
async function call(name, { thread_id, run_id, ...given }, client) {
  const { threads } = client.beta;
  const { runs } = threads;
  const one = { thread_id };
  switch (name) {
    case "create_run": return run(await runs.create(thread_id, given));
    case "retrieve_run": return run(await runs.retrieve(run_id, one));
    case "modify_run": return run(await runs.update(run_id, { ...one, ...given }));
    case "cancel_run": return run(await runs.cancel(run_id, one));
    case "submit_tool_outputs": return run(await runs.submitToolOutputs(run_id, { ...one, ...given }));
    case "create_thread_and_run": return run(await threads.createAndRun(given));
    case "poll_run": return run(await runs.poll(run_id, one));
    case "list_runs": {
      const page = await runs.list(thread_id, given);
      return { page: { ids: page.data.map((each) => each.id), has_more: page.has_more } };
    }
    case "iterate_runs": return gathered("ids", runs.list(thread_id, given), (each) => each.id);
    case "stream_run":
      return gathered("events", await runs.create(thread_id, { ...given, stream: true }), (each) => each);
    case "stream_tool_outputs":
      return gathered("events", await runs.submitToolOutputs(run_id, { ...one, ...given, stream: true }), (each) => each);
    default: return { unsupported: `this driver knows no ${name}` };
  }
}

/** An error with what a user can read from it. */
function error(problem) {
  const told = { kind: "other", message: `${problem?.constructor?.name}: ${problem?.message}` };
  if (problem instanceof APIConnectionTimeoutError) return { ...told, kind: "timeout" };
  if (problem instanceof APIConnectionError) return { ...told, kind: "connection" };
  if (!(problem instanceof APIError)) return told;
  const { status, code, param, type, requestID } = problem;
  const known = { code: code ?? null, param: param ?? null, type: type ?? null, request_id: requestID ?? null };
  return { ...told, ...known, ...(status ? { kind: "status", status } : {}) };
}

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    let answer = { client: `openai-node ${VERSION}` };
    if (!asked.hello) {
      const { base_url, api_key, timeout, retries } = asked.client;
      const set = { baseURL: base_url, apiKey: api_key, timeout: timeout * 1000, maxRetries: retries };
      try {
        answer = await call(asked.call, asked.arguments, new OpenAI(set));
      } catch (problem) {
        answer = { error: error(problem) };
      }
    }
    process.stdout.write(`${JSON.stringify({ id: asked.id, ...answer })}\n`);
  }
})();
