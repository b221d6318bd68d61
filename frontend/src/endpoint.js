// What is asked of the server; always the site itself, at the release of the page.
const ACCEPT = "application/sparql-results+json, text/turtle;q=0.9, application/problem+json;q=0.1";
const NAMED_AT_ONCE = 1000;

function at(site, path, more = {}) {
  const parameters = new URLSearchParams(more);
  if (site.release) parameters.set("release", site.release);
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

async function checked(response) {
  if (response.ok) return response;
  const error = new Error(`status ${response.status}`);
  error.fields = await response.json().catch(() => ({ detail: `The server answers ${response.status}.` }));
  throw error;
}

/** The answer to a query: rows, a yes or no, or Turtle; with the release that gave it. */
export async function ask(site, query, signal) {
  const response = await checked(
    await fetch(at(site, site.endpoint), {
      method: "POST",
      body: new URLSearchParams({ query }),
      headers: { Accept: ACCEPT },
      signal,
    }),
  );
  const release = response.headers.get("Clustergraph-Release");
  const text = await response.text();
  if (!response.headers.get("Content-Type").includes("json")) return { release, turtle: text };
  const body = JSON.parse(text);
  if ("boolean" in body) return { release, boolean: body.boolean };
  return { release, names: body.head.vars, rows: body.results.bindings };
}

/** Prefixes, classes and properties of the graph. */
export async function terms(site) {
  return (await checked(await fetch(at(site, `${site.endpoint}/terms.json`)))).json();
}

/** Names and addresses of things. */
export async function labels(site, iris) {
  const body = new URLSearchParams(iris.slice(0, NAMED_AT_ONCE).map((iri) => ["iri", iri]));
  return (await checked(await fetch(at(site, `${site.endpoint}/labels`), { method: "POST", body }))).json();
}

/** The address that will give this very answer as long as the release is kept. */
export function cited(site, query, release) {
  return new URL(`${site.root}/releases/${release}/sparql?${new URLSearchParams({ query })}`, location.href).href;
}

export function downloads(site, query, found) {
  const formats = found.turtle === undefined ? ["csv", "json"] : ["turtle", "jsonld"];
  return formats.map((format) => [format, at(site, site.endpoint, { query, format })]);
}

export function explained(site, query) {
  return at(site, `${site.endpoint}/explain`, { query });
}
