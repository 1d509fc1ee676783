// Hooks for Dredd: the headers of a client, and for each documented refusal a request that deserves it.
const hooks = require("hooks");

hooks.beforeEach((transaction) => {
  const [path, method] = transaction.name.split(" > ");
  const status = transaction.expected.statusCode;
  const request = transaction.request;
  request.headers["OpenAI-Beta"] = "assistants=v2";
  request.headers.Authorization = status === "401" ? "Bearer sk-wrong" : `Bearer ${process.env.OPENAI_API_KEY}`;
  // Nothing asks for a 429, and no request to read a run deserves a 400.
  transaction.skip = status === "429" || (status === "400" && method === "GET" && path.endsWith("{run_id}"));
  if (status === "404") {
    transaction.fullPath = transaction.fullPath.replace(/thread_\w+/, "thread_unknown");
  } else if (status !== "400") {
    return;
  } else if (path.endsWith("/cancel")) {
    transaction.fullPath = process.env.PEERS_ENDED_CANCEL;
  } else if (method === "POST") {
    request.body = JSON.stringify({ metadata: 7 });
  } else {
    transaction.fullPath = transaction.fullPath.replace(/\?.*|$/, "?limit=0");
  }
});
