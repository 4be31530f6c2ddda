#!/usr/bin/env node
// Runs the TypeScript source as it is: no build step between an edit and a run.
import { register } from "tsx/esm/api";

register({ tsconfig: false }); // a user's own tsconfig paths must not hijack our imports
await import("../src/main.ts");
