/** `npm run schema`: writes the JSON Schemas of what comes in and what goes out where other languages find them. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { alertNoticeSchema } from "../src/alert-notice.ts";
import { jsonSchema } from "../src/json-schema.ts";

const schemas: readonly (readonly [string, Record<string, unknown>])[] = [
  ["payment.events.v1.json", jsonSchema()],
  ["alert.v1.json", alertNoticeSchema()],
];

for (const [name, schema] of schemas) {
  const file = new URL(`../schema/${name}`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  console.log(`wrote ${fileURLToPath(file)}`);
}
