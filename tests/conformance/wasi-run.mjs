// Runs a WASI program under Node, as cargo's runner for tests:
//     node tests/conformance/wasi-run.mjs MODULE
// once for each test that WASI_TESTS names. WASI_FOLDERS names variables whose values are folders: the
// program sees each at /VARIABLE, and the variable says so. The exit status is 1 if a test failed.
import { readFile } from "node:fs/promises";
import { argv, env as settings, exit, stderr } from "node:process";
import { WASI } from "node:wasi";

const words = (text) => (text ?? "").split(" ").filter((word) => word !== "");
const env = { PARAPET_REQUIRE_DATA: settings.PARAPET_REQUIRE_DATA ?? "" };
const preopens = {};
for (const name of words(settings.WASI_FOLDERS)) {
  env[name] = `/${name}`;
  preopens[`/${name}`] = settings[name];
}
const module = await WebAssembly.compile(await readFile(argv[2]));
// What the library imports from a proxy is never called by tests.
const noProxy = (_, name) => () => {
  throw new Error(`${name}: there is no proxy here`);
};
let failed = false;
for (const test of words(settings.WASI_TESTS)) {
  const wasi = new WASI({ version: "preview1", args: ["test", "--exact", test], env, preopens });
  const imports = { ...wasi.getImportObject(), env: new Proxy({}, { get: noProxy }) };
  try {
    // The library exports a proxy's entry points too; a program has one.
    const { memory, _start } = (await WebAssembly.instantiate(module, imports)).exports;
    failed = wasi.start({ exports: { memory, _start } }) !== 0 || failed;
  } catch (error) {
    stderr.write(`${test}: ${error}\n`);
    failed = true;
  }
}
exit(failed ? 1 : 0);
