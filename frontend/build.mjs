// Bundles src/ into the folder that is given, with the licences of all that went in.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
rmSync(folder, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ["src/sparql.js", "src/suggest.js"],
  outdir: folder,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none", // licences.txt has them whole
  chunkNames: "chunks/[name]-[hash]",
  metafile: true,
  logLevel: "warning",
});

const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const found = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
let text = "The scripts of these pages contain the following packages.\n";
for (const name of [...packages].sort()) {
  const home = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  if (!license) throw new Error(`${name} names no licence`);
  const file = readdirSync(home).find((each) => /^licen[cs]e/i.test(basename(each)));
  text += `\n${"=".repeat(72)}\n${name} ${version}: ${license}\n\n`;
  text += file ? readFileSync(join(home, file), "utf8") : "(the package carries no licence text)\n";
}
text += "\nThe shapes of the map are made by Natural Earth, and are in the public domain.\n";
writeFileSync(join(folder, "licences.txt"), text);
