// What the pages ask over HTTP. Whatever goes wrong comes back as four strings.
import { token } from "./wire.js";

export async function ask(method, path, body) {
  const raw = body instanceof Blob;
  const headers = { "X-Pleinair-Token": token() };
  if (body !== undefined) headers["Content-Type"] = raw ? body.type || "application/octet-stream" : "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined || raw ? body : JSON.stringify(body) });
  } catch {
    throw { what: "the stage does not answer", where: "", now: "", hint: "is the piece still running?" };
  }
  const said = await answer.json().catch(() => ({ what: `the stage answered ${answer.status}` }));
  if (!answer.ok) throw said;
  return said;
}
