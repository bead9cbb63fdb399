// Compiles Python files with the mpy-cross of an npm package:
//
//	node mpycross.cjs PACKAGE OUT < list of files
//
// FILE becomes OUT/N.mpy, where N is its number in the list, from 0; a file that does
// not compile becomes OUT/N.err, with the compiler's last line. The name that goes into
// the code is the file's without its directory.
"use strict";
delete globalThis.fetch; // the package was made before node had it, and would fetch a path
const fs = require("fs");
const path = require("path");

const [pkg, out] = process.argv.slice(2);
const { compile } = require(pkg);
const options = ["-mno-unicode", "-msmall-int-bits=31"];

async function main() {
  const files = fs.readFileSync(0, "utf8").split("\n").filter(Boolean);
  for (const [n, file] of files.entries()) {
    const source = fs.readFileSync(file, "latin1");
    const result = await compile(path.basename(file), source, options);
    if (result.status === 0) {
      fs.writeFileSync(path.join(out, n + ".mpy"), result.mpy);
    } else {
      fs.writeFileSync(path.join(out, n + ".err"), (result.err.filter(Boolean).pop() || "no message") + "\n");
    }
  }
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
