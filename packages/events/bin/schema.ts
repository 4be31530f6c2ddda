/** `npm run schema`: writes the JSON Schema of the contract where other languages find it. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { jsonSchema } from "../src/json-schema.ts";

const file = new URL("../schema/payment.events.v1.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
console.log(`wrote ${fileURLToPath(file)}`);
